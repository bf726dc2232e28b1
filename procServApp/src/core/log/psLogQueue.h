/* SPDX-License-Identifier: EPICS */
/** @file psLogQueue.h
 *  @brief Bytes on their way from the loop to the thread that writes them, and what else the loop
 *  asks of that thread: to reopen the file, to report an empty queue, to end.
 *
 *  The queue holds at most PS_LOG_QUEUE_BYTES, in blocks.  Whoever finds it full is refused and
 *  called back through psLogQueueRoom once a block's worth of room is free again.  Bytes for which
 *  no memory could be had are lost only if nothing is queued whose end could call the loop back;
 *  they are counted, and the next block carries their number.
 *
 *  Threads: one may put (the loop's), one may take (the writer's).  The queue's lock is a leaf.
 *  Nothing blocks but psLogQueueNext().
 */
#ifndef INC_psLogQueue_H
#define INC_psLogQueue_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <epicsMutex.h>

#define PS_LOG_BLOCK_BYTES 65536 /**< of memory, with the block's header */

typedef struct psLogBlock {
    struct psLogBlock *next;
    uint64_t lostBefore; /**< bytes lost between the block before and this one */
    size_t used;
    char data[PS_LOG_BLOCK_BYTES - 3 * sizeof(uint64_t)];
} psLogBlock;

/** What the writer is to do next. */
typedef enum psLogWork {
    psLogWorkWrite,  /**< write a block, then give it back */
    psLogWorkReopen, /**< open the file by its name again */
    psLogWorkLook,   /**< look whether it was removed, and how much room there is */
    psLogWorkEnd     /**< end: everything is written, or nobody waits for it any more */
} psLogWork;

/** What psLogQueueGiveBack() found, or-ed. */
typedef enum psLogQueueNews {
    psLogQueueNothing = 0,
    psLogQueueRoom = 1,   /**< a put was refused, and there is room now */
    psLogQueueFlushed = 2 /**< all that was queued at psLogQueueFlush() is written or lost */
} psLogQueueNews;

typedef struct psLogQueue {
    int wakeFd; /**< eventfd, readable when the writer has something to look at; -1: none */
    epicsMutexId lock;
    /* guarded by lock */
    psLogBlock *head, *tail;
    size_t queuedBytes;  /* with the block that is being written */
    uint64_t takenBytes; /* all since the start */
    uint64_t lostBytes;  /* for want of memory, after the last block */
    uint64_t reopenAt;   /* in takenBytes */
    uint64_t flushAt;    /* in takenBytes */
    bool reopen, flush, look;
    bool sealed;   /* the tail belongs to the old file: what comes begins a block */
    bool wantRoom; /* somebody was refused */
    bool asleep;   /* the writer, and has to be woken */
    bool end, abandoned;
} psLogQueue;

/** @return 0, or -ENOMEM or -errno: psLogQueueClear() is then still right */
int psLogQueueInit(psLogQueue *queue);
/** Frees what is still queued.  May be called twice.  Neither thread may be inside. */
void psLogQueueClear(psLogQueue *queue);

/** Queue bytes, in order.  Thread: loop.
 *  @return how many were taken (0...len), with those lost for want of memory */
size_t psLogQueuePut(psLogQueue *queue, const void *bytes, size_t len);
/** Have the file reopened after what is queued now.  A second request before the first was begun
 *  is the same as one.  Thread: any. */
void psLogQueueReopen(psLogQueue *queue);
/** Have the writer look at the file system, once everything queued is written.  Thread: any. */
void psLogQueueLook(psLogQueue *queue);
/** Ask for psLogQueueFlushed once everything queued now is written or lost.  Thread: loop.
 *  @return false if nothing is queued: that news will not come */
bool psLogQueueFlush(psLogQueue *queue);
/** Let the writer end.  Thread: any.
 *  @param abandon at once; else once everything is written
 *  @return true if the writer sleeps and has nothing left to do: it ends without delay */
bool psLogQueueEnd(psLogQueue *queue, bool abandon);
/** Bytes queued or being written.  Thread: any. */
size_t psLogQueuedBytes(psLogQueue *queue);
/** Bytes lost for want of memory that no block has carried yet.  Thread: any. */
uint64_t psLogQueueLostBytes(psLogQueue *queue);

/** Wait for something to do.  Thread: writer.  Blocks: until there is something.
 *  @param outBlock for psLogWorkWrite: the caller's until psLogQueueGiveBack() */
psLogWork psLogQueueNext(psLogQueue *queue, psLogBlock **outBlock);
/** The block is written or lost.  Frees it.  Thread: writer. */
psLogQueueNews psLogQueueGiveBack(psLogQueue *queue, psLogBlock *block);
/** Does nobody wait for the writer any more?  Thread: any. */
bool psLogQueueAbandoned(psLogQueue *queue);

#endif
