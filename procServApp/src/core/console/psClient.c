/* SPDX-License-Identifier: EPICS */
/* One console connection.
 *
 * The stream a client gets is  [owed 0xFF] [private bytes] [ring bytes, 0xFF doubled].  It is
 * described to the kernel as an iovec that points straight into the ring, split only after a
 * 0xFF; nothing is copied.  Since the kernel may take any number of these bytes, a 0xFF may
 * be on the wire without its twin: the twin is owed then, and goes before anything else, or a
 * notice queued meanwhile would become a telnet command.
 *
 * The order of calls: what the descriptor reports may end in ops->closed at once.  What the owner
 * calls on its own, psClientSend() and psClientPump(), may happen while it walks its list of
 * clients; an error found there is therefore reported at the end of the round.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "console/psClient.h"
#include "base/psMessages.h"

#define READ_BYTES 16384  /* at most, a round */
#define SEND_BYTES 262144 /* ring bytes offered at once; more is scanned again in vain */
#define SEND_PARTS 64     /* iovec entries */
#define DRAIN_READS 16    /* before close: unread input would turn it into a reset */

static const uint8_t IAC = 0xff;

/* What one sendmsg() is to send. */
typedef struct sending {
    struct iovec part[SEND_PARTS];
    int count;
    int firstRing; /* parts from here on are the ring's, or the doubling of its last byte */
} sending;

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

static size_t privateLeft(const psClient *client)
{
    return client->out.len - client->outDone;
}

static uint64_t ringEnd(const psClient *client)
{
    return client->closing ? client->closeOffset : client->ring->head;
}

bool psClientDrained(const psClient *client)
{
    return !client->iacOwed && privateLeft(client) == 0 && client->reader.offset >= ringEnd(client);
}

/* Is the line complete after these bytes?  Telnet commands of three bytes, such as the greeting,
 * are not seen by a person. */
static bool endsLine(const uint8_t *bytes, size_t len, bool before)
{
    while (len >= 3 && bytes[len - 3] == IAC && bytes[len - 2] != IAC)
        len -= 3;
    return len == 0 ? before : bytes[len - 1] == '\n';
}

/* Queue private bytes; false if that closes the client. */
static bool queue(psClient *client, const void *bytes, size_t len)
{
    psText *out = &client->out;

    if (client->fd < 0)
        return false;
    if (client->outDone > 0 && client->outDone >= privateLeft(client)) {
        memmove(out->data, out->data + client->outDone, privateLeft(client));
        out->len -= client->outDone;
        client->outDone = 0;
    }
    if (len > PS_CLIENT_PRIVATE_BYTES - privateLeft(client)) {
        endLater(client); /* stalled */
        return false;
    }
    psTextAppend(out, bytes, len);
    if (out->failed) {
        endLater(client);
        return false;
    }
    return true;
}

/* Report bytes that the ring no longer holds, where the stream resumes. */
static void repair(psClient *client)
{
    uint64_t lost = psRingReaderRepair(&client->reader, client->ring);
    psText notice = PS_TEXT_INIT;

    if (lost == 0)
        return;
    if (client->midLine)
        psTextAppend(&notice, "\r\n", 2);
    psMessageLost(&notice, lost);
    if (!notice.failed && queue(client, notice.data, notice.len))
        client->midLine = false;
    psTextClear(&notice);
}

static void addPart(sending *plan, const void *base, size_t len)
{
    plan->part[plan->count].iov_base = (void *)base; /* sendmsg() only reads it */
    plan->part[plan->count].iov_len = len;
    plan->count++;
}

/* The ring's bytes in parts, each ending in a 0xFF followed by its twin, or at a seam. */
static void planRing(psClient *client, sending *plan)
{
    uint64_t offset = client->reader.offset;
    uint64_t end = ringEnd(client);
    bool doubling = client->kind == psClientSocket;

    if (end > offset + SEND_BYTES)
        end = offset + SEND_BYTES;
    while (offset < end && plan->count + 2 <= SEND_PARTS) {
        const char *bytes;
        size_t len = psRingPeek(client->ring, offset, &bytes);

        if (len > end - offset)
            len = end - offset;
        const char *iac = doubling ? memchr(bytes, IAC, len) : NULL;
        if (iac)
            len = (size_t)(iac - bytes) + 1;
        addPart(plan, bytes, len);
        if (iac)
            addPart(plan, &IAC, 1);
        offset += len;
    }
}

static void planAll(psClient *client, sending *plan)
{
    plan->count = 0;
    if (client->iacOwed)
        addPart(plan, &IAC, 1);
    if (privateLeft(client) > 0)
        addPart(plan, client->out.data + client->outDone, privateLeft(client));
    plan->firstRing = plan->count;
    planRing(client, plan);
}

static ssize_t transmit(const psClient *client, sending *plan)
{
    struct msghdr msg = {.msg_iov = plan->part, .msg_iovlen = (size_t)plan->count};
    ssize_t sent;

    do {
        sent = client->kind == psClientTerminal ? writev(client->fd, plan->part, plan->count)
                                                : sendmsg(client->fd, &msg, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/* Book @p sent bytes of the plan.  Returns those of the ring. */
static size_t account(psClient *client, const sending *plan, size_t sent)
{
    size_t ringBytes = 0;
    int i = 0;

    if (client->iacOwed && sent > 0) {
        client->iacOwed = false;
        sent--;
        i = 1;
    }
    if (i < plan->firstRing && sent > 0) {
        size_t len = sent < plan->part[i].iov_len ? sent : plan->part[i].iov_len;

        client->outDone += len;
        sent -= len;
        if (privateLeft(client) == 0) {
            psTextReset(&client->out);
            client->outDone = 0;
        }
    }
    for (i = plan->firstRing; i < plan->count && sent > 0; i++) {
        const struct iovec *part = &plan->part[i];
        size_t len = sent < part->iov_len ? sent : part->iov_len;

        sent -= len;
        if (part->iov_base == (const void *)&IAC) {
            client->iacOwed = false;
            continue;
        }
        ringBytes += len;
        client->midLine = ((const char *)part->iov_base)[len - 1] != '\n';
        client->iacOwed =
            client->kind == psClientSocket && ((const uint8_t *)part->iov_base)[len - 1] == IAC;
    }
    return ringBytes;
}

static void updateInterest(psClient *client)
{
    psLoopModify(&client->watch, EPOLLIN | (psClientDrained(client) ? 0 : EPOLLOUT));
}

static void sendSome(psClient *client, double now)
{
    sending plan;
    size_t offered = 0, ringBytes;

    repair(client);
    if (client->fd < 0)
        return;
    planAll(client, &plan);
    if (plan.count == 0)
        return;
    for (int i = 0; i < plan.count; i++)
        offered += plan.part[i].iov_len;
    ssize_t sent = transmit(client, &plan);
    if (sent < 0 && sent != -EAGAIN) {
        endLater(client);
        return;
    }
    client->blocked = sent == -EAGAIN || (sent >= 0 && (size_t)sent < offered);
    if (sent > 0) {
        client->progressMono = now;
        ringBytes = account(client, &plan, (size_t)sent);
        if (ringBytes > 0) {
            psRingReaderAccept(&client->reader, ringBytes, now);
            client->ops->progress(client->ctx, client);
        }
    }
}

void psClientPump(psClient *client, double now)
{
    psLoopAssertInside(client->loop);
    if (client->fd < 0 || client->blocked)
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

void psClientSend(psClient *client, const void *bytes, size_t len)
{
    psLoopAssertInside(client->loop);
    if (len > 0 && !client->closing && queue(client, bytes, len)) {
        client->midLine = !endsLine(bytes, len, !client->midLine);
        psLoopDefer(client->loop, &client->later);
    }
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

    if (listening(client) && queue(client, bytes, len))
        psLoopDefer(client->loop, &client->later);
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

static void receive(psClient *client, const uint8_t *bytes, size_t len)
{
    const psTelnetSink sink = {.data = onData, .reply = onReply, .size = onSize, .ctx = client};

    if (client->readOnly)
        return;
    if (client->kind == psClientTerminal)
        onData(client, bytes, len);
    else
        psTelnetReceive(&client->telnet, bytes, len, &sink);
}

static void readSome(psClient *client, unsigned events)
{
    uint8_t bytes[READ_BYTES];
    ssize_t len;

    do {
        len = read(client->fd, bytes, sizeof(bytes));
    } while (len < 0 && errno == EINTR);
    if (len > 0)
        receive(client, bytes, (size_t)len);
    else if (len == 0 || errno != EAGAIN || (events & (EPOLLERR | EPOLLHUP)))
        end(client); /* closed or half closed: as procServ, that is the end */
}

static void onEvents(void *ctx, unsigned events)
{
    psClient *client = ctx;

    if (events & EPOLLOUT) {
        client->blocked = false;
        psClientPump(client, psLoopNow(client->loop));
    }
    if (client->fd >= 0 && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
        readSome(client, events);
}

/* ---- life ---- */

psClient *psClientCreate(psLoop *loop, int fd, psClientKind kind, bool readOnly, const char *peer,
                         const psRing *ring, const psClientOps *ops, void *ctx)
{
    psClient *client = calloc(1, sizeof(*client));

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
    client->ring = ring;
    client->fd = fd;
    client->later.fn = runLater;
    client->later.ctx = client;
    psTelnetInit(&client->telnet);
    psRingReaderInit(&client->reader, ring);
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
        if (!client->closing) {
            client->closeOffset = client->ring->head;
            client->closing = true;
        }
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
        psTextClear(&client->out);
        free(client);
    }
}
