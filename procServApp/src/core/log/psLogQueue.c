/* SPDX-License-Identifier: EPICS */
/* A place in the stream is a count of bytes taken.  A reopening has such a place: what was queued
 * before it goes to the old file.  A second request before the first was begun needs no place of
 * its own, since the file opened last is the newest by that name. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log/psLogQueue.h"

#include "base/psTypes.h"

#define ROOM_BYTES (PS_LOG_QUEUE_BYTES - PS_LOG_BLOCK_BYTES) /* there is room: at most this */

_Static_assert(sizeof(psLogBlock) == PS_LOG_BLOCK_BYTES, "a block has no padding");

int psLogQueueInit(psLogQueue *queue)
{
    memset(queue, 0, sizeof(*queue));
    queue->lock = epicsMutexCreate();
    queue->wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->wakeFd < 0)
        return -errno;
    return queue->lock ? 0 : -ENOMEM;
}

void psLogQueueClear(psLogQueue *queue)
{
    while (queue->head) {
        psLogBlock *next = queue->head->next;

        free(queue->head);
        queue->head = next;
    }
    queue->tail = NULL;
    queue->queuedBytes = 0;
    if (queue->wakeFd >= 0)
        close(queue->wakeFd);
    queue->wakeFd = -1;
    if (queue->lock)
        epicsMutexDestroy(queue->lock);
    queue->lock = NULL;
}

static void wake(psLogQueue *queue)
{
    const uint64_t one = 1;

    /* EAGAIN would mean 2^64 wake-ups nobody has seen: it is awake then. */
    while (write(queue->wakeFd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

/* ---- the loop's side ---- */

/* Room for at least one byte at the tail.  @return NULL without memory */
static psLogBlock *tailBlock(psLogQueue *queue)
{
    psLogBlock *block = queue->tail;

    if (block && !queue->sealed && block->used < sizeof(block->data))
        return block;
    block = malloc(sizeof(*block));
    if (!block)
        return NULL;
    block->next = NULL;
    block->used = 0;
    block->lostBefore = queue->lostBytes;
    queue->lostBytes = 0;
    if (queue->tail)
        queue->tail->next = block;
    else
        queue->head = block;
    queue->tail = block;
    queue->sealed = false;
    return block;
}

/* As much as fits. */
static size_t enqueue(psLogQueue *queue, const char *bytes, size_t len)
{
    size_t room = PS_LOG_QUEUE_BYTES - queue->queuedBytes;
    size_t taken = 0;

    if (room > len)
        room = len;
    while (taken < room) {
        psLogBlock *block = tailBlock(queue);
        size_t part = room - taken;

        if (!block)
            break;
        if (part > sizeof(block->data) - block->used)
            part = sizeof(block->data) - block->used;
        memcpy(block->data + block->used, bytes + taken, part);
        block->used += part;
        taken += part;
    }
    queue->queuedBytes += taken;
    queue->takenBytes += taken;
    return taken;
}

size_t psLogQueuePut(psLogQueue *queue, const void *bytes, size_t len)
{
    epicsMutexMustLock(queue->lock);
    size_t taken = enqueue(queue, bytes, len);
    if (taken < len && queue->queuedBytes > 0) {
        queue->wantRoom = true;
    } else if (taken < len) {
        /* No memory, and nothing under way whose end could call the loop back. */
        queue->lostBytes += len;
        taken = len;
    }
    bool mustWake = queue->asleep && queue->queuedBytes > 0;
    epicsMutexUnlock(queue->lock);
    if (mustWake)
        wake(queue);
    return taken;
}

void psLogQueueReopen(psLogQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    if (!queue->reopen) {
        queue->reopen = true;
        queue->reopenAt = queue->takenBytes;
        queue->sealed = queue->tail != NULL;
    }
    epicsMutexUnlock(queue->lock);
    wake(queue);
}

void psLogQueueLook(psLogQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    queue->look = true;
    epicsMutexUnlock(queue->lock);
    wake(queue);
}

bool psLogQueueFlush(psLogQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    bool flush = queue->queuedBytes > 0;
    queue->flushAt = queue->takenBytes;
    queue->flush = flush;
    epicsMutexUnlock(queue->lock);
    return flush;
}

bool psLogQueueEnd(psLogQueue *queue, bool abandon)
{
    epicsMutexMustLock(queue->lock);
    bool idle = queue->asleep && queue->queuedBytes == 0 && !queue->reopen;
    queue->end = true;
    queue->abandoned = queue->abandoned || abandon;
    epicsMutexUnlock(queue->lock);
    wake(queue);
    return idle;
}

size_t psLogQueuedBytes(psLogQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    size_t bytes = queue->queuedBytes;
    epicsMutexUnlock(queue->lock);
    return bytes;
}

uint64_t psLogQueueLostBytes(psLogQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    uint64_t bytes = queue->lostBytes;
    epicsMutexUnlock(queue->lock);
    return bytes;
}

/* ---- the writer's side ---- */

static void sleepUntilWoken(psLogQueue *queue)
{
    struct pollfd wakeup = {.fd = queue->wakeFd, .events = POLLIN};
    uint64_t count;

    queue->asleep = true;
    epicsMutexUnlock(queue->lock);
    while (poll(&wakeup, 1, -1) < 0 && errno == EINTR) {
    }
    while (read(queue->wakeFd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
    epicsMutexMustLock(queue->lock);
    queue->asleep = false;
}

/* With the lock held.  @return false if there is nothing to do */
static bool take(psLogQueue *queue, psLogWork *outWork, psLogBlock **outBlock)
{
    if (queue->abandoned) {
        *outWork = psLogWorkEnd;
    } else if (queue->reopen && queue->takenBytes - queue->queuedBytes >= queue->reopenAt) {
        queue->reopen = false;
        *outWork = psLogWorkReopen;
    } else if (queue->head) {
        *outBlock = queue->head;
        queue->head = queue->head->next;
        if (!queue->head)
            queue->tail = NULL;
        *outWork = psLogWorkWrite;
    } else if (queue->end) {
        *outWork = psLogWorkEnd;
    } else if (queue->look) {
        queue->look = false;
        *outWork = psLogWorkLook;
    } else {
        return false;
    }
    return true;
}

psLogWork psLogQueueNext(psLogQueue *queue, psLogBlock **outBlock)
{
    psLogWork work = psLogWorkEnd;

    epicsMutexMustLock(queue->lock);
    while (!take(queue, &work, outBlock))
        sleepUntilWoken(queue);
    epicsMutexUnlock(queue->lock);
    return work;
}

psLogQueueNews psLogQueueGiveBack(psLogQueue *queue, psLogBlock *block)
{
    unsigned news = psLogQueueNothing;

    epicsMutexMustLock(queue->lock);
    queue->queuedBytes -= block->used;
    if (queue->wantRoom && queue->queuedBytes <= ROOM_BYTES) {
        queue->wantRoom = false;
        news |= psLogQueueRoom;
    }
    if (queue->flush && queue->takenBytes - queue->queuedBytes >= queue->flushAt) {
        queue->flush = false;
        news |= psLogQueueFlushed;
    }
    epicsMutexUnlock(queue->lock);
    free(block);
    return (psLogQueueNews)news;
}

bool psLogQueueAbandoned(psLogQueue *queue)
{
    epicsMutexMustLock(queue->lock);
    bool abandoned = queue->abandoned;
    epicsMutexUnlock(queue->lock);
    return abandoned;
}
