/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <ellLib.h>
#include <epicsMutex.h>

#include "child/psFeed.h"

typedef struct psTransition {
    ELLNODE node;
    psStatus status;
} psTransition;

struct psFeed {
    epicsMutexId lock;                /* leaf */
    psStatus newest;                  /* guarded by lock */
    ELLLIST transitions;              /* guarded by lock; psTransition, oldest first */
    psConsoleStatus console;          /* guarded by lock */
    psResources resources;            /* guarded by lock */
    atomic_bool wanted[psTopicCount]; /* nobody asks for transitions: none is kept */
    struct {
        /* Held over the call-out, so that unsubscribing can wait for it; never taken with lock.
         * Each topic has its own: topics are published by different threads. */
        epicsMutexId callLock;
        void (*fn)(void *ctx); /* NULL: none; guarded by callLock, as is the next */
        void *ctx;
    } subscribers[psTopicCount];
};

psFeed *psFeedCreate(const psStatus *first)
{
    psFeed *feed = calloc(1, sizeof(*feed));

    if (!feed)
        return NULL;
    ellInit(&feed->transitions);
    feed->newest = *first;
    feed->lock = epicsMutexCreate();
    bool complete = feed->lock;
    for (int i = 0; i < psTopicCount; i++) {
        feed->subscribers[i].callLock = epicsMutexCreate();
        complete = complete && feed->subscribers[i].callLock;
    }
    if (!complete) {
        psFeedFree(feed);
        return NULL;
    }
    return feed;
}

void psFeedFree(psFeed *feed)
{
    if (!feed)
        return;
    ellFree(&feed->transitions);
    if (feed->lock)
        epicsMutexDestroy(feed->lock);
    for (int i = 0; i < psTopicCount; i++)
        if (feed->subscribers[i].callLock)
            epicsMutexDestroy(feed->subscribers[i].callLock);
    free(feed);
}

static void callSubscriber(psFeed *feed, psTopic topic)
{
    epicsMutexMustLock(feed->subscribers[topic].callLock);
    if (feed->subscribers[topic].fn)
        feed->subscribers[topic].fn(feed->subscribers[topic].ctx);
    epicsMutexUnlock(feed->subscribers[topic].callLock);
}

void psFeedPublish(psFeed *feed, const psStatus *news)
{
    psTransition *node = malloc(sizeof(*node));
    psTransition *unused = NULL;
    uint32_t seq;

    epicsMutexMustLock(feed->lock);
    seq = feed->newest.seq + 1;
    feed->newest = *news;
    feed->newest.seq = seq;
    if (feed->wanted[psTopicStatus] && node) { /* without memory the gap in seq shows it */
        node->status = feed->newest;
        if (ellCount(&feed->transitions) >= PS_TRANSITIONS)
            unused = (psTransition *)ellGet(&feed->transitions);
        ellAdd(&feed->transitions, &node->node);
        node = NULL;
    }
    epicsMutexUnlock(feed->lock);
    free(node);
    free(unused);
    callSubscriber(feed, psTopicStatus);
}

void psFeedPublishConsole(psFeed *feed, const psConsoleStatus *news)
{
    epicsMutexMustLock(feed->lock);
    uint32_t seq = feed->console.seq + 1;
    feed->console = *news;
    feed->console.seq = seq;
    epicsMutexUnlock(feed->lock);
    callSubscriber(feed, psTopicConsole);
}

void psFeedPublishResources(psFeed *feed, const psResources *news)
{
    epicsMutexMustLock(feed->lock);
    uint32_t seq = feed->resources.seq + 1;
    feed->resources = *news;
    feed->resources.seq = seq;
    epicsMutexUnlock(feed->lock);
    callSubscriber(feed, psTopicResources);
}

bool psFeedWanted(psFeed *feed, psTopic topic)
{
    return feed->wanted[topic];
}

void psFeedNewest(psFeed *feed, psStatus *out)
{
    epicsMutexMustLock(feed->lock);
    *out = feed->newest;
    epicsMutexUnlock(feed->lock);
}

void psFeedConsole(psFeed *feed, psConsoleStatus *out)
{
    epicsMutexMustLock(feed->lock);
    *out = feed->console;
    epicsMutexUnlock(feed->lock);
}

void psFeedResources(psFeed *feed, psResources *out)
{
    epicsMutexMustLock(feed->lock);
    *out = feed->resources;
    epicsMutexUnlock(feed->lock);
}

int psFeedNext(psFeed *feed, psStatus *out)
{
    epicsMutexMustLock(feed->lock);
    psTransition *node = (psTransition *)ellGet(&feed->transitions);
    int left = ellCount(&feed->transitions);
    epicsMutexUnlock(feed->lock);
    if (!node)
        return -EAGAIN;
    *out = node->status;
    free(node);
    return left > 0;
}

/* Keep transitions from the newest on, or none any more. */
static void keepTransitions(psFeed *feed, bool keep)
{
    ELLLIST old = ELLLIST_INIT;
    psTransition *first = keep ? malloc(sizeof(*first)) : NULL;

    epicsMutexMustLock(feed->lock);
    if (first && !feed->wanted[psTopicStatus] && feed->newest.seq != 0) {
        /* What was published since the subscriber last looked would be missed until the next. */
        first->status = feed->newest;
        ellAdd(&feed->transitions, &first->node);
        first = NULL;
    }
    feed->wanted[psTopicStatus] = keep;
    if (!keep)
        ellConcat(&old, &feed->transitions);
    epicsMutexUnlock(feed->lock);
    free(first);
    ellFree(&old);
}

void psFeedSubscribe(psFeed *feed, psTopic topic, void (*fn)(void *ctx), void *ctx)
{
    epicsMutexMustLock(feed->subscribers[topic].callLock);
    feed->subscribers[topic].fn = fn;
    feed->subscribers[topic].ctx = ctx;
    epicsMutexUnlock(feed->subscribers[topic].callLock);
    if (topic == psTopicStatus)
        keepTransitions(feed, fn != NULL);
    else
        feed->wanted[topic] = fn != NULL;
}
