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
    atomic_bool wanted[psTopicCount]; /* nobody asks for transitions: none is kept */
    /* Held over the call-out, so that unsubscribing can wait for it; never taken with lock. */
    epicsMutexId callLock;
    struct {
        void (*fn)(void *ctx); /* NULL: none */
        void *ctx;
    } subscribers[psTopicCount]; /* guarded by callLock */
};

psFeed *psFeedCreate(const psStatus *first)
{
    psFeed *feed = calloc(1, sizeof(*feed));

    if (!feed)
        return NULL;
    ellInit(&feed->transitions);
    feed->newest = *first;
    feed->lock = epicsMutexCreate();
    feed->callLock = epicsMutexCreate();
    if (!feed->lock || !feed->callLock) {
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
    if (feed->callLock)
        epicsMutexDestroy(feed->callLock);
    free(feed);
}

static void callSubscriber(psFeed *feed, psTopic topic)
{
    epicsMutexMustLock(feed->callLock);
    if (feed->subscribers[topic].fn)
        feed->subscribers[topic].fn(feed->subscribers[topic].ctx);
    epicsMutexUnlock(feed->callLock);
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
    epicsMutexMustLock(feed->callLock);
    feed->subscribers[topic].fn = fn;
    feed->subscribers[topic].ctx = ctx;
    epicsMutexUnlock(feed->callLock);
    if (topic == psTopicStatus)
        keepTransitions(feed, fn != NULL);
    else
        feed->wanted[topic] = fn != NULL;
}
