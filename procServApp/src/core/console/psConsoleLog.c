/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include "console/psConsoleLog.h"

#include "base/psMessages.h"
#include "log/psLogOpen.h"

/* It has room again, is written, or its state, its error or a request to reopen has changed. */
static void newsCame(void *ctx)
{
    psConsoleLog *log = ctx;

    log->news = true;
    log->tried = true;
    log->full = false;
    if (log->heard)
        log->wake(log->ctx);
}

int psConsoleLogOpen(psConsoleLog *log, psLoop *loop, const char *path, const psRing *ring,
                     void (*wake)(void *ctx), void *ctx)
{
    int status = 0;

    *log = (psConsoleLog){
        .path = path,
        .loop = loop,
        .wake = wake,
        .ctx = ctx,
        .ring = ring,
        .notice = PS_TEXT_INIT,
    };
    psRingReaderInit(&log->reader, ring);
    log->file = psLogFileCreate(path, loop, newsCame, log, &status);
    if (status == -EINPROGRESS)
        log->state = psLogOpening;
    else
        log->state = status ? psLogFailed : psLogIsOpen;
    log->error = status == -EINPROGRESS ? 0 : -status;
    return status;
}

void psConsoleLogClear(psConsoleLog *log, double waitSec)
{
    psLoopDisarm(&log->quietTimer);
    psLogFileFree(log->file, waitSec);
    log->file = NULL;
    psTextClear(&log->notice);
}

void psConsoleLogStart(psConsoleLog *log)
{
    log->heard = true;
    newsCame(log); /* it may have come unheard */
}

/* ---- bytes ---- */

/* @return how many bytes the file took; if not all, newsCame() is called */
static size_t give(psConsoleLog *log, const char *bytes, size_t len)
{
    size_t taken = psLogFileWrite(log->file, bytes, len);

    log->full = taken < len;
    if (taken > 0)
        log->midLine = bytes[taken - 1] != '\n';
    return taken;
}

/* Notices go out whole before the ring's bytes. */
static void giveNotice(psConsoleLog *log)
{
    psText *out = &log->notice;

    if (out->len == 0)
        return;
    size_t taken = give(log, out->data, out->len);
    memmove(out->data, out->data + taken, out->len - taken);
    out->len -= taken;
}

/* Say in the log what it lacks. */
static void repair(psConsoleLog *log)
{
    uint64_t lost = psRingReaderRepair(&log->reader, log->ring);

    if (lost == 0)
        return;
    psTextReset(&log->notice);
    if (log->midLine)
        psTextAppend(&log->notice, "\r\n", 2);
    psMessageLost(&log->notice, lost);
    giveNotice(log);
}

/* While the log takes nothing, nothing is noted either: a stall is one notice. */
void psConsoleLogPump(psConsoleLog *log)
{
    const char *bytes;
    size_t len;

    if (!log->file)
        return;
    psLoopAssertInside(log->loop);
    double now = psLoopNow(log->loop);
    if (!log->full)
        giveNotice(log);
    if (!log->full)
        repair(log);
    while (!log->full && (len = psRingReaderPeek(&log->reader, log->ring, &bytes)) > 0)
        psRingReaderAccept(&log->reader, give(log, bytes, len), now);
}

static void note(psConsoleLog *log, const char *bytes, size_t len)
{
    psText *out = &log->notice;
    bool begins = out->len == 0;

    if (begins && log->midLine)
        psTextAppend(out, "\r\n", 2);
    psTextAppend(out, bytes, len);
    if (out->failed) {
        out->failed = false; /* what is there already stays */
        log->notesLost++;
    }
}

void psConsoleLogNote(psConsoleLog *log, const psText *line)
{
    psText missing = PS_TEXT_INIT;

    if (!log->file)
        return;
    psConsoleLogPump(log);
    if (line->failed || log->notice.len + line->len > PS_CONSOLE_LOG_NOTE_BYTES) {
        log->notesLost++;
        return;
    }
    if (log->notesLost > 0) {
        psMessageNotice(&missing, "%u lines of --audit are missing here", log->notesLost);
        log->notesLost = 0;
        note(log, missing.data, missing.failed ? 0 : missing.len);
        psTextClear(&missing);
    }
    note(log, line->data, line->len);
    if (!log->full)
        giveNotice(log);
}

void psConsoleLogFlush(psConsoleLog *log)
{
    if (log->file)
        psLogFileFlush(log->file, newsCame, log);
}

size_t psConsoleLogUnwritten(const psConsoleLog *log)
{
    if (!log->file)
        return 0;
    return psLogFileQueued(log->file) + log->notice.len +
           (size_t)(log->ring->head - log->reader.offset);
}

/* ---- what becomes of it ---- */

bool psConsoleLogFailed(const psConsoleLog *log)
{
    return log->state == psLogFailed;
}

void psConsoleLogStats(const psConsoleLog *log, psLogStats *out)
{
    *out = (psLogStats){0};
    if (!log->file)
        return;
    psLogFileStats(log->file, out);
    out->lostBytes += psRingReaderLost(&log->reader, log->ring);
}

static void quietOver(void *ctx)
{
    newsCame(ctx);
}

static void describe(const psConsoleLog *log, const psLogStats *stats, psText *outLine)
{
    psTextPrintf(outLine, "log file %s", log->path);
    if (stats->error)
        psTextPrintf(outLine, ": %s", psLogOpenReason(stats->error));
    else if (log->state == psLogOpening)
        psTextPrintf(outLine, " is open now");
    else if (stats->lostBytes == 0)
        psTextPrintf(outLine, " is written again");
    else
        psTextPrintf(outLine, " is written again; %llu bytes were lost in all",
                     (unsigned long long)stats->lostBytes);
}

bool psConsoleLogNews(psConsoleLog *log, psText *outLine)
{
    psLogStats stats;

    if (!log->file || !log->news)
        return false;
    psLoopAssertInside(log->loop);
    double now = psLoopNow(log->loop);
    if (now < log->quietUntil) {
        if (!log->quietTimer.loop)
            psLoopArm(log->loop, &log->quietTimer, log->quietUntil, quietOver, log);
        return false;
    }
    log->news = false;
    psConsoleLogStats(log, &stats);
    if (stats.state == psLogOpening || (stats.state == log->state && stats.error == log->error))
        return false;
    bool report = stats.error != log->error || log->state == psLogOpening;
    if (report)
        describe(log, &stats, outLine);
    log->state = stats.state;
    log->error = stats.error;
    if (report)
        log->quietUntil = now + PS_CONSOLE_LOG_NEWS_SEC;
    return report;
}

int psConsoleLogReopen(psConsoleLog *log, int request)
{
    return log->file ? psLogFileReopen(log->file, request) : -ENOENT;
}

bool psConsoleLogReopened(psConsoleLog *log, int *outRequest, psText *outLine)
{
    psLogStats stats;

    if (!log->file || !log->tried)
        return false;
    psLoopAssertInside(log->loop);
    log->tried = false;
    psLogFileStats(log->file, &stats);
    if (stats.reopened <= log->rotated)
        return false;
    log->rotated = stats.reopened;
    *outRequest = stats.reopened;
    if (stats.reopenError)
        psTextPrintf(outLine, "%s: log file %s", psLogOpenReason(stats.reopenError), log->path);
    return true;
}
