/* SPDX-License-Identifier: EPICS */
/*
 * The life of a log: its thread, and what the loop learns of it.  The thread works on the sink
 * without any lock, and copies what came of it for the others to see.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "log/psLogFile.h"

#include "base/psThread.h"
#include "log/psLogQueue.h"
#include "log/psLogSink.h"
#include "process/psInherit.h"

#define IDLE_END_SEC 1.0 /* for a thread that has nothing left to do but to end */

struct psLogFile {
    /* fixed after psLogFileCreate */
    char *path; /* NULL: standard output */
    psLoop *loop;
    void (*onNews)(void *ctx);
    void *newsCtx;
    epicsThreadId thread;
    epicsEventId opened; /* signalled once, after the first attempt */
    epicsEventId ended;  /* signalled as the thread's last deed, unless abandoned */
    psJob newsJob, idleJob;
    psLogQueue queue;

    /* loop thread only */
    void (*onIdle)(void *ctx);
    void *idleCtx;

    /* writer thread only */
    psLogSink sink;

    /* guarded by lock; only the queue's lock and the loop's own are taken under it */
    epicsMutexId lock;
    psLogStats stats;
    int asked; /* newest request to reopen */
    bool late; /* the creator did not wait for the first open: its end is news */
    bool abandoned, gone;
};

static void destroy(psLogFile *log)
{
    psLogQueueClear(&log->queue);
    psLogSinkClear(&log->sink);
    if (log->lock)
        epicsMutexDestroy(log->lock);
    if (log->opened)
        epicsEventDestroy(log->opened);
    if (log->ended)
        epicsEventDestroy(log->ended);
    free(log->path);
    free(log);
}

/* ---- the thread ---- */

/* With the lock held.  Once abandoned, the loop may be gone. */
static void post(psLogFile *log, psJob *job)
{
    if (!log->abandoned)
        psLoopPost(log->loop, job);
}

/* Let others see what came of it. */
static void publish(psLogFile *log)
{
    const psLogSink *sink = &log->sink;
    psLogStats *stats = &log->stats;
    psLogState state = sink->fd >= 0 ? psLogIsOpen : psLogFailed;
    int error = sink->openError    ? sink->openError
                : sink->writeError ? sink->writeError
                                   : sink->nameError;

    epicsMutexMustLock(log->lock);
    if ((state != stats->state || error != stats->error) &&
        (stats->state != psLogOpening || log->late))
        post(log, &log->newsJob);
    stats->state = state;
    stats->error = error;
    stats->writtenBytes = sink->writtenBytes;
    stats->lostBytes = sink->lostBytes;
    stats->sizeBytes = sink->sizeBytes;
    epicsMutexUnlock(log->lock);
}

static void reopen(psLogFile *log)
{
    epicsMutexMustLock(log->lock);
    int request = log->asked; /* those that come during the attempt get another */
    epicsMutexUnlock(log->lock);
    psLogSinkOpen(&log->sink); /* the sink keeps the result */
    publish(log);
    epicsMutexMustLock(log->lock);
    if (request != log->stats.reopened)
        post(log, &log->newsJob);
    log->stats.reopened = request;
    log->stats.reopenError = log->sink.openError;
    epicsMutexUnlock(log->lock);
}

static void look(psLogFile *log)
{
    psLogSinkLook(&log->sink);
    publish(log);
    double freePercent = psLogSinkFreePercent(&log->sink);

    epicsMutexMustLock(log->lock);
    log->stats.looking = false;
    log->stats.freePercent = freePercent;
    epicsMutexUnlock(log->lock);
}

static void writeBlock(psLogFile *log, psLogBlock *block)
{
    psLogSinkWrite(&log->sink, block->lostBefore, block->data, block->used);
    publish(log);
    psLogQueueNews news = psLogQueueGiveBack(&log->queue, block);
    if (news == psLogQueueNothing)
        return;
    epicsMutexMustLock(log->lock);
    if (news & psLogQueueRoom)
        post(log, &log->newsJob);
    if (news & psLogQueueFlushed)
        post(log, &log->idleJob);
    epicsMutexUnlock(log->lock);
}

static bool mayWait(void *ctx)
{
    return !psLogQueueAbandoned(ctx);
}

static void writerThread(void *arg)
{
    psLogFile *log = arg;
    psLogBlock *block;
    psLogWork work;

    psInheritSchedule(NULL);
    psLogSinkOpen(&log->sink); /* the sink keeps the result */
    publish(log);
    epicsEventMustTrigger(log->opened);
    while ((work = psLogQueueNext(&log->queue, &block)) != psLogWorkEnd)
        if (work == psLogWorkReopen)
            reopen(log);
        else if (work == psLogWorkLook)
            look(log);
        else
            writeBlock(log, block);
    epicsMutexMustLock(log->lock);
    bool abandoned = log->abandoned;
    log->gone = true;
    epicsMutexUnlock(log->lock);
    if (abandoned)
        destroy(log); /* nobody joins us: what is left is for the end of the program */
    else
        epicsEventMustTrigger(log->ended);
}

/* ---- the loop's side ---- */

static void newsJob(void *ctx)
{
    psLogFile *log = ctx;

    if (log->onNews)
        log->onNews(log->newsCtx);
}

static void idleJob(void *ctx)
{
    psLogFile *log = ctx;

    if (log->onIdle)
        log->onIdle(log->idleCtx);
}

/* Most files are open at once; that a server is dead keeps nobody from supervising. */
static int awaitOpened(psLogFile *log)
{
    (void)epicsEventWaitWithTimeout(log->opened, PS_LOG_OPEN_SEC); /* the state shows the result */
    epicsMutexMustLock(log->lock);
    log->late = log->stats.state == psLogOpening;
    int result = log->late ? -EINPROGRESS : -log->stats.error;
    epicsMutexUnlock(log->lock);
    return result;
}

static int prepare(psLogFile *log, const char *path)
{
    int status = psLogQueueInit(&log->queue);

    if (strcmp(path, "-") != 0 && !(log->path = strdup(path)))
        status = -ENOMEM;
    if (psLogSinkInit(&log->sink, log->path, log->queue.wakeFd, mayWait, &log->queue))
        status = -ENOMEM;
    log->lock = epicsMutexCreate();
    log->opened = epicsEventCreate(epicsEventEmpty);
    log->ended = epicsEventCreate(epicsEventEmpty);
    if (!log->lock || !log->opened || !log->ended)
        status = -ENOMEM;
    return status;
}

static int startThread(psLogFile *log)
{
    log->thread = psThreadCreate("psLog", epicsThreadPriorityMedium, epicsThreadStackSmall,
                                 writerThread, log);
    return log->thread ? 0 : -EAGAIN;
}

psLogFile *psLogFileCreate(const char *path, psLoop *loop, void (*onNews)(void *ctx), void *ctx,
                           int *outStatus)
{
    psLogFile *log = calloc(1, sizeof(*log));

    if (!log) {
        *outStatus = -ENOMEM;
        return NULL;
    }
    log->loop = loop;
    log->onNews = onNews;
    log->newsCtx = ctx;
    log->stats.freePercent = -1;
    log->newsJob.fn = newsJob;
    log->idleJob.fn = idleJob;
    log->newsJob.ctx = log->idleJob.ctx = log;
    int status = prepare(log, path);
    if (!status)
        status = startThread(log);
    if (status) {
        destroy(log);
        *outStatus = status;
        return NULL;
    }
    *outStatus = awaitOpened(log);
    return log;
}

size_t psLogFileWrite(psLogFile *log, const void *bytes, size_t len)
{
    psLoopAssertInside(log->loop);
    return psLogQueuePut(&log->queue, bytes, len);
}

int psLogFileReopen(psLogFile *log, int request)
{
    psLoopAssertInside(log->loop);
    if (!log->path)
        return -EOPNOTSUPP;
    epicsMutexMustLock(log->lock);
    if (request > log->asked)
        log->asked = request;
    epicsMutexUnlock(log->lock);
    psLogQueueReopen(&log->queue);
    return 0;
}

void psLogFileLook(psLogFile *log)
{
    epicsMutexMustLock(log->lock);
    log->stats.looking = true;
    epicsMutexUnlock(log->lock);
    psLogQueueLook(&log->queue);
}

void psLogFileStats(psLogFile *log, psLogStats *out)
{
    uint64_t lostBytes = psLogQueueLostBytes(&log->queue);

    epicsMutexMustLock(log->lock);
    *out = log->stats;
    epicsMutexUnlock(log->lock);
    out->lostBytes += lostBytes;
}

size_t psLogFileQueued(psLogFile *log)
{
    return psLogQueuedBytes(&log->queue);
}

void psLogFileFlush(psLogFile *log, void (*onIdle)(void *ctx), void *ctx)
{
    psLoopAssertInside(log->loop);
    log->onIdle = onIdle;
    log->idleCtx = ctx;
    if (!psLogQueueFlush(&log->queue))
        psLoopPost(log->loop, &log->idleJob);
}

void psLogFileFree(psLogFile *log, double waitSec)
{
    if (!log)
        return;
    /* With nothing to do it ends at once, and is worth to be joined. */
    if (psLogQueueEnd(&log->queue, false) && waitSec < IDLE_END_SEC)
        waitSec = IDLE_END_SEC;
    (void)epicsEventWaitWithTimeout(log->ended,
                                    waitSec > 0 ? waitSec : 0); /* `gone` shows the result */
    epicsMutexMustLock(log->lock);
    bool gone = log->gone;
    log->abandoned = !gone; /* it posts nothing any more, and frees itself if it ever comes back */
    psLoopCancel(log->loop, &log->newsJob);
    psLoopCancel(log->loop, &log->idleJob);
    if (!gone)
        psLogQueueEnd(&log->queue, true);
    epicsMutexUnlock(log->lock);
    if (gone) {
        epicsThreadMustJoin(log->thread);
        destroy(log);
    }
}
