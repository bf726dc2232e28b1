/* SPDX-License-Identifier: EPICS */
/** @file psQueue.h
 *  @brief Commands into the loop: bounded, in order, each completed exactly once.
 */
#ifndef INC_psQueue_H
#define INC_psQueue_H

#include "loop/psLoop.h"

typedef struct psQueue psQueue;

/** An entry.  Its owner allocates it, and has it back when `run` or `cancel` is called. */
typedef struct psQueueItem {
    ELLNODE node;
    void (*run)(struct psQueueItem *item);    /**< on the loop thread */
    void (*cancel)(struct psQueueItem *item); /**< instead of run, in the thread that closes */
} psQueueItem;

/** @param capacity at most so many items wait
 *  Thread: any.  @return NULL without memory or a mutex */
psQueue *psQueueCreate(psLoop *loop, unsigned capacity);
/** Thread: any.  Blocks: never.
 *  @return 0; -EAGAIN full, -ESHUTDOWN closed: then the item stays the caller's */
int psQueuePut(psQueue *queue, psQueueItem *item);
/** Refuse new items, and cancel those that have not run; also from an item's run.  May be called
 *  twice.  Thread: loop, or any once it has ended.  Blocks: as the cancel functions do. */
void psQueueClose(psQueue *queue);
/** Closes first.  No thread may be in psQueuePut() any more.  NULL does nothing.
 *  Thread: any, once the loop has ended. */
void psQueueFree(psQueue *queue);

#endif
