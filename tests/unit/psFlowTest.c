/* SPDX-License-Identifier: EPICS */
/* A ring with readers under the test's own time. */
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psFlow.h"

#define MIN_BYTES (128u * 1024u)
#define MAX_BYTES (512u * 1024u)

static double now = 1000.0;

static double fakeMono(void *ctx)
{
    (void)ctx;
    return now;
}

static void fakeWall(void *ctx, epicsTimeStamp *out)
{
    (void)ctx;
    *out = (epicsTimeStamp){0, 0};
}

static const psClock fakeClock = {fakeMono, fakeWall, NULL};

typedef struct rig {
    psLoop *loop;
    psFlow flow;
    psRingReader reader;
} rig;

static void setUp(rig *self)
{
    self->loop = psLoopCreate(&fakeClock);
    if (!self->loop || psFlowInit(&self->flow, self->loop, MIN_BYTES, MAX_BYTES) != 0)
        testAbort("cannot prepare");
    psLoopRound(self->loop, 0); /* makes this the loop's thread */
    psRingReaderInit(&self->reader, &self->flow.ring);
    psFlowAdd(&self->flow, &self->reader);
}

static void tearDown(rig *self)
{
    psFlowRemove(&self->flow, &self->reader);
    psFlowClear(&self->flow);
    psFlowClear(&self->flow);
    psLoopFree(self->loop);
}

static void print(rig *self, size_t len)
{
    static const char bytes[4096];

    for (size_t done = 0; done < len; done += sizeof(bytes))
        psRingWrite(&self->flow.ring, bytes, sizeof(bytes));
}

static void passes(rig *self, double sec)
{
    now += sec;
    psLoopRound(self->loop, 0);
}

static void mayWrite_WithAQuickReader_NeitherWaitsNorGrows(void)
{
    rig self;

    testDiag("mayWrite_WithAQuickReader_NeitherWaitsNorGrows");
    setUp(&self);
    bool may = true;
    for (int i = 0; i < 100; i++) {
        may = may && psFlowMayWrite(&self.flow);
        print(&self, 65536);
        psRingReaderAccept(&self.reader, 65536, now);
    }
    testOk1(may && self.flow.ring.size == MIN_BYTES);
    tearDown(&self);
}

static void mayWrite_SteadyReaderLags_GrowsThenWaits(void)
{
    rig self;
    size_t written = 0;

    testDiag("mayWrite_SteadyReaderLags_GrowsThenWaits");
    setUp(&self);
    print(&self, 114688);
    psRingReaderAccept(&self.reader, 114688, now); /* more than makes a reader steady */
    while (psFlowMayWrite(&self.flow) && written < 2 * MAX_BYTES) {
        print(&self, 4096);
        written += 4096;
    }
    testOk(self.flow.ring.size == MAX_BYTES, "the ring grew to %zu", self.flow.ring.size);
    testOk(written <= MAX_BYTES - PS_FLOW_MARGIN_BYTES + 4096, "and not all of it was used: %zu",
           written);
    testOk1(psRingReaderRepair(&self.reader, &self.flow.ring) == 0);
    passes(&self, PS_READER_WINDOW_SEC + 0.02);
    testOk(psFlowMayWrite(&self.flow), "it is waited for until it is not steady any more");
    tearDown(&self);
}

static void makeRoom_GrowsAsFarAsItMay(void)
{
    rig self;

    testDiag("makeRoom_GrowsAsFarAsItMay");
    setUp(&self);
    print(&self, 100000);
    testOk1(psFlowMakeRoom(&self.flow, 100000) && self.flow.ring.size == 2 * MIN_BYTES);
    testOk1(!psFlowMakeRoom(&self.flow, MAX_BYTES) && self.flow.ring.size == MAX_BYTES);
    psFlowRemove(&self.flow, &self.reader);
    testOk(psFlowMakeRoom(&self.flow, MAX_BYTES), "nobody reads: nobody can be overrun");
    psFlowAdd(&self.flow, &self.reader);
    tearDown(&self);
}

static void shrink_WhenAllAreUpToDate_AfterAWhile(void)
{
    rig self;

    testDiag("shrink_WhenAllAreUpToDate_AfterAWhile");
    setUp(&self);
    print(&self, 100000);
    psFlowMakeRoom(&self.flow, 100000);
    passes(&self, 1.1);
    testOk(self.flow.ring.size == 2 * MIN_BYTES, "a reader lags: it stays large");
    self.reader.offset = self.flow.ring.head;
    passes(&self, 1.1);
    testOk(self.flow.ring.size == 2 * MIN_BYTES, "the next look comes later");
    passes(&self, 1.1);
    testOk(self.flow.ring.size == MIN_BYTES, "it is small again");
    tearDown(&self);
}

MAIN(psFlowTest)
{
    (void)argc;
    (void)argv;
    testPlan(11);
    mayWrite_WithAQuickReader_NeitherWaitsNorGrows();
    mayWrite_SteadyReaderLags_GrowsThenWaits();
    makeRoom_GrowsAsFarAsItMay();
    shrink_WhenAllAreUpToDate_AfterAWhile();
    return testDone();
}
