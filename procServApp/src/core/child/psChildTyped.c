/* SPDX-License-Identifier: EPICS */
#include <math.h>

#include <dbDefs.h>

#include "child/psChildPty.h"
#include "child/psChildText.h"
#include "child/psChildTyped.h"

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

size_t psChildTypedRoom(psChild *child)
{
    size_t room = psInputRoom(&child->input);

    psLoopAssertInside(child->loop);
    if (child->pty.master < 0 || psInputStalled(&child->input, psLoopNow(child->loop)))
        return SIZE_MAX;
    if (room == 0)
        watchStalled(child);
    return room;
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
    if (child->pty.master < 0)
        return;
    size_t taken = psInputPut(input, bytes, len, psLoopNow(child->loop));
    if (taken < len)
        lose(child, client, len - taken);
    if (input->lineLen > PS_CANONICAL_BYTES && !input->tooLongReported &&
        psPtyCanonical(&child->pty)) {
        input->tooLongReported = true;
        psChildTextLineTooLong(client);
    }
    psChildPtySend(child);
}

void psChildTypedClear(psChild *child)
{
    psLoopDisarm(&child->stalledTimer);
    psLoopDisarm(&child->lostTimer);
}
