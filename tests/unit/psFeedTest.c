/* SPDX-License-Identifier: EPICS */
/*
 * The published status: one thread publishes (as the loop does), others read.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "child/psFeed.h"

#define DEADLINE_SEC 30.0

static void mustWait(epicsEventId event, const char *what)
{
    if (epicsEventWaitWithTimeout(event, DEADLINE_SEC) != epicsEventOK)
        testAbort("waited %g s for %s", DEADLINE_SEC, what);
}

static epicsThreadId startThread(const char *name, void (*fn)(void *), void *arg)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;

    opts.joinable = 1;
    epicsThreadId thread = epicsThreadCreateOpt(name, fn, arg, &opts);
    if (!thread)
        testAbort("no thread %s", name);
    return thread;
}

static psFeed *newFeed(void)
{
    psStatus first = {0};

    first.state = psStateStopped;
    psFeed *feed = psFeedCreate(&first);
    if (!feed)
        testAbort("psFeedCreate");
    return feed;
}

/* A status whose parts can be seen to belong together. */
static psStatus make(int n)
{
    psStatus status = {0};

    status.pid = n;
    status.starts = n;
    status.exitCode = n;
    return status;
}

static bool isWhole(const psStatus *status)
{
    return status->pid == status->starts && status->starts == status->exitCode;
}

static void count(void *ctx)
{
    atomic_fetch_add((_Atomic int *)ctx, 1);
}

static void publish_WithoutSubscriber_KeepsTheNewestOnly(void)
{
    psFeed *feed = newFeed();
    psStatus status, got;

    psFeedNewest(feed, &got);
    testOk(got.seq == 0 && got.state == psStateStopped, "before the first transition");
    for (int i = 1; i <= 3; i++) {
        status = make(i);
        psFeedPublish(feed, &status);
    }
    psFeedNewest(feed, &got);
    testOk(got.seq == 3 && got.pid == 3, "the newest is number 3");
    testOk(psFeedNext(feed, &got) == -EAGAIN, "nobody subscribed: nothing is kept");
    psFeedFree(feed);
    psFeedFree(NULL);
}

static void publish_WithSubscriber_GivesEachOnce(void)
{
    psFeed *feed = newFeed();
    psStatus status, got;
    _Atomic int calls = 0;
    int first, second, third;

    psFeedSubscribe(feed, psTopicStatus, count, &calls);
    status = make(7);
    psFeedPublish(feed, &status);
    status = make(8);
    psFeedPublish(feed, &status);
    first = psFeedNext(feed, &got);
    bool inOrder = got.seq == 1 && got.pid == 7;
    second = psFeedNext(feed, &got);
    inOrder = inOrder && got.seq == 2 && got.pid == 8;
    third = psFeedNext(feed, &got);
    testOk(first == 1 && second == 0 && third == -EAGAIN && inOrder,
           "each once, in order: more waiting, none left, none");
    testOk(calls == 2, "a call for each");
    psFeedSubscribe(feed, psTopicStatus, NULL, NULL);
    psFeedPublish(feed, &status);
    testOk(calls == 2 && psFeedNext(feed, &got) == -EAGAIN, "nothing after it is ended");
    psFeedSubscribe(feed, psTopicStatus, count, &calls);
    psFeedPublish(feed, &status);
    first = psFeedNext(feed, &got);
    testOk(calls == 3 && first == 1 && got.seq == 3, "begun anew: the newest there was");
    second = psFeedNext(feed, &got);
    testOk(second == 0 && got.seq == 4, "then what follows");
    psFeedFree(feed);
}

static void console_IsNoTransition(void)
{
    psFeed *feed = newFeed();
    psConsoleStatus news = {.clients = 4, .loggers = 2}, got;
    psStatus status;
    _Atomic int statusCalls = 0, consoleCalls = 0;

    psFeedPublishConsole(feed, &news);
    psFeedConsole(feed, &got);
    testOk(got.seq == 1 && got.clients == 4 && got.loggers == 2, "the console is published");
    testOk(!psFeedWanted(feed, psTopicConsole), "though nobody wants it");
    psFeedSubscribe(feed, psTopicStatus, count, &statusCalls);
    testOk(!psFeedWanted(feed, psTopicConsole), "or only the status");
    psFeedSubscribe(feed, psTopicConsole, count, &consoleCalls);
    testOk(psFeedWanted(feed, psTopicConsole), "somebody wants it");
    psFeedPublishConsole(feed, &news);
    psFeedNewest(feed, &status);
    testOk(status.seq == 0 && psFeedNext(feed, &status) == -EAGAIN, "which is no transition");
    testOk(statusCalls == 0 && consoleCalls == 1, "each topic has its subscriber");
    psFeedSubscribe(feed, psTopicConsole, NULL, NULL);
    psFeedPublishConsole(feed, &news);
    testOk(consoleCalls == 1, "until it goes");
    psFeedFree(feed);
}

static void publish_BeyondTheLimit_DropsTheOldest(void)
{
    enum { extra = 10 };
    psFeed *feed = newFeed();
    psStatus status, got;
    _Atomic int calls = 0;
    int taken = 0;
    uint32_t expected = extra + 1;
    bool inOrder = true;
    int more;

    psFeedSubscribe(feed, psTopicStatus, count, &calls);
    for (int i = 1; i <= PS_TRANSITIONS + extra; i++) {
        status = make(i);
        psFeedPublish(feed, &status);
    }
    do {
        more = psFeedNext(feed, &got);
        if (more >= 0) {
            taken++;
            inOrder = inOrder && got.seq == expected && got.pid == (int)expected;
            expected++;
        }
    } while (more == 1);
    testOk(taken == PS_TRANSITIONS && inOrder, "%d of %d are left, the newest; seq shows the gap",
           taken, PS_TRANSITIONS + extra);
    psFeedFree(feed);
}

/* ---- two threads ---- */

typedef struct psPublisher {
    psFeed *feed;
    int from, to;
} psPublisher;

static void publisherThread(void *arg)
{
    const psPublisher *publisher = arg;

    for (int i = publisher->from; i <= publisher->to; i++) {
        psStatus status = make(i);

        psFeedPublish(publisher->feed, &status);
    }
}

static void trigger(void *ctx)
{
    epicsEventMustTrigger(ctx);
}

/* As the records do it: woken, take all there are. */
static void twoThreads_AllArriveWholeAndInOrder(void)
{
    enum { many = 500 }; /* fewer than are kept: none may be lost */
    psFeed *feed = newFeed();
    epicsEventId news = epicsEventMustCreate(epicsEventEmpty);
    psPublisher publisher = {feed, 1, many};
    psStatus got;
    int last = 0;
    bool good = true;

    psFeedSubscribe(feed, psTopicStatus, trigger, news);
    epicsThreadId thread = startThread("publisher", publisherThread, &publisher);
    while (last < many && good) {
        int more = psFeedNext(feed, &got);

        if (more < 0) {
            mustWait(news, "a transition");
            continue;
        }
        good = isWhole(&got) && got.pid == last + 1 && (int)got.seq == got.pid;
        last = got.pid;
        psFeedNewest(feed, &got);
        good = good && isWhole(&got) && got.pid >= last;
    }
    epicsThreadMustJoin(thread);
    testOk(good && last == many, "%d of %d transitions, in order, none torn", last, (int)many);
    psFeedFree(feed);
    epicsEventDestroy(news);
}

/* A subscriber that is inside its call until it is let go. */
typedef struct psGate {
    psFeed *feed;
    epicsEventId inside, letGo, unsubscribed;
    _Atomic bool done; /* the call is over */
    bool doneBefore;   /* it was, when unsubscribing returned */
} psGate;

static void slowSubscriber(void *ctx)
{
    psGate *gate = ctx;

    epicsEventMustTrigger(gate->inside);
    mustWait(gate->letGo, "the test to let the subscriber go");
    gate->done = true;
}

static void unsubscribeThread(void *arg)
{
    psGate *gate = arg;

    psFeedSubscribe(gate->feed, psTopicStatus, NULL, NULL);
    gate->doneBefore = gate->done;
    epicsEventMustTrigger(gate->unsubscribed);
}

static void unsubscribe_WaitsForTheCallUnderWay(void)
{
    psGate gate = {newFeed(),
                   epicsEventMustCreate(epicsEventEmpty),
                   epicsEventMustCreate(epicsEventEmpty),
                   epicsEventMustCreate(epicsEventEmpty),
                   false,
                   false};
    psPublisher publisher = {gate.feed, 1, 1};
    epicsThreadId loop, other;
    psStatus got;

    psFeedSubscribe(gate.feed, psTopicStatus, slowSubscriber, &gate);
    loop = startThread("publisher", publisherThread, &publisher);
    mustWait(gate.inside, "the subscriber to be called");
    other = startThread("unsubscriber", unsubscribeThread, &gate);
    /* To see that it does not return takes a while; a hasty return is seen most times. */
    epicsEventStatus early = epicsEventWaitWithTimeout(gate.unsubscribed, 0.05);
    psFeedNewest(gate.feed, &got); /* not held up by the call */
    testOk(early == epicsEventWaitTimeout && got.seq == 1, "unsubscribing waits, reading does not");
    epicsEventMustTrigger(gate.letGo);
    mustWait(gate.unsubscribed, "unsubscribing to return");
    epicsThreadMustJoin(loop);
    epicsThreadMustJoin(other);
    testOk(gate.doneBefore, "when it returns no call is under way");
    testOk(psFeedNext(gate.feed, &got) == -EAGAIN, "what was not taken is forgotten");
    psFeedFree(gate.feed);
    epicsEventDestroy(gate.inside);
    epicsEventDestroy(gate.letGo);
    epicsEventDestroy(gate.unsubscribed);
}

MAIN(psFeedTest)
{
    testPlan(20);
    publish_WithoutSubscriber_KeepsTheNewestOnly();
    publish_WithSubscriber_GivesEachOnce();
    console_IsNoTransition();
    publish_BeyondTheLimit_DropsTheOldest();
    twoThreads_AllArriveWholeAndInOrder();
    unsubscribe_WaitsForTheCallUnderWay();
    return testDone();
}
