/* SPDX-License-Identifier: EPICS */
/** @file psQueue.h
 *  @brief Commands into the loop: bounded, in order, each completed exactly once.  Level 2. */
#ifndef INC_psQueue_H
#define INC_psQueue_H

#include "loop/psLoop.h"

typedef struct psQueue psQueue;

/** An entry; allocated by the caller, his again once `run` or `cancel` is called. */
typedef struct psQueueItem {
    ELLNODE node;
    void (*run)(struct psQueueItem *item);    /**< on the loop thread */
    void (*cancel)(struct psQueueItem *item); /**< instead of run, at psQueueClose() */
} psQueueItem;

/** @return NULL without memory */
psQueue *psQueueCreate(psLoop *loop, unsigned capacity);
/** Thread: any.  Blocks: never.  @return 0, -EAGAIN full, -ESHUTDOWN closed */
int psQueuePut(psQueue *queue, psQueueItem *item);
/** Refuse new items and cancel those not yet run.  Loop thread, or any once it ended; also from
 *  an item's run.  Idempotent. */
void psQueueClose(psQueue *queue);
/** Closes first.  No thread may be in psQueuePut() any more.  NULL is fine. */
void psQueueFree(psQueue *queue);

#endif
