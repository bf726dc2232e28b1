/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "console/psConsoleOutput.h"

#define COUNT_BLOCK_BYTES 240
#define HISTORY_LINE_BYTES 128 /* for --history the ring is so large, per line */

/* How small the ring may be. */
static size_t sizeFor(const psConfig *cfg)
{
    size_t size = PS_RING_MIN_BYTES;

    while (size < PS_RING_MAX_BYTES && size < (size_t)cfg->historyLines * HISTORY_LINE_BYTES)
        size *= 2;
    return size;
}

int psConsoleOutputInit(psConsoleOutput *output, psLoop *loop, const psConfig *cfg,
                        void (*written)(void *ctx), void (*urgent)(void *ctx),
                        void (*resume)(void *ctx), void *ctx)
{
    memset(output, 0, sizeof(*output));
    output->loop = loop;
    output->cfg = cfg;
    output->written = written;
    output->urgent = urgent;
    output->resume = resume;
    output->ctx = ctx;
    int status = psFlowInit(&output->plain, loop, sizeFor(cfg), PS_RING_MAX_BYTES);
    if (!status && cfg->logStamp)
        status = psFlowInit(&output->stamped, loop, PS_RING_MIN_BYTES, PS_RING_MAX_BYTES);
    return status;
}

void psConsoleOutputClear(psConsoleOutput *output)
{
    psLoopDisarm(&output->waitTimer);
    psFlowClear(&output->plain);
    psFlowClear(&output->stamped);
    psTextClear(&output->stampText);
}

static bool hasStamps(const psConsoleOutput *output)
{
    return output->stamped.ring.data != NULL;
}

psFlow *psConsoleOutputFlow(psConsoleOutput *output, bool stamps)
{
    return stamps && hasStamps(output) ? &output->stamped : &output->plain;
}

/* With stamps, short lines become many times longer: the ring grows rather than have that overrun
 * anybody, and if that is not enough readers are served at once. */
static void writeStamped(psConsoleOutput *output, const void *bytes, size_t len)
{
    if (!psFlowMakeRoom(&output->stamped, len))
        output->urgent(output->ctx);
    psRingWrite(&output->stamped.ring, bytes, len);
}

static void stampNew(psConsoleOutput *output, const void *bytes, size_t len)
{
    const psConfig *cfg = output->cfg;
    psText *text = &output->stampText;
    char stamp[PS_STAMP_BYTES];
    epicsTimeStamp now;

    psClockWall(psLoopClock(output->loop), &now);
    output->stampLen = psStampPrint(&now, cfg->logStamp, cfg->timeFormat, stamp);
    psTextReset(text);
    psStampFeed(&output->stamp, bytes, len, stamp, output->stampLen, text);
    if (text->failed)
        writeStamped(output, bytes, len);
    else
        writeStamped(output, text->data, text->len);
}

/* @p bytes are the last ones in the ring. */
static void noteFeed(psConsoleOutput *output, const char *bytes, size_t len)
{
    const char *feed = memrchr(bytes, '\n', len);

    if (feed)
        output->linesEnd = output->plain.ring.head - (uint64_t)(bytes + len - (feed + 1));
}

void psConsoleOutputWrite(psConsoleOutput *output, const void *bytes, size_t len)
{
    psLoopAssertInside(output->loop);
    if (len == 0)
        return;
    psRingWrite(&output->plain.ring, bytes, len);
    noteFeed(output, bytes, len);
    if (hasStamps(output))
        stampNew(output, bytes, len);
    output->written(output->ctx);
}

/* Line feeds.  A block is as long as a byte can count, so that the compiler counts 16 or more at a
 * time: this is the only thing that is done per byte. */
static uint32_t countFeeds(const char *bytes, size_t len)
{
    uint32_t count = 0;

    while (len > 0) {
        size_t block = len < COUNT_BLOCK_BYTES ? len : COUNT_BLOCK_BYTES;
        uint8_t feeds = 0;

        for (size_t i = 0; i < block; i++)
            feeds = (uint8_t)(feeds + (bytes[i] == '\n'));
        count += feeds;
        bytes += block;
        len -= block;
    }
    return count;
}

static void noteRead(psConsoleOutput *output, const char *bytes, size_t len)
{
    output->readBytes += len;
    uint32_t feeds = countFeeds(bytes, len);
    output->readLines += feeds;
    if (feeds > 0)
        noteFeed(output, bytes, len);
    output->readMono = psLoopNow(output->loop);
}

long psConsoleOutputReadFrom(psConsoleOutput *output, int fd, size_t max)
{
    char *room;
    size_t size = psRingReserve(&output->plain.ring, &room);
    /* No more than the margin of a steady reader, should every byte be a line with a stamp. */
    size_t most = PS_FLOW_MARGIN_BYTES / (2 + output->stampLen);
    ssize_t n;

    psLoopAssertInside(output->loop);
    if (size > max)
        size = max;
    do {
        n = read(fd, room, size < most ? size : most);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    if (n == 0)
        return 0;
    psRingCommit(&output->plain.ring, (size_t)n);
    noteRead(output, room, (size_t)n);
    if (hasStamps(output))
        stampNew(output, room, (size_t)n);
    output->written(output->ctx);
    return n;
}

/* ---- who is waited for ---- */

static bool isRoom(psConsoleOutput *output)
{
    return psFlowMayWrite(&output->plain) &&
           (!hasStamps(output) || psFlowMayWrite(&output->stamped));
}

static void giveUpWaiting(void *ctx)
{
    psConsoleOutputProgress(ctx);
}

bool psConsoleOutputMayRead(psConsoleOutput *output)
{
    bool may = isRoom(output);

    output->waiting = !may;
    if (may)
        psLoopDisarm(&output->waitTimer);
    else if (!output->waitTimer.loop)
        psLoopArm(output->loop, &output->waitTimer, psLoopNow(output->loop) + PS_READER_WINDOW_SEC,
                  giveUpWaiting, output);
    return may;
}

void psConsoleOutputProgress(psConsoleOutput *output)
{
    if (output->waiting && psConsoleOutputMayRead(output))
        output->resume(output->ctx);
}

/* ---- history ---- */

void psConsoleOutputMarkStart(psConsoleOutput *output)
{
    output->runFrom = output->over ? output->endFrom : output->plain.ring.head;
    output->over = false;
}

void psConsoleOutputMarkEnd(psConsoleOutput *output)
{
    output->endFrom = output->plain.ring.head;
    output->over = true;
}

void psConsoleOutputMarkSpawn(psConsoleOutput *output)
{
    output->spawnFrom = output->plain.ring.head;
    output->readLines = 0;
}

uint64_t psConsoleOutputHistory(const psConsoleOutput *output)
{
    return psRingLinesBack(&output->plain.ring, output->runFrom, output->cfg->historyLines);
}

bool psConsoleOutputMidLine(const psConsoleOutput *output)
{
    const psRing *ring = &output->plain.ring;
    const char *last;

    return ring->head > 0 && psRingPeek(ring, ring->head - 1, &last) > 0 && *last != '\n';
}
