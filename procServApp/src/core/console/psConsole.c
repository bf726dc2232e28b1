/* SPDX-License-Identifier: EPICS */
/*
 * Output goes one way: pty (or one of our messages) -> ring -> cursors.  Nothing is copied per
 * client.  At the end of each round in which something was printed one job gives every reader
 * one chance; a reader that could not take all asks for more by itself (EPOLLOUT, the log's news).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "console/psConsole.h"

#include "base/psLog.h"
#include "base/psMessages.h"
#include "log/psLogOpen.h"

#define STALLED_SEC 10.0

static void pumpJob(void *ctx);

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
    ellInit(&console->clients);
    ellInit(&console->dead);
    return psConsoleOutputInit(&console->output, loop, cfg, wake, serveLog, console);
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

static void openLog(psConsole *console)
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
    else if (status)
        psLogPrintf("%s: unable to open log file %s: %s", psConfigName(cfg), cfg->logFile,
                    psLogOpenReason(-status));
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
        openLog(console);
    return 0;
}

static void accepted(void *ctx, psListener *listener, int fd, const char *peer)
{
    psConsole *console = ctx;
    int limit = console->ops->admit(console->ctx);

    if (limit > 0) {
        psText line = PS_TEXT_INIT;

        psMessageConsolesFull(&line, limit);
        psListenerRefuse(fd, line.failed ? "" : line.data);
        psTextClear(&line);
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

static void clientTyped(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psConsole *console = ctx;

    console->ops->typed(console->ctx, client, bytes, len);
}

static void clientSize(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psConsole *console = ctx;

    client->cols = cols;
    client->rows = rows;
    if (!client->readOnly)
        console->ops->size(console->ctx, client, cols, rows);
}

static void resumeIfWaiting(psConsole *console)
{
    if (console->waiting && psConsoleMayRead(console))
        console->ops->resume(console->ctx);
}

static void count(psConsole *console, const psClient *client, int by)
{
    if (client->readOnly)
        console->loggers += by;
    else
        console->users += by;
    if (client->kind == psClientTerminal)
        console->terminals += by;
    console->ops->counted(console->ctx);
}

static void clientClosed(void *ctx, psClient *client)
{
    psConsole *console = ctx;

    ellDelete(&console->clients, &client->node);
    ellAdd(&console->dead, &client->node);
    psFlowRemove(psConsoleOutputFlow(&console->output, client->readOnly), &client->reader);
    count(console, client, -1);
    resumeIfWaiting(console);
    psLoopDefer(console->loop, &console->pumpJob); /* frees it */
}

static void clientProgress(void *ctx, psClient *client)
{
    (void)client;
    resumeIfWaiting(ctx);
}

static const psClientOps clientOps = {
    .input = clientTyped,
    .size = clientSize,
    .closed = clientClosed,
    .progress = clientProgress,
};

psClient *psConsoleAddClient(psConsole *console, int fd, psClientKind kind, bool readOnly,
                             const char *peer)
{
    psText banner = PS_TEXT_INIT;
    psFlow *flow = psConsoleOutputFlow(&console->output, readOnly);
    psClient *client =
        psClientCreate(console->loop, fd, kind, readOnly, peer, &flow->ring, &clientOps, console);

    if (!client)
        return NULL;
    console->ops->banner(console->ctx, &banner, readOnly); /* counts the others only */
    ellAdd(&console->clients, &client->node);
    psFlowAdd(flow, &client->reader);
    count(console, client, 1);
    psClientSend(client, banner.data, banner.failed ? 0 : banner.len);
    if (kind == psClientSocket)
        psClientSend(client, PS_TELNET_GREETING, PS_TELNET_GREETING_BYTES);
    psTextClear(&banner);
    psClientPump(client, psLoopNow(console->loop));
    return client;
}

psClient *psConsoleMostStalled(psConsole *console, double *outSince)
{
    psClient *stalled = NULL;
    double since = psLoopNow(console->loop) - STALLED_SEC;

    for (ELLNODE *node = ellFirst(&console->clients); node; node = ellNext(node)) {
        psClient *client = CONTAINER(node, psClient, node);

        if (client->blocked && client->progressMono < since) {
            since = client->progressMono;
            stalled = client;
        }
    }
    if (stalled)
        *outSince = since;
    return stalled;
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

static void giveUpWaiting(void *ctx)
{
    resumeIfWaiting(ctx);
}

bool psConsoleMayRead(psConsole *console)
{
    bool may = psConsoleOutputMayRead(&console->output);

    console->waiting = !may;
    if (may)
        psLoopDisarm(&console->waitTimer);
    else if (!console->waitTimer.loop)
        psLoopArm(console->loop, &console->waitTimer,
                  psLoopNow(console->loop) + PS_READER_WINDOW_SEC, giveUpWaiting, console);
    return may;
}

static void freeDead(psConsole *console)
{
    ELLNODE *node;

    while ((node = ellGet(&console->dead)))
        psClientFree(CONTAINER(node, psClient, node));
}

/* Give every reader one chance. */
static void pumpReaders(psConsole *console)
{
    double now = psLoopNow(console->loop);
    ELLNODE *node = ellFirst(&console->clients);

    while (node) {
        psClient *client = CONTAINER(node, psClient, node);

        node = ellNext(node); /* a client may close while it is pumped */
        psClientPump(client, now);
    }
    psConsoleLogPump(&console->log);
}

static void reportLog(psConsole *console)
{
    psText line = PS_TEXT_INIT;
    int request;

    if (psConsoleLogNews(&console->log, &line))
        psConsoleNotice(console, &line);
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

    freeDead(console);
    pumpReaders(console);
    if (console->log.file)
        reportLog(console);
    resumeIfWaiting(console);
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

/* ---- the end ---- */

void psConsoleEnd(psConsole *console)
{
    ELLNODE *node = ellFirst(&console->clients);

    psLoopAssertInside(console->loop);
    console->ending = true;
    for (int i = 0; i < console->listenerCount; i++)
        psListenerClose(&console->listeners[i]);
    pumpReaders(console);
    while (node) {
        psClient *client = CONTAINER(node, psClient, node);

        node = ellNext(node);
        psClientClose(client, true);
    }
    psLoopDefer(console->loop, &console->pumpJob);
}

bool psConsoleIdle(const psConsole *console)
{
    return ellCount(&console->clients) == 0 && psConsoleLogUnwritten(&console->log) == 0;
}

void psConsoleGiveUp(psConsole *console)
{
    const psConfig *cfg = console->cfg;
    size_t unwritten = psConsoleLogUnwritten(&console->log);
    int clients = ellCount(&console->clients);

    if (unwritten)
        psLogPrintf("%s: log file %s could not be written completely in time: %lu bytes are "
                    "missing",
                    psConfigName(cfg), cfg->logFile, (unsigned long)unwritten);
    if (clients)
        psLogPrintf("%s: %d consoles did not read all output in time", psConfigName(cfg), clients);
}

void psConsoleClear(psConsole *console, double logWaitSec)
{
    ELLNODE *node;

    for (int i = 0; i < console->listenerCount; i++)
        psListenerClose(&console->listeners[i]);
    while ((node = ellFirst(&console->clients)))
        psClientClose(CONTAINER(node, psClient, node), false);
    freeDead(console);
    psConsoleLogClear(&console->log, logWaitSec);
    if (console->loop) {
        psLoopDisarm(&console->waitTimer);
        psLoopCancel(console->loop, &console->pumpJob);
    }
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
