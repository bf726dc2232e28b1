/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>

#include <ellLib.h>
#include <epicsMutex.h>

#include "child/psFeed.h"

typedef struct psTransition {
    ELLNODE node;
    psStatus status;
} psTransition;

struct psFeed {
    epicsMutexId lock;   /* leaf */
    psStatus newest;     /* guarded by lock */
    ELLLIST transitions; /* guarded by lock; psTransition, oldest first */
    bool subscribed;     /* guarded by lock: nobody asks, nothing is kept */
    /* Held over the call-out, so that unsubscribing can wait for it; never taken with lock. */
    epicsMutexId callLock;
    void (*fn)(void *ctx); /* guarded by callLock */
    void *ctx;             /* guarded by callLock */
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

void psFeedPublish(psFeed *feed, const psStatus *news)
{
    psTransition *node = malloc(sizeof(*node));
    psTransition *unused = NULL;
    uint32_t seq;

    epicsMutexMustLock(feed->lock);
    seq = feed->newest.seq + 1;
    feed->newest = *news;
    feed->newest.seq = seq;
    if (feed->subscribed && node) { /* without memory the gap in seq shows it */
        node->status = feed->newest;
        if (ellCount(&feed->transitions) >= PS_TRANSITIONS)
            unused = (psTransition *)ellGet(&feed->transitions);
        ellAdd(&feed->transitions, &node->node);
        node = NULL;
    }
    epicsMutexUnlock(feed->lock);
    free(node);
    free(unused);

    epicsMutexMustLock(feed->callLock);
    if (feed->fn)
        feed->fn(feed->ctx);
    epicsMutexUnlock(feed->callLock);
}

void psFeedCounts(psFeed *feed, int clients, int loggers)
{
    epicsMutexMustLock(feed->lock);
    feed->newest.clients = clients;
    feed->newest.loggers = loggers;
    epicsMutexUnlock(feed->lock);
}

void psFeedNewest(psFeed *feed, psStatus *out)
{
    epicsMutexMustLock(feed->lock);
    *out = feed->newest;
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

void psFeedSubscribe(psFeed *feed, void (*fn)(void *ctx), void *ctx)
{
    ELLLIST old = ELLLIST_INIT;
    psTransition *first = fn ? malloc(sizeof(*first)) : NULL;

    epicsMutexMustLock(feed->callLock);
    feed->fn = fn;
    feed->ctx = ctx;
    epicsMutexUnlock(feed->callLock);

    epicsMutexMustLock(feed->lock);
    if (first && !feed->subscribed && feed->newest.seq != 0) {
        /* What was published since the subscriber last looked would be missed until the next. */
        first->status = feed->newest;
        ellAdd(&feed->transitions, &first->node);
        first = NULL;
    }
    feed->subscribed = fn != NULL;
    if (!fn)
        ellConcat(&old, &feed->transitions);
    epicsMutexUnlock(feed->lock);
    free(first);
    ellFree(&old);
}
