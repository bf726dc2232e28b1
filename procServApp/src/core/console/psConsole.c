/* SPDX-License-Identifier: EPICS */
/*
 * Output goes one way: pty (or one of our messages) -> ring -> cursors.  Nothing is copied per
 * client.  At the end of each round in which something was printed one job gives every reader
 * one chance; a reader that could not take all asks for more by itself (EPOLLOUT, logNews).
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "console/psConsolePvt.h"
#include "base/psLog.h"
#include "base/psMessages.h"

#define READ_MARGIN_BYTES 65536 /* room a reader must have for the pty to be read */
#define SHRINK_DELAY_SEC 1.0
#define SHRINK_DELAY_MAX_SEC 60.0
#define STALLED_SEC 10.0
#define STAMP_BYTES 256

static void pump(void *ctx);

static const psRing *ringOf(const psConsole *console, bool readOnly)
{
    return readOnly && console->stampedRing.data ? &console->stampedRing : &console->ring;
}

int psConsoleInit(psConsole *console, psLoop *loop, const psConfig *cfg, const psConsoleOps *ops,
                  void *ctx)
{
    memset(console, 0, sizeof(*console));
    console->loop = loop;
    console->cfg = cfg;
    console->ops = ops;
    console->ctx = ctx;
    console->pumpJob.fn = pump;
    console->pumpJob.ctx = console;
    ellInit(&console->clients);
    ellInit(&console->dead);
    if (psRingInit(&console->ring, PS_RING_MIN_BYTES, PS_RING_MAX_BYTES))
        return -ENOMEM;
    if (cfg->logStamp && psRingInit(&console->stampedRing, PS_RING_MIN_BYTES, PS_RING_MAX_BYTES))
        return -ENOMEM;
    psRingReaderInit(&console->logReader, psConsoleLogRing(console));
    return 0;
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
                      what, spec->spec, strerror(-status));
        return status;
    }
    console->listenerCount++;
    return 0;
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
        psConsoleLogOpen(console);
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
    console->started = true;
    console->logFull = false; /* its news went unheard so far */
    console->logNews = true;
    psMessageNotice(&console->noDescriptors, "no descriptors are left: try again later");
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
    psClient *client = psClientCreate(console->loop, fd, kind, readOnly, peer,
                                      ringOf(console, readOnly), &clientOps, console);

    if (!client)
        return NULL;
    console->ops->banner(console->ctx, &banner, readOnly); /* counts the others only */
    if (kind == psClientSocket)
        psTextAppend(&banner, PS_TELNET_GREETING, PS_TELNET_GREETING_BYTES);
    ellAdd(&console->clients, &client->node);
    count(console, client, 1);
    psClientSend(client, banner.data, banner.failed ? 0 : banner.len);
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

/* ---- room for readers ---- */

/* Each reader of @ring: the smallest room of all, and of those that are waited for. */
typedef struct psRooms {
    size_t any, steady;
} psRooms;

static void noteRoom(psRooms *rooms, const psRing *ring, const psRingReader *reader, double now)
{
    size_t room = psRingReaderRoom(reader, ring);

    if (room < rooms->any)
        rooms->any = room;
    if (room < rooms->steady && psRingReaderSteady(reader, now))
        rooms->steady = room;
}

static psRooms roomsOf(psConsole *console, const psRing *ring)
{
    psRooms rooms = {ring->size, ring->size};
    double now = psLoopNow(console->loop);

    for (ELLNODE *node = ellFirst(&console->clients); node; node = ellNext(node)) {
        psClient *client = CONTAINER(node, psClient, node);

        if (client->ring == ring)
            noteRoom(&rooms, ring, &client->reader, now);
    }
    if (console->log && ring == psConsoleLogRing(console))
        noteRoom(&rooms, ring, &console->logReader, now);
    return rooms;
}

static void shrink(void *ctx)
{
    psConsole *console = ctx;
    psRing *rings[2] = {&console->ring, &console->stampedRing};
    bool later = false;

    for (unsigned i = 0; i < NELEMENTS(rings); i++) {
        if (rings[i]->data && rings[i]->size > rings[i]->minSize) {
            if (roomsOf(console, rings[i]).any == rings[i]->size)
                psRingShrink(rings[i]); /* everybody is up to date */
            else
                later = true;
        }
    }
    if (later) {
        if (console->shrinkDelay < SHRINK_DELAY_MAX_SEC)
            console->shrinkDelay *= 2.0;
        psLoopArm(console->loop, &console->shrinkTimer,
                  psLoopNow(console->loop) + console->shrinkDelay, shrink, console);
    }
}

static bool grow(psConsole *console, psRing *ring)
{
    if (!psRingGrow(ring))
        return false;
    console->shrinkDelay = SHRINK_DELAY_SEC;
    psLoopArm(console->loop, &console->shrinkTimer, psLoopNow(console->loop) + console->shrinkDelay,
              shrink, console);
    return true;
}

/* ---- output ---- */

/* With stamps, short lines become many times longer: the ring grows rather than have that
 * overrun anybody, and the log, whose queue holds more than any ring, is served at once. */
static void writeStamped(psConsole *console)
{
    psRing *ring = &console->stampedRing;
    const psText *text = &console->stampText;

    while (roomsOf(console, ring).any < text->len && grow(console, ring)) {
    }
    if (console->log && psRingReaderRoom(&console->logReader, ring) < text->len)
        psConsoleLogPump(console);
    psRingWrite(ring, text->data, text->len);
}

static void stampNew(psConsole *console, const void *bytes, size_t len)
{
    const psConfig *cfg = console->cfg;
    char stamp[STAMP_BYTES];
    size_t stampLen;
    epicsTimeStamp now;

    psClockWall(psLoopClock(console->loop), &now);
    if (cfg->logStamp[0]) {
        stampLen = psClockFormat(&now, cfg->logStamp, stamp, sizeof(stamp));
    } else { /* procServ's default: "[" time "] " */
        stamp[0] = '[';
        stampLen = 1 + psClockFormat(&now, cfg->timeFormat, stamp + 1, sizeof(stamp) - 4);
        stamp[stampLen++] = ']';
        stamp[stampLen++] = ' ';
    }
    console->stampLen = stampLen;
    psTextReset(&console->stampText);
    psStampFeed(&console->stamp, bytes, len, stamp, stampLen, &console->stampText);
    if (!console->stampText.failed)
        writeStamped(console);
}

/* Is the last line printed incomplete? */
static bool midLine(const psConsole *console)
{
    const char *last;

    return console->ring.head > 0 &&
           psRingPeek(&console->ring, console->ring.head - 1, &last) > 0 && *last != '\n';
}

void psConsoleWrite(psConsole *console, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    psRingWrite(&console->ring, bytes, len);
    if (console->stampedRing.data)
        stampNew(console, bytes, len);
    psLoopDefer(console->loop, &console->pumpJob);
}

void psConsoleNotice(psConsole *console, const psText *line)
{
    psText text = PS_TEXT_INIT;

    if (midLine(console))
        psTextAppend(&text, "\r\n", 2);
    if (!line->failed)
        psMessageNotice(&text, "%s", line->data);
    if (!text.failed)
        psConsoleWrite(console, text.data, text.len);
    psTextClear(&text);
}

long psConsoleReadFrom(psConsole *console, int fd, size_t max)
{
    char *room;
    size_t size = psRingReserve(&console->ring, &room);
    /* No more than the room psConsoleMayRead() grants, should every byte be a line with a stamp. */
    size_t most = READ_MARGIN_BYTES / (2 + console->stampLen);
    ssize_t n;

    if (size > max)
        size = max;
    do {
        n = read(fd, room, size < most ? size : most);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (n == 0)
        return 0;
    psRingCommit(&console->ring, (size_t)n);
    if (console->stampedRing.data)
        stampNew(console, room, (size_t)n);
    psLoopDefer(console->loop, &console->pumpJob);
    return n;
}

static void giveUpWaiting(void *ctx)
{
    resumeIfWaiting(ctx);
}

static bool ringMayTakeMore(psConsole *console, psRing *ring)
{
    psRooms rooms = roomsOf(console, ring);

    while ((rooms.any < ring->size / 2 || rooms.steady < READ_MARGIN_BYTES) && grow(console, ring))
        rooms = roomsOf(console, ring);
    return rooms.steady >= READ_MARGIN_BYTES;
}

bool psConsoleMayRead(psConsole *console)
{
    bool may = ringMayTakeMore(console, &console->ring);

    if (may && console->stampedRing.data)
        may = ringMayTakeMore(console, &console->stampedRing);
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

static void pump(void *ctx)
{
    psConsole *console = ctx;
    double now = psLoopNow(console->loop);
    ELLNODE *node = ellFirst(&console->clients);

    freeDead(console);
    while (node) {
        psClient *client = CONTAINER(node, psClient, node);

        node = ellNext(node); /* a client may close while it is pumped */
        psClientPump(client, now);
    }
    if (console->log) {
        psConsoleLogPump(console);
        psConsoleLogTell(console);
    }
    resumeIfWaiting(console);
}

/* ---- the end ---- */

void psConsoleEnd(psConsole *console)
{
    ELLNODE *node = ellFirst(&console->clients);

    for (int i = 0; i < console->listenerCount; i++)
        psListenerClose(&console->listeners[i]);
    pump(console);
    while (node) {
        psClient *client = CONTAINER(node, psClient, node);

        node = ellNext(node);
        psClientClose(client, true);
    }
}

bool psConsoleIdle(const psConsole *console)
{
    return ellCount(&console->clients) == 0 &&
           (!console->log ||
            (console->logReader.offset ==
                 (console->stampedRing.data ? console->stampedRing.head : console->ring.head) &&
             psLogFileIdle(console->log)));
}

void psConsoleClear(psConsole *console, double logWaitSec)
{
    ELLNODE *node;

    for (int i = 0; i < console->listenerCount; i++)
        psListenerClose(&console->listeners[i]);
    while ((node = ellFirst(&console->clients)))
        psClientClose(CONTAINER(node, psClient, node), false);
    freeDead(console);
    if (console->loop) {
        psLoopDisarm(&console->waitTimer);
        psLoopDisarm(&console->shrinkTimer);
        psLoopCancel(console->loop, &console->pumpJob);
    }
    psLogFileFree(console->log, logWaitSec);
    console->log = NULL;
    psRingClear(&console->ring);
    psRingClear(&console->stampedRing);
    psTextClear(&console->stampText);
    psTextClear(&console->logOut);
    psTextClear(&console->noDescriptors);
}

static void infoOf(const psListener *listener, bool asFile, psText *out)
{
    char text[PS_SOCKET_PATH_BYTES + 8];

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
