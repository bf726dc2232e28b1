/* SPDX-License-Identifier: EPICS */
/*
 * The stream is  [owed 0xFF] [private bytes] [ring bytes, 0xFF doubled].  It is described to the
 * kernel as an iovec that points straight into the ring, split only after a 0xFF; nothing is
 * copied.  Since the kernel may take any number of these bytes, a 0xFF may be on the wire without
 * its twin: the twin is owed then, and goes before anything else, or a notice queued meanwhile
 * would become a telnet command.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "console/psSender.h"
#include "base/psMessages.h"

#define SEND_BYTES 262144 /* ring bytes offered at once; more is scanned again in vain */
#define SEND_PARTS 64     /* iovec entries */

static const uint8_t IAC = 0xff;

/* What one sendmsg() is to send. */
typedef struct sending {
    struct iovec part[SEND_PARTS];
    int count;
    int firstRing; /* parts from here on are the ring's, or the doubling of its last byte */
} sending;

void psSenderInit(psSender *sender, const psRing *ring, bool isSocket)
{
    *sender = (psSender){.ring = ring, .isSocket = isSocket, .out = PS_TEXT_INIT};
    psRingReaderInit(&sender->reader, ring);
}

void psSenderClear(psSender *sender)
{
    psTextClear(&sender->out);
    sender->outDone = 0;
}

/* ---- what is to be sent ---- */

static size_t privateLeft(const psSender *sender)
{
    return sender->out.len - sender->outDone;
}

static uint64_t ringEnd(const psSender *sender)
{
    return sender->ending ? sender->endOffset : sender->ring->head;
}

bool psSenderDrained(const psSender *sender)
{
    return !sender->iacOwed && privateLeft(sender) == 0 && sender->reader.offset >= ringEnd(sender);
}

uint64_t psSenderLost(const psSender *sender)
{
    return psRingReaderLost(&sender->reader, sender->ring);
}

void psSenderEnd(psSender *sender)
{
    if (!sender->ending)
        sender->endOffset = sender->ring->head;
    sender->ending = true;
}

void psSenderSkip(psSender *sender)
{
    psTextReset(&sender->out);
    sender->outDone = 0;
    sender->iacOwed = false;
    sender->reader.lost = psSenderLost(sender);
    sender->reader.offset = sender->ring->head;
}

int psSenderQueue(psSender *sender, const void *bytes, size_t len)
{
    psText *out = &sender->out;

    if (sender->outDone > 0 && sender->outDone >= privateLeft(sender)) {
        memmove(out->data, out->data + sender->outDone, privateLeft(sender));
        out->len -= sender->outDone;
        sender->outDone = 0;
    }
    if (len > PS_SENDER_PRIVATE_BYTES - privateLeft(sender))
        return -ENOBUFS;
    psTextAppend(out, bytes, len);
    return out->failed ? -ENOMEM : 0;
}

int psSenderPrint(psSender *sender, const void *bytes, size_t len)
{
    int status = psSenderQueue(sender, bytes, len);

    if (status == 0 && len > 0)
        sender->midLine = ((const char *)bytes)[len - 1] != '\n';
    return status;
}

/* Report bytes that the ring no longer holds, where the stream resumes. */
static int repair(psSender *sender)
{
    uint64_t lost = psRingReaderRepair(&sender->reader, sender->ring);
    psText notice = PS_TEXT_INIT;
    int status = 0;

    if (lost == 0)
        return 0;
    if (sender->midLine)
        psTextAppend(&notice, "\r\n", 2);
    psMessageLost(&notice, lost);
    if (!notice.failed)
        status = psSenderPrint(sender, notice.data, notice.len);
    psTextClear(&notice);
    return status;
}

/* ---- sending ---- */

static void addPart(sending *plan, const void *base, size_t len)
{
    plan->part[plan->count].iov_base = (void *)base; /* sendmsg() only reads it */
    plan->part[plan->count].iov_len = len;
    plan->count++;
}

/* The ring's bytes in parts, each ending in a 0xFF followed by its twin, or at a seam. */
static void planRing(psSender *sender, sending *plan)
{
    uint64_t offset = sender->reader.offset;
    uint64_t end = ringEnd(sender);
    bool doubling = sender->isSocket;

    if (end > offset + SEND_BYTES)
        end = offset + SEND_BYTES;
    while (offset < end && plan->count + 2 <= SEND_PARTS) {
        const char *bytes;
        size_t len = psRingPeek(sender->ring, offset, &bytes);

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

static void planAll(psSender *sender, sending *plan)
{
    plan->count = 0;
    if (sender->iacOwed)
        addPart(plan, &IAC, 1);
    if (privateLeft(sender) > 0)
        addPart(plan, sender->out.data + sender->outDone, privateLeft(sender));
    plan->firstRing = plan->count;
    planRing(sender, plan);
}

static ssize_t transmit(const psSender *sender, int fd, sending *plan)
{
    struct msghdr msg = {.msg_iov = plan->part, .msg_iovlen = (size_t)plan->count};
    ssize_t sent;

    do {
        sent = sender->isSocket ? sendmsg(fd, &msg, MSG_NOSIGNAL)
                                : writev(fd, plan->part, plan->count);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

/* Book @p sent bytes of the plan.  Returns those of the ring. */
static size_t account(psSender *sender, const sending *plan, size_t sent)
{
    size_t ringBytes = 0;
    int i = 0;

    if (sender->iacOwed && sent > 0) {
        sender->iacOwed = false;
        sent--;
        i = 1;
    }
    if (i < plan->firstRing && sent > 0) {
        size_t len = sent < plan->part[i].iov_len ? sent : plan->part[i].iov_len;

        sender->outDone += len;
        sent -= len;
        if (privateLeft(sender) == 0) {
            psTextReset(&sender->out);
            sender->outDone = 0;
        }
    }
    for (i = plan->firstRing; i < plan->count && sent > 0; i++) {
        const struct iovec *part = &plan->part[i];
        size_t len = sent < part->iov_len ? sent : part->iov_len;

        sent -= len;
        if (part->iov_base == (const void *)&IAC) {
            sender->iacOwed = false;
            continue;
        }
        ringBytes += len;
        sender->midLine = ((const char *)part->iov_base)[len - 1] != '\n';
        sender->iacOwed = sender->isSocket && ((const uint8_t *)part->iov_base)[len - 1] == IAC;
    }
    return ringBytes;
}

int psSenderRun(psSender *sender, int fd, double now, size_t *outSent, size_t *outFromRing)
{
    sending plan;
    size_t offered = 0;

    *outSent = *outFromRing = 0;
    int status = repair(sender);
    if (status)
        return status;
    planAll(sender, &plan);
    if (plan.count == 0)
        return 0;
    for (int i = 0; i < plan.count; i++)
        offered += plan.part[i].iov_len;
    ssize_t sent = transmit(sender, fd, &plan);
    if (sent < 0 && sent != -EAGAIN)
        return (int)sent;
    sender->blocked = sent == -EAGAIN || (size_t)sent < offered;
    if (sent > 0) {
        *outSent = (size_t)sent;
        *outFromRing = account(sender, &plan, (size_t)sent);
        if (*outFromRing > 0)
            psRingReaderAccept(&sender->reader, *outFromRing, now);
    }
    return 0;
}
