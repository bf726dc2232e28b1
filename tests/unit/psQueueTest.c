/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "loop/psQueue.h"

#define DEADLINE_SEC 20.0
#define CAPACITY 4
#define PUTTERS 3
#define PUTS 2000

typedef struct order {
    psQueueItem item;
    int number;
    int runs, cancels;
    psQueue *closes;    /* in its run */
    struct order *puts; /* in its run */
} order;

static int seen[64];
static int seenCount;
static psQueue *theQueue;

static void run(psQueueItem *item)
{
    order *self = CONTAINER(item, order, item);

    self->runs++;
    if (seenCount < 64)
        seen[seenCount++] = self->number;
    if (self->closes)
        psQueueClose(self->closes);
    if (self->puts)
        psQueuePut(theQueue, &self->puts->item);
}

static void cancel(psQueueItem *item)
{
    CONTAINER(item, order, item)->cancels++;
}

static void setUp(psLoop **loop, order *orders, int count)
{
    *loop = psLoopCreate(psClockSystem());
    theQueue = *loop ? psQueueCreate(*loop, CAPACITY) : NULL;
    if (!theQueue)
        testAbort("no loop or no queue");
    seenCount = 0;
    memset(orders, 0, sizeof(*orders) * (size_t)count);
    for (int i = 0; i < count; i++) {
        orders[i].item.run = run;
        orders[i].item.cancel = cancel;
        orders[i].number = i;
    }
}

static void tearDown(psLoop *loop)
{
    psQueueFree(theQueue);
    theQueue = NULL;
    psLoopFree(loop);
}

static void put_RunsInOrder_UpToCapacity(void)
{
    psLoop *loop;
    order orders[CAPACITY + 1];
    bool accepted = true;

    setUp(&loop, orders, CAPACITY + 1);
    for (int i = 0; i < CAPACITY; i++)
        accepted = accepted && psQueuePut(theQueue, &orders[i].item) == 0;
    int full = psQueuePut(theQueue, &orders[CAPACITY].item);
    testOk(accepted && full == -EAGAIN, "full after %d", CAPACITY);
    testOk(seenCount == 0, "nothing runs in the caller");
    psLoopRound(loop, 0);
    testOk(seenCount == CAPACITY && seen[0] == 0 && seen[1] == 1 && seen[2] == 2 && seen[3] == 3,
           "all run in one round, in order");
    testOk(orders[CAPACITY].runs == 0 && orders[CAPACITY].cancels == 0,
           "the refused one is not called");
    testOk(psQueuePut(theQueue, &orders[CAPACITY].item) == 0, "there is room again");
    psLoopRound(loop, 0);
    testOk(orders[CAPACITY].runs == 1, "and it runs");
    tearDown(loop);
}

static void put_FromRun_WaitsForTheNextRound(void)
{
    psLoop *loop;
    order orders[2];

    setUp(&loop, orders, 2);
    orders[0].puts = &orders[1];
    psQueuePut(theQueue, &orders[0].item);
    psLoopRound(loop, 0);
    testOk(orders[0].runs == 1 && orders[1].runs == 0, "the loop is not held up");
    psLoopRound(loop, DEADLINE_SEC);
    testOk(orders[1].runs == 1, "it runs in the next round");
    tearDown(loop);
}

static void close_CancelsWhatDidNotRun(void)
{
    psLoop *loop;
    order orders[4];

    setUp(&loop, orders, 4);
    orders[1].closes = theQueue;
    for (int i = 0; i < 3; i++)
        psQueuePut(theQueue, &orders[i].item);
    psLoopRound(loop, 0);
    testOk(orders[0].runs == 1 && orders[1].runs == 1 && orders[2].runs == 0,
           "closed by the second");
    testOk(orders[0].cancels == 0 && orders[1].cancels == 0 && orders[2].cancels == 1,
           "only the third is cancelled");
    testOk(psQueuePut(theQueue, &orders[3].item) == -ESHUTDOWN, "a closed queue refuses");
    psQueueClose(theQueue);
    psLoopRound(loop, 0);
    testOk(orders[2].runs + orders[2].cancels == 1 && orders[3].runs + orders[3].cancels == 0,
           "closing twice calls nobody twice");
    tearDown(loop);
    psQueueFree(NULL);
}

/* ---- from several threads, closed in their midst ---- */

typedef struct putter {
    order orders[PUTS];
    bool accepted[PUTS];
    epicsThreadId thread;
} putter;

static epicsEventId room; /* a round is done, or the queue is closed */

static void putAll(void *ctx)
{
    putter *self = ctx;

    for (int i = 0; i < PUTS; i++) {
        int status;

        while ((status = psQueuePut(theQueue, &self->orders[i].item)) == -EAGAIN)
            epicsEventMustWait(room);
        self->accepted[i] = status == 0;
    }
    epicsEventMustTrigger(room); /* it wakes one only: pass it on */
}

static void put_FromManyThreads_CompletesEachOnce(void)
{
    static putter putters[PUTTERS];
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    psLoop *loop = psLoopCreate(psClockSystem());
    int accepted = 0, wrong = 0, rounds = 0;

    opts.joinable = 1;
    room = epicsEventMustCreate(epicsEventEmpty);
    theQueue = loop ? psQueueCreate(loop, CAPACITY) : NULL;
    if (!theQueue)
        testAbort("no loop or no queue");
    for (int p = 0; p < PUTTERS; p++) {
        for (int i = 0; i < PUTS; i++)
            putters[p].orders[i].item = (psQueueItem){.run = run, .cancel = cancel};
        putters[p].thread = epicsThreadCreateOpt("putter", putAll, &putters[p], &opts);
    }
    for (seenCount = 0; seenCount < 64 && rounds < 1000; rounds++) {
        psLoopRound(loop, DEADLINE_SEC / 1000);
        epicsEventMustTrigger(room);
    }
    testOk(seenCount == 64, "%d items were run", seenCount);
    psQueueClose(theQueue);
    epicsEventMustTrigger(room);
    for (int p = 0; p < PUTTERS; p++)
        epicsThreadMustJoin(putters[p].thread);
    psLoopRound(loop, 0);
    for (int p = 0; p < PUTTERS; p++) {
        for (int i = 0; i < PUTS; i++) {
            const order *one = &putters[p].orders[i];

            accepted += putters[p].accepted[i];
            wrong += one->runs + one->cancels != (putters[p].accepted[i] ? 1 : 0);
        }
    }
    testOk(wrong == 0, "%d accepted, %d not completed once", accepted, wrong);
    tearDown(loop);
    epicsEventDestroy(room);
}

MAIN(psQueueTest)
{
    testPlan(14);
    put_RunsInOrder_UpToCapacity();
    put_FromRun_WaitsForTheNextRound();
    close_CancelsWhatDidNotRun();
    put_FromManyThreads_CompletesEachOnce();
    return testDone();
}
