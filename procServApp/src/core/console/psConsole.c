/* SPDX-License-Identifier: EPICS */
/*
 * Output goes one way: pty (or one of our messages) -> ring -> cursors.  Nothing is copied per
 * client.  At the end of each round in which something was printed one job gives every reader
 * one chance; a reader that could not take all asks for more by itself (EPOLLOUT, the log's news).
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "console/psConsole.h"

#include "base/psLog.h"
#include "base/psMessages.h"
#include "console/psTail.h"
#include "log/psLogOpen.h"

#define FOREIGN_QUIET_SEC 10.0

static void pumpJob(void *ctx);
static const psClientsOps clientsOps;

static void serveLog(void *ctx)
{
    psConsole *console = ctx;

    psConsoleLogPump(&console->log);
}

static void wake(void *ctx)
{
    psConsole *console = ctx;

    psLoopDefer(console->loop, &console->pumpJob);
}

static void resume(void *ctx)
{
    psConsole *console = ctx;

    console->ops->resume(console->ctx);
}

int psConsoleInit(psConsole *console, psLoop *loop, const psConfig *cfg, const psConsoleOps *ops,
                  void *ctx)
{
    memset(console, 0, sizeof(*console));
    console->loop = loop;
    console->cfg = cfg;
    console->ops = ops;
    console->ctx = ctx;
    console->pumpJob.fn = pumpJob;
    console->pumpJob.ctx = console;
    psClientsInit(&console->clients, loop, &console->output, &clientsOps, console);
    return psConsoleOutputInit(&console->output, loop, cfg, wake, serveLog, resume, console);
}

/* ---- endpoints ---- */

static int openEndpoint(psConsole *console, const psEndpointSpec *spec, const char *argv0,
                        char *msg, size_t msgSize)
{
    const psConfig *cfg = console->cfg;
    const char *what = spec->readOnly ? "log" : "control";
    bool local = spec->readOnly ? cfg->restrictLog : !cfg->allow;
    psListener *listener = &console->listeners[console->listenerCount];
    psEndpoint endpoint;
    int status = psEndpointParse(spec->spec, what, local, argv0, &endpoint, msg, msgSize);

    if (status)
        return status;
    status = psListenerOpen(listener, &endpoint, spec->readOnly);
    if (status) {
        epicsSnprintf(msg, msgSize, "%s: cannot listen on %s endpoint '%s': %s", psConfigName(cfg),
                      what, spec->spec, psListenerReason(-status));
        return status;
    }
    console->listenerCount++;
    return 0;
}

static void openLog(psConsole *console, const char *argv0)
{
    const psConfig *cfg = console->cfg;
    psFlow *flow = psConsoleOutputFlow(&console->output, true);
    int status =
        psConsoleLogOpen(&console->log, console->loop, cfg->logFile, &flow->ring, wake, console);

    if (console->log.file)
        psFlowAdd(flow, &console->log.reader);
    if (status == -EINPROGRESS)
        psLogPrintf("%s: log file %s is not open after %g s (a dead file server?): output is kept "
                    "for it meanwhile",
                    psConfigName(cfg), cfg->logFile, PS_LOG_OPEN_SEC);
    else if (status) {
        psLogPrintfAs(argv0, "unable to open log file %s", cfg->logFile);
        psLogPrintf("%s: log file %s: %s", psConfigName(cfg), cfg->logFile,
                    psLogOpenReason(-status));
    }
}

int psConsoleOpen(psConsole *console, const char *argv0, char *msg, size_t msgSize)
{
    const psConfig *cfg = console->cfg;

    /* procServ opens control endpoints first: its users know errors in that order. */
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < cfg->endpointCount; i++) {
            if (cfg->endpoints[i].readOnly == (pass == 1)) {
                int status = openEndpoint(console, &cfg->endpoints[i], argv0, msg, msgSize);

                if (status)
                    return status;
            }
        }
    }
    if (cfg->logFile)
        openLog(console, argv0);
    return 0;
}

static void accepted(void *ctx, psListener *listener, int fd, const char *peer)
{
    psConsole *console = ctx;
    int limit = console->ops->admit(console->ctx);

    if (limit > 0) {
        psText line = PS_TEXT_INIT;

        listener->refused++;
        psMessageConsolesFull(&line, limit);
        psListenerRefuse(fd, line.failed ? "" : line.data);
        psTextClear(&line);
        console->ops->counted(console->ctx);
        return;
    }
    psConsoleAddClient(console, fd, psClientSocket, listener->readOnly, peer);
}

void psConsoleStart(psConsole *console)
{
    psLoopAssertInside(console->loop);
    if (console->log.file)
        psConsoleLogStart(&console->log);
    psMessageNotice(&console->noDescriptors, "no file descriptors are left: try again later");
    for (int i = 0; i < console->listenerCount; i++) {
        if (!console->noDescriptors.failed)
            console->listeners[i].fullLine = console->noDescriptors.data;
        int status = psListenerStart(&console->listeners[i], console->loop, accepted, console);

        if (status)
            psLogPrintf("%s: cannot accept connections: %s", psConfigName(console->cfg),
                        strerror(-status));
    }
}

/* ---- clients ---- */

static size_t room(void *ctx, psClient *client)
{
    psConsole *console = ctx;

    return console->ops->room(console->ctx, client);
}

static void typed(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psConsole *console = ctx;

    console->ops->typed(console->ctx, client, bytes, len);
}

static void sized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psConsole *console = ctx;

    console->ops->size(console->ctx, client, cols, rows);
}

static void banner(void *ctx, psText *out, bool readOnly)
{
    psConsole *console = ctx;

    console->ops->banner(console->ctx, out, readOnly);
}

static void came(void *ctx, psClient *client)
{
    psConsole *console = ctx;

    psConsoleAudit(console, client->peer,
                   client->readOnly ? "connected, reading only" : "connected");
    console->ops->counted(console->ctx);
}

static void went(void *ctx, psClient *client)
{
    psConsole *console = ctx;

    psConsoleAudit(console, client->peer, "disconnected");
    console->ops->counted(console->ctx);
}

/* A scanner may connect a hundred times in a second: that is two lines. */
static void foreignQuiet(void *ctx)
{
    psConsole *console = ctx;
    psText line = PS_TEXT_INIT;

    if (console->foreigners == 0)
        return;
    psTextPrintf(&line, "closed %u more connections that sent neither telnet nor text",
                 console->foreigners);
    console->foreigners = 0;
    psConsoleNotice(console, &line);
    psTextClear(&line);
}

static void foreign(void *ctx, psClient *client, const char *protocol)
{
    psConsole *console = ctx;
    psText line = PS_TEXT_INIT, own = PS_TEXT_INIT;

    psConsoleAudit(console, client->peer, "sent %s and is closed", protocol);
    psTextPrintf(&line, "closed %s: it sent %s, and this is a console for telnet and text",
                 client->peer, protocol);
    if (!console->foreignTimer.loop) {
        psLoopArm(console->loop, &console->foreignTimer,
                  psLoopNow(console->loop) + FOREIGN_QUIET_SEC, foreignQuiet, console);
        psConsoleNotice(console, &line); /* the client itself sees it, too */
    } else {
        console->foreigners++;
        psMessageNotice(&own, "%s", line.failed ? "" : line.data);
        psClientSend(client, own.data, own.failed ? 0 : own.len);
    }
    psTextClear(&own);
    psTextClear(&line);
}

static const psClientsOps clientsOps = {
    .room = room,
    .typed = typed,
    .size = sized,
    .banner = banner,
    .came = came,
    .went = went,
    .foreign = foreign,
    .wake = wake,
};

psClient *psConsoleAddClient(psConsole *console, int fd, psClientKind kind, bool readOnly,
                             const char *peer)
{
    return psClientsAdd(&console->clients, fd, kind, readOnly, peer);
}

/* ---- output ---- */

void psConsoleWrite(psConsole *console, const void *bytes, size_t len)
{
    psConsoleOutputWrite(&console->output, bytes, len);
}

void psConsoleNotice(psConsole *console, const psText *line)
{
    psText text = PS_TEXT_INIT;

    if (psConsoleOutputMidLine(&console->output))
        psTextAppend(&text, "\r\n", 2);
    if (!line->failed)
        psMessageNotice(&text, "%s", line->data);
    if (line->failed || text.failed)
        psLogPrintf("%s: out of memory: a message is not shown", psConfigName(console->cfg));
    else
        psConsoleWrite(console, text.data, text.len);
    psTextClear(&text);
}

long psConsoleReadFrom(psConsole *console, int fd, size_t max)
{
    return psConsoleOutputReadFrom(&console->output, fd, max);
}

void psConsoleTail(const psConsole *console, unsigned lines, size_t bytes, psText *out)
{
    psTailRequest request = {.to = console->output.linesEnd, .lines = lines, .bytes = bytes};

    psLoopAssertInside(console->loop);
    psTailRead(&console->output.plain.ring, &request, out);
}

bool psConsoleMayRead(psConsole *console)
{
    return psConsoleOutputMayRead(&console->output);
}

static void pumpReaders(psConsole *console)
{
    psClientsPump(&console->clients);
    psConsoleLogPump(&console->log);
}

static void reportLog(psConsole *console)
{
    psText line = PS_TEXT_INIT;
    int request;

    if (psConsoleLogNews(&console->log, &line)) {
        psLogPrintf("%s: %s", psConfigName(console->cfg),
                    line.failed ? "log: out of memory" : line.data);
        psConsoleNotice(console, &line);
        console->ops->logNews(console->ctx);
    }
    psTextReset(&line);
    if (psConsoleLogReopened(&console->log, &request, &line))
        console->ops->rotated(console->ctx, request,
                              line.failed ? "out of memory"
                              : line.len  ? line.data
                                          : NULL);
    psTextClear(&line);
}

static void pumpJob(void *ctx)
{
    psConsole *console = ctx;

    pumpReaders(console);
    if (console->log.file)
        reportLog(console);
    psConsoleOutputProgress(&console->output);
    console->ops->printed(console->ctx);
    if (console->ending && psConsoleIdle(console))
        console->ops->ended(console->ctx);
    else if (console->ending && psConsoleLogUnwritten(&console->log) > 0)
        psConsoleLogFlush(&console->log);
}

/* ---- the log ---- */

int psConsoleRotateLog(psConsole *console, int request)
{
    return psConsoleLogReopen(&console->log, request);
}

bool psConsoleLogIsFailed(const psConsole *console)
{
    return psConsoleLogFailed(&console->log);
}

void psConsoleAudit(psConsole *console, const char *who, const char *fmt, ...)
{
    const psConfig *cfg = console->cfg;
    psText what = PS_TEXT_INIT, line = PS_TEXT_INIT;
    char stamp[PS_STAMP_BYTES], time[32];
    epicsTimeStamp now;
    va_list args;

    if (!cfg->audit)
        return;
    psClockWall(psLoopClock(console->loop), &now);
    psClockFormat(&now, "%Y-%m-%d %H:%M:%S", time, sizeof(time));
    if (cfg->logStamp)
        psTextAppend(&line, stamp, psStampPrint(&now, cfg->logStamp, cfg->timeFormat, stamp));
    va_start(args, fmt);
    psTextVPrintf(&what, fmt, args);
    va_end(args);
    psMessageNotice(&line, "%s %s %s", time, who, what.data ? what.data : "");
    line.failed |= what.failed;
    psConsoleLogNote(&console->log, &line);
    psTextClear(&what);
    psTextClear(&line);
}

/* ---- the end ---- */

void psConsoleEnd(psConsole *console)
{
    psLoopAssertInside(console->loop);
    console->ending = true;
    for (int i = 0; i < console->listenerCount; i++)
        psListenerClose(&console->listeners[i]);
    pumpReaders(console);
    psClientsClose(&console->clients, true);
    psLoopDefer(console->loop, &console->pumpJob);
}

bool psConsoleIdle(const psConsole *console)
{
    return psClientsCount(&console->clients) == 0 && psConsoleLogUnwritten(&console->log) == 0;
}

void psConsoleGiveUp(psConsole *console)
{
    const psConfig *cfg = console->cfg;
    size_t unwritten = psConsoleLogUnwritten(&console->log);
    int clients = psClientsCount(&console->clients);

    if (unwritten)
        psLogPrintf("%s: log file %s could not be written completely in time: %lu bytes are "
                    "missing",
                    psConfigName(cfg), cfg->logFile, (unsigned long)unwritten);
    if (clients)
        psLogPrintf("%s: %d consoles did not read all output in time", psConfigName(cfg), clients);
}

void psConsoleClear(psConsole *console, double logWaitSec)
{
    for (int i = 0; i < console->listenerCount; i++)
        psListenerClose(&console->listeners[i]);
    psClientsClose(&console->clients, false);
    psConsoleLogClear(&console->log, logWaitSec);
    if (console->loop)
        psLoopCancel(console->loop, &console->pumpJob);
    psConsoleOutputClear(&console->output);
    psTextClear(&console->noDescriptors);
}

static void infoOf(const psListener *listener, bool asFile, psText *out)
{
    char text[PS_ENDPOINT_BYTES];

    psEndpointPrint(&listener->endpoint, text, sizeof(text));
    if (asFile)
        psTextPrintf(out, "%s\n", text);
    else
        psTextPrintf(out, ";%s=%s", listener->readOnly ? "LOG" : "CTL", text);
}

void psConsoleInfo(const psConsole *console, bool asFile, psText *out)
{
    /* Listeners stand in the order they were opened, log endpoints last. */
    for (int i = console->listenerCount - 1; i >= 0; i--)
        infoOf(&console->listeners[i], asFile, out);
}
