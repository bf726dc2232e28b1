/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>

#include <dbDefs.h>
#include <ellLib.h>
#include <epicsMutex.h>

#include "loop/psQueue.h"

struct psQueue {
    /* fixed */
    psLoop *loop;
    unsigned capacity;
    psJob job;
    /* any thread */
    epicsMutexId lock; /* only the loop's own job lock is taken under it */
    ELLLIST items;     /* guarded by lock */
    bool closed;       /* guarded by lock */
};

static psQueueItem *takeFirst(psQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    ELLNODE *node = ellGet(&queue->items);
    epicsMutexUnlock(queue->lock);
    return node ? CONTAINER(node, psQueueItem, node) : NULL;
}

/* Only what was there when it began: what comes meanwhile has posted the job again, and
 * descriptors and timers have their turn before it. */
static void runItems(void *ctx)
{
    psQueue *queue = ctx;
    psQueueItem *item;

    epicsMutexMustLock(queue->lock);
    int count = ellCount(&queue->items);
    epicsMutexUnlock(queue->lock);
    /* one by one: an item's run may close the queue, which cancels the rest */
    while (count-- > 0 && (item = takeFirst(queue)) != NULL)
        item->run(item);
}

psQueue *psQueueCreate(psLoop *loop, unsigned capacity)
{
    psQueue *queue = calloc(1, sizeof(*queue));

    if (!queue)
        return NULL;
    queue->loop = loop;
    queue->capacity = capacity;
    queue->job = (psJob){.fn = runItems, .ctx = queue};
    ellInit(&queue->items);
    queue->lock = epicsMutexCreate();
    if (!queue->lock) {
        psQueueFree(queue);
        return NULL;
    }
    return queue;
}

/* With the lock held. */
static int put(psQueue *queue, psQueueItem *item)
{
    if (queue->closed)
        return -ESHUTDOWN;
    if ((unsigned)ellCount(&queue->items) >= queue->capacity)
        return -EAGAIN;
    ellAdd(&queue->items, &item->node);
    /* under the lock, so that no post comes after psQueueClose() took the job back */
    psLoopPost(queue->loop, &queue->job);
    return 0;
}

int psQueuePut(psQueue *queue, psQueueItem *item)
{
    epicsMutexMustLock(queue->lock);
    int status = put(queue, item);
    epicsMutexUnlock(queue->lock);
    return status;
}

void psQueueClose(psQueue *queue)
{
    psQueueItem *item;

    epicsMutexMustLock(queue->lock);
    queue->closed = true;
    epicsMutexUnlock(queue->lock);
    psLoopCancel(queue->loop, &queue->job);
    while ((item = takeFirst(queue)) != NULL)
        item->cancel(item);
}

void psQueueFree(psQueue *queue)
{
    if (!queue)
        return;
    if (queue->lock) {
        psQueueClose(queue);
        epicsMutexDestroy(queue->lock);
    }
    free(queue);
}
