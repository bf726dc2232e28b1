/* SPDX-License-Identifier: EPICS */
/*
 * The order of calls: what the descriptor reports may end in ops->closed at once.  What the owner
 * calls on its own, psClientSend() and psClientPump(), may happen while it walks its list of
 * clients; an error found there is therefore reported at the end of the round.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "console/psClient.h"

#define READ_BYTES 16384 /* at most, a round */
#define DRAIN_READS 16   /* before close: unread input would turn it into a reset */

/* ---- the end ---- */

static void closeFd(psClient *client)
{
    char sink[4096];
    int reads = DRAIN_READS;

    if (client->fd < 0)
        return;
    psLoopUnwatch(&client->watch);
    if (client->kind == psClientSocket) {
        shutdown(client->fd, SHUT_WR); /* fails if the peer is gone: nothing to do then */
        while (reads-- > 0 && recv(client->fd, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
        }
    }
    close(client->fd);
    client->fd = -1;
}

static void end(psClient *client)
{
    closeFd(client);
    psLoopCancel(client->loop, &client->later);
    psLoopDisarm(&client->lingerTimer);
    if (!client->ended) {
        client->ended = true;
        client->ops->closed(client->ctx, client);
    }
}

/* For callers that may be walking a list of clients. */
static void endLater(psClient *client)
{
    closeFd(client);
    psLoopDefer(client->loop, &client->later);
}

/* ---- sending ---- */

bool psClientDrained(const psClient *client)
{
    return client->deaf || psSenderDrained(&client->sender);
}

static void updateInterest(psClient *client)
{
    unsigned events = psClientDrained(client) ? 0 : EPOLLOUT;

    if (!client->held && !client->inputOver)
        events |= EPOLLIN;
    psLoopModify(&client->watch, events);
}

/* The peer reads no more.  What it typed before is still to be read: a script that sends a key and
 * closes at once is such a peer. */
static void sendFailed(psClient *client, int status)
{
    if (client->inputOver || status == -ENOBUFS || status == -ENOMEM)
        endLater(client);
    else
        client->deaf = true;
}

static void sendSome(psClient *client, double now)
{
    size_t sent, fromRing;

    if (client->deaf) {
        psSenderSkip(&client->sender); /* nobody is to wait for this reader */
        return;
    }
    int status = psSenderRun(&client->sender, client->fd, now, &sent, &fromRing);
    if (status)
        sendFailed(client, status);
    if (sent > 0)
        client->progressMono = now;
    if (fromRing > 0)
        client->ops->progress(client->ctx, client);
}

void psClientPump(psClient *client, double now)
{
    psLoopAssertInside(client->loop);
    if (client->fd < 0 || client->sender.blocked)
        return;
    sendSome(client, now);
    if (client->fd < 0)
        return;
    if (client->closing && psClientDrained(client)) {
        endLater(client);
        return;
    }
    updateInterest(client);
}

/* @param seen by a person */
static void queue(psClient *client, const void *bytes, size_t len, bool seen)
{
    if (client->fd < 0 || client->closing || client->deaf || len == 0)
        return;
    int status = seen ? psSenderPrint(&client->sender, bytes, len)
                      : psSenderQueue(&client->sender, bytes, len);
    if (status)
        endLater(client);
    else
        psLoopDefer(client->loop, &client->later);
}

void psClientSend(psClient *client, const void *bytes, size_t len)
{
    psLoopAssertInside(client->loop);
    queue(client, bytes, len, true);
}

void psClientGreet(psClient *client)
{
    psLoopAssertInside(client->loop);
    if (client->kind == psClientSocket)
        queue(client, PS_TELNET_GREETING, PS_TELNET_GREETING_BYTES, false);
}

/* End of a round: send what was queued, report what ended. */
static void runLater(void *ctx)
{
    psClient *client = ctx;

    if (client->fd >= 0)
        psClientPump(client, psLoopNow(client->loop));
    else
        end(client);
}

/* ---- receiving ---- */

static bool listening(const psClient *client)
{
    return client->fd >= 0 && !client->closing;
}

static void onData(void *ctx, const uint8_t *bytes, size_t len)
{
    psClient *client = ctx;

    if (listening(client) && len > 0) {
        client->typedMono = psLoopNow(client->loop);
        client->ops->input(client->ctx, client, bytes, len);
    }
}

static void onReply(void *ctx, const uint8_t *bytes, size_t len)
{
    psClient *client = ctx;

    if (listening(client))
        queue(client, bytes, len, false);
}

void psClientSetSize(psClient *client, unsigned cols, unsigned rows)
{
    psLoopAssertInside(client->loop);
    if (listening(client)) {
        client->cols = cols;
        client->rows = rows;
        client->ops->size(client->ctx, client, cols, rows);
    }
}

static void onSize(void *ctx, unsigned cols, unsigned rows)
{
    psClientSetSize(ctx, cols, rows);
}

static void lingerOver(void *ctx)
{
    end(ctx);
}

/* The end comes by then. */
static void armLinger(psClient *client)
{
    psLoopArm(client->loop, &client->lingerTimer, psLoopNow(client->loop) + PS_CLIENT_LINGER_SEC,
              lingerOver, client);
}

static void receive(psClient *client, const uint8_t *bytes, size_t len)
{
    const psTelnetSink sink = {.data = onData, .reply = onReply, .size = onSize, .ctx = client};

    if (client->readOnly)
        return;
    if (client->kind == psClientTerminal) {
        onData(client, bytes, len);
        return;
    }
    const char *protocol = psForeignLook(&client->foreign, &client->telnet, bytes, len);
    if (protocol) {
        client->ops->foreign(client->ctx, client, protocol);
        armLinger(client);
        psClientClose(client, true);
        return;
    }
    psTelnetReceive(&client->telnet, bytes, len, &sink);
}

/* The peer types no more.  What it typed may still be answered; one that typed nothing but keys is,
 * as with procServ, gone. */
static void inputOver(psClient *client)
{
    client->inputOver = true;
    if (client->closing) {
        updateInterest(client);
        return;
    }
    client->ops->left(client->ctx, client);
    if (client->deaf) {
        end(client);
        return;
    }
    armLinger(client);
    if (!client->answered)
        psClientClose(client, true);
    else
        updateInterest(client);
}

static void readSome(psClient *client, unsigned events)
{
    uint8_t bytes[READ_BYTES];
    size_t room = client->readOnly ? sizeof(bytes) : client->ops->room(client->ctx, client);
    ssize_t len;

    client->held = room == 0;
    if (client->held) {
        updateInterest(client);
        return;
    }
    do {
        len = read(client->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
    } while (len < 0 && errno == EINTR);
    if (len > 0)
        receive(client, bytes, (size_t)len);
    else if (len == 0 && client->kind == psClientSocket && !(events & (EPOLLERR | EPOLLHUP)))
        inputOver(client);
    else if (len == 0 || errno != EAGAIN || (events & (EPOLLERR | EPOLLHUP)))
        end(client);
}

static void onEvents(void *ctx, unsigned events)
{
    psClient *client = ctx;

    if (events & EPOLLOUT) {
        client->sender.blocked = false;
        psClientPump(client, psLoopNow(client->loop));
    }
    if (client->fd >= 0 && !client->inputOver && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        readSome(client, events);
    else if (client->fd >= 0 && client->inputOver && (events & (EPOLLERR | EPOLLHUP)))
        end(client);
}

void psClientResume(psClient *client)
{
    psLoopAssertInside(client->loop);
    if (!client->held || client->fd < 0)
        return;
    client->held = false;
    updateInterest(client);
}

/* ---- life ---- */

psClient *psClientCreate(psLoop *loop, int fd, psClientKind kind, bool readOnly, const char *peer,
                         const psRing *ring, const psClientOps *ops, void *ctx)
{
    psClient *client = calloc(1, sizeof(*client));
    int on = 1;

    psLoopAssertInside(loop);
    if (!client) {
        close(fd);
        return NULL;
    }
    client->loop = loop;
    client->ops = ops;
    client->ctx = ctx;
    client->kind = kind;
    client->readOnly = readOnly;
    epicsSnprintf(client->peer, sizeof(client->peer), "%s", peer);
    client->progressMono = psLoopNow(loop);
    client->fd = fd;
    client->later.fn = runLater;
    client->later.ctx = client;
    if (kind == psClientSocket) /* what is sent as urgent stays in its place: the DM of a synch */
        setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
    psTelnetInit(&client->telnet);
    psSenderInit(&client->sender, ring, kind == psClientSocket);
    if (psLoopWatch(loop, &client->watch, fd, EPOLLIN, onEvents, client) < 0) {
        close(fd);
        free(client);
        return NULL;
    }
    return client;
}

void psClientClose(psClient *client, bool afterSending)
{
    psLoopAssertInside(client->loop);
    if (afterSending && client->fd >= 0) {
        psSenderEnd(&client->sender);
        client->closing = true;
        if (!psClientDrained(client)) {
            psLoopDefer(client->loop, &client->later);
            return;
        }
    }
    end(client);
}

void psClientFree(psClient *client)
{
    if (client) {
        closeFd(client);
        psLoopCancel(client->loop, &client->later);
        psLoopDisarm(&client->lingerTimer);
        psSenderClear(&client->sender);
        free(client);
    }
}
