/* SPDX-License-Identifier: EPICS */
/*
 * The log as a reader of the console: what it takes, what it lacks, and what people are told of
 * its errors.
 */
#include <errno.h>
#include <string.h>

#include "console/psConsolePvt.h"
#include "base/psLog.h"
#include "base/psMessages.h"

#define LOG_NEWS_SEC 10.0

psRing *psConsoleLogRing(psConsole *console)
{
    return console->stampedRing.data ? &console->stampedRing : &console->ring;
}

/* It has room again, or an error came or went. */
static void logNews(void *ctx)
{
    psConsole *console = ctx;

    if (!console->started)
        return; /* another thread is still at work on it */
    console->logFull = false;
    console->logNews = true;
    psLoopDefer(console->loop, &console->pumpJob);
}

void psConsoleLogOpen(psConsole *console)
{
    const psConfig *cfg = console->cfg;
    int error = 0;

    console->log = psLogFileCreate(cfg->logFile, console->loop, logNews, console, &error);
    console->logError = -error;
    console->logFailed = !console->log || error;
    if (console->logFailed)
        psLogPrintf("%s: unable to open log file %s: %s", psConfigName(cfg), cfg->logFile,
                    strerror(error ? -error : ENOMEM));
}

/* @return how many bytes the log took; if not all, logNews() comes back */
static size_t writeLog(psConsole *console, const char *bytes, size_t len)
{
    size_t taken = psLogFileWrite(console->log, bytes, len);

    console->logFull = taken < len;
    if (taken > 0)
        console->logMidLine = bytes[taken - 1] != '\n';
    return taken;
}

/* Notices for the log go out whole before the ring's bytes. */
static void flushLogNotice(psConsole *console)
{
    psText *out = &console->logOut;

    if (out->len == 0)
        return;
    size_t taken = writeLog(console, out->data, out->len);
    memmove(out->data, out->data + taken, out->len - taken);
    out->len -= taken;
}

/* Say in the log what it lacks. */
static void repairLog(psConsole *console)
{
    uint64_t lost = psRingReaderRepair(&console->logReader, psConsoleLogRing(console));

    if (lost == 0)
        return;
    psTextReset(&console->logOut);
    if (console->logMidLine)
        psTextAppend(&console->logOut, "\r\n", 2);
    psMessageLost(&console->logOut, lost);
    flushLogNotice(console);
}

/* While the log takes nothing, nothing is noted either: a stall is one notice. */
void psConsoleLogPump(psConsole *console)
{
    psRingReader *reader = &console->logReader;
    double now = psLoopNow(console->loop);
    const char *bytes;
    size_t len;

    if (!console->logFull)
        flushLogNotice(console);
    if (!console->logFull)
        repairLog(console);
    while (!console->logFull &&
           (len = psRingReaderPeek(reader, psConsoleLogRing(console), &bytes)) > 0)
        psRingReaderAccept(reader, writeLog(console, bytes, len), now);
}

/* A log that fails, or works again, is told on the console, once each LOG_NEWS_SEC at most: a
 * full disk gives way for a moment now and then. */
void psConsoleLogTell(psConsole *console)
{
    const char *path = console->cfg->logFile;
    psText line = PS_TEXT_INIT;
    psLogStats stats;
    double now = psLoopNow(console->loop);

    if (!console->logNews || now < console->logToldMono)
        return;
    console->logNews = false;
    psLogFileStats(console->log, &stats);
    if (stats.error == console->logError)
        return;
    console->logError = stats.error;
    console->logFailed = !stats.isOpen;
    console->logToldMono = now + LOG_NEWS_SEC;
    psTextPrintf(&line, "log file %s", path);
    if (stats.error)
        psTextPrintf(&line, ": %s", strerror(stats.error));
    else
        psTextPrintf(&line, " is written again; %llu bytes were lost in all",
                     (unsigned long long)stats.droppedBytes);
    psConsoleNotice(console, &line);
    psTextClear(&line);
}
