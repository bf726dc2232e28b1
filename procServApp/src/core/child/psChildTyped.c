/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <dbDefs.h>

#include "child/psChildPty.h"
#include "child/psChildText.h"
#include "child/psChildTyped.h"

#define SPARE_EACH_BYTES 4096 /* of the spare, for each client */
/* A paste comes in many pieces: what is lost of it is summed up until nothing was lost for
 * LOST_SEC, or for LOST_MOST_SEC. */
#define LOST_SEC 0.5
#define LOST_MOST_SEC 5.0

/* ---- who waits ---- */

static void watchStalled(psChild *child);

static void stalledDue(void *ctx)
{
    psChild *child = ctx;

    if (psInputStalled(&child->input, psLoopNow(child->loop)))
        psClientsResumeTyping(&child->console.clients);
    else if (child->input.len > 0)
        watchStalled(child);
}

static void watchStalled(psChild *child)
{
    psLoopArm(child->loop, &child->stalledTimer, child->input.progressMono + PS_INPUT_STALLED_SEC,
              stalledDue, child);
}

/* What may be typed by whoever comes first. */
static size_t commonRoom(const psChild *child)
{
    size_t room = psInputRoom(&child->input);

    return room > PS_INPUT_SPARE_BYTES ? room - PS_INPUT_SPARE_BYTES : 0;
}

/* What is left of a client's share of the spare. */
static size_t ownRoom(const psChild *child, const psClient *client)
{
    size_t used = client->fullTimes == child->fullTimes ? client->spareUsed : 0;
    size_t own = used < SPARE_EACH_BYTES ? SPARE_EACH_BYTES - used : 0;
    size_t room = psInputRoom(&child->input);

    return own < room ? own : room;
}

size_t psChildTypedRoom(psChild *child, const psClient *client)
{
    size_t room = commonRoom(child);

    psLoopAssertInside(child->loop);
    if (child->pty.master < 0 || psInputStalled(&child->input, psLoopNow(child->loop)))
        return SIZE_MAX;
    if (room == 0)
        room = ownRoom(child, client);
    if (room == 0)
        watchStalled(child);
    return room;
}

/* @return how many bytes can wait for the child */
static size_t put(psChild *child, psClient *client, const uint8_t *bytes, size_t len)
{
    bool wasFull = commonRoom(child) == 0;
    size_t taken = psInputPut(&child->input, bytes, len, psLoopNow(child->loop));

    if (!wasFull && commonRoom(child) == 0)
        child->fullTimes++;
    if (wasFull && client->fullTimes != child->fullTimes) {
        client->fullTimes = child->fullTimes;
        client->spareUsed = 0;
    }
    if (wasFull)
        client->spareUsed += taken;
    return taken;
}

/* ---- what is lost ---- */

static void lostDue(void *ctx)
{
    psChild *child = ctx;
    double due = fmin(child->lostMono + LOST_SEC, child->lostSinceMono + LOST_MOST_SEC);

    if (due > psLoopNow(child->loop)) {
        psLoopArm(child->loop, &child->lostTimer, due, lostDue, child);
        return;
    }
    for (ELLNODE *node = ellFirst(&child->console.clients.list); node; node = ellNext(node)) {
        psClient *client = CONTAINER(node, psClient, node);

        if (client->typedLost > 0)
            psChildTextInputLost(client, client->typedLost, child->lostByMemory);
        client->typedLost = 0;
    }
    child->lostByMemory = false;
}

static void lose(psChild *child, psClient *client, size_t len)
{
    client->typedLost += len;
    child->lostByMemory |= psInputRoom(&child->input) > 0;
    child->lostMono = psLoopNow(child->loop);
    if (child->lostTimer.loop)
        return;
    child->lostSinceMono = child->lostMono;
    psLoopArm(child->loop, &child->lostTimer, child->lostMono + LOST_SEC, lostDue, child);
}

void psChildTypedPut(psChild *child, psClient *client, const uint8_t *bytes, size_t len)
{
    psInput *input = &child->input;

    psLoopAssertInside(child->loop);
    if (child->pty.master < 0 || len == 0)
        return;
    client->answered = true;
    size_t taken = put(child, client, bytes, len);
    if (taken < len)
        lose(child, client, len - taken);
    if (input->lineLen > PS_CANONICAL_BYTES && !input->tooLongReported &&
        psPtyCanonical(&child->pty)) {
        input->tooLongReported = true;
        psChildTextLineTooLong(client);
    }
    psChildPtySend(child);
}

int psChildTypedLine(psChild *child, const char *text)
{
    char line[PS_COMMAND_TEXT_BYTES];
    size_t len = strlen(text);
    double now = psLoopNow(child->loop);

    psLoopAssertInside(child->loop);
    if (child->pty.master < 0)
        return -ESRCH;
    if (psInputStalled(&child->input, now) || commonRoom(child) < sizeof(line))
        return -EAGAIN;
    memcpy(line, text, len);
    line[len++] = '\n';
    size_t taken = psInputPut(&child->input, line, len, now);
    psChildPtySend(child);
    return taken < len ? -ENOMEM : 0;
}

void psChildTypedClear(psChild *child)
{
    psLoopDisarm(&child->stalledTimer);
    psLoopDisarm(&child->lostTimer);
}
