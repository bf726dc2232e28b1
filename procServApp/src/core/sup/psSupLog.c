/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>
#include <epicsTime.h>

#include "base/psClock.h"
#include "base/psLog.h"
#include "log/psLogOpen.h"
#include "sup/psSupLog.h"

#define STAMP_FORMAT "%Y-%m-%d %H:%M:%S "
#define STAMP_BYTES 40

/* ---- lines ---- */

/* With the lock held. */
static void append(psSupLog *log, const char *line)
{
    epicsTimeStamp now;
    char stamp[STAMP_BYTES];

    psClockWall(psLoopClock(log->loop), &now);
    psClockFormat(&now, STAMP_FORMAT, stamp, sizeof(stamp));
    psTextPrintf(&log->pending, "%s", stamp);
    psTextAppendName(&log->pending, line, strlen(line));
    psTextAppend(&log->pending, "\n", 1);
}

void psSupLogLine(psSupLog *log, const char *line)
{
    if (!log->file)
        return;
    epicsMutexMustLock(log->lock);
    size_t before = log->pending.len;
    if (before < PS_SUP_LOG_BYTES)
        append(log, line);
    if (log->pending.failed) {
        log->pending.failed = false; /* what was there before is whole */
        log->pending.len = before;
    }
    if (log->pending.len == before)
        log->lostLines++;
    psLoopPost(log->loop, &log->job);
    epicsMutexUnlock(log->lock);
}

/* ---- the loop's side ---- */

/* All that waits becomes `giving`, whose memory becomes that of what waits next. */
static void take(psSupLog *log)
{
    psText empty = log->giving;

    psTextReset(&empty);
    epicsMutexMustLock(log->lock);
    if (log->lostLines) {
        char line[80];

        epicsSnprintf(line, sizeof(line), "%lu lines lost", log->lostLines);
        log->lostLines = 0;
        append(log, line);
    }
    log->giving = log->pending;
    log->pending = empty;
    epicsMutexUnlock(log->lock);
}

static void give(void *ctx)
{
    psSupLog *log = ctx;

    for (;;) {
        if (log->giving.len == 0)
            take(log);
        if (log->giving.len == 0)
            return;
        size_t taken = psLogFileWrite(log->file, log->giving.data, log->giving.len);
        log->giving.len -= taken;
        if (log->giving.len > 0) { /* newsCame() goes on */
            memmove(log->giving.data, log->giving.data + taken, log->giving.len);
            return;
        }
    }
}

static void report(psSupLog *log, int error)
{
    if (error == log->error)
        return;
    log->error = error;
    if (error)
        psLogPrintf("own log %s: %s", log->path, psLogOpenReason(error));
    else
        psLogPrintf("own log %s is written again", log->path);
}

static void newsCame(void *ctx)
{
    psSupLog *log = ctx;
    psLogStats stats;

    psLogFileStats(log->file, &stats);
    report(log, stats.error);
    give(log);
}

void psSupLogReopen(psSupLog *log)
{
    if (log->file)
        (void)psLogFileReopen(log->file, 0); /* standard output needs none */
}

static void flushed(void *ctx)
{
    psSupLog *log = ctx;

    log->idle(log->ctx);
}

void psSupLogFlush(psSupLog *log)
{
    if (!log->file)
        return;
    give(log);
    psLogFileFlush(log->file, flushed, log);
}

bool psSupLogIdle(psSupLog *log)
{
    if (!log->file)
        return true;
    epicsMutexMustLock(log->lock);
    bool none = log->pending.len == 0 && log->giving.len == 0;
    epicsMutexUnlock(log->lock);
    return none && psLogFileQueued(log->file) == 0;
}

/* ---- life ---- */

int psSupLogOpen(psSupLog *log, psLoop *loop, const char *path, const char *argv0,
                 void (*idle)(void *ctx), void *ctx)
{
    int status = 0;

    *log = (psSupLog){
        .loop = loop,
        .path = path,
        .idle = idle,
        .ctx = ctx,
        .pending = PS_TEXT_INIT,
        .giving = PS_TEXT_INIT,
        .job = {.fn = give, .ctx = log},
    };
    if (!path)
        return 0;
    log->lock = epicsMutexCreate();
    if (!log->lock)
        return -ENOMEM;
    log->file = psLogFileCreate(path, loop, newsCame, log, &status);
    if (status && status != -EINPROGRESS) {
        psLogPrintfAs(argv0, "unable to open log file %s", path);
        psLogPrintf("own log %s: %s", path, psLogOpenReason(-status));
        log->error = -status;
    }
    return 0;
}

void psSupLogClear(psSupLog *log, double waitSec)
{
    if (log->loop)
        psLoopCancel(log->loop, &log->job);
    psLogFileFree(log->file, waitSec);
    log->file = NULL;
    psTextClear(&log->pending);
    psTextClear(&log->giving);
    if (log->lock)
        epicsMutexDestroy(log->lock);
    log->lock = NULL;
}
