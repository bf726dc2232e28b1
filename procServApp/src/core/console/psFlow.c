/* SPDX-License-Identifier: EPICS */
#include <dbDefs.h>

#include "console/psFlow.h"

#define SHRINK_DELAY_SEC 1.0 /* doubles while somebody lags, up to the next */
#define SHRINK_DELAY_MAX_SEC 60.0

/* The smallest room of all readers, and of those that are waited for. */
typedef struct rooms {
    size_t any, steady;
} rooms;

int psFlowInit(psFlow *flow, psLoop *loop, size_t minSize, size_t maxSize)
{
    *flow = (psFlow){.loop = loop};
    ellInit(&flow->readers);
    return psRingInit(&flow->ring, minSize, maxSize);
}

void psFlowClear(psFlow *flow)
{
    psLoopDisarm(&flow->shrinkTimer);
    psRingClear(&flow->ring);
}

void psFlowAdd(psFlow *flow, psRingReader *reader)
{
    ellAdd(&flow->readers, &reader->node);
}

void psFlowRemove(psFlow *flow, psRingReader *reader)
{
    psLoopAssertInside(flow->loop);
    ellDelete(&flow->readers, &reader->node);
}

static rooms roomsOf(const psFlow *flow)
{
    const psRing *ring = &flow->ring;
    rooms found = {ring->size, ring->size};
    double now = psLoopNow(flow->loop);

    for (ELLNODE *node = ellFirst(&flow->readers); node; node = ellNext(node)) {
        const psRingReader *reader = CONTAINER(node, psRingReader, node);
        size_t room = psRingReaderRoom(reader, ring);

        if (room < found.any)
            found.any = room;
        if (room < found.steady && psRingReaderSteady(reader, now))
            found.steady = room;
    }
    return found;
}

static void shrink(void *ctx)
{
    psFlow *flow = ctx;

    if (roomsOf(flow).any == flow->ring.size) {
        psRingShrink(&flow->ring); /* everybody is up to date */
        return;
    }
    if (flow->shrinkDelay < SHRINK_DELAY_MAX_SEC)
        flow->shrinkDelay *= 2.0;
    psLoopArm(flow->loop, &flow->shrinkTimer, psLoopNow(flow->loop) + flow->shrinkDelay, shrink,
              flow);
}

static bool grow(psFlow *flow)
{
    if (!psRingGrow(&flow->ring))
        return false;
    flow->shrinkDelay = SHRINK_DELAY_SEC;
    psLoopArm(flow->loop, &flow->shrinkTimer, psLoopNow(flow->loop) + flow->shrinkDelay, shrink,
              flow);
    return true;
}

bool psFlowMayWrite(psFlow *flow)
{
    const psRing *ring = &flow->ring;

    psLoopAssertInside(flow->loop);
    rooms found = roomsOf(flow);
    while ((found.any < ring->size / 2 || found.steady < PS_FLOW_MARGIN_BYTES) && grow(flow))
        found = roomsOf(flow);
    return found.steady >= PS_FLOW_MARGIN_BYTES;
}

bool psFlowMakeRoom(psFlow *flow, size_t len)
{
    psLoopAssertInside(flow->loop);
    while (roomsOf(flow).any < len)
        if (!grow(flow))
            return false;
    return true;
}
