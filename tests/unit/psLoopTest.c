/* SPDX-License-Identifier: EPICS */
/* psLoop with real descriptors; a fake clock where time matters. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psClock.h"
#include "loop/psLoop.h"

#define DEADLINE_SEC 20.0

static double fakeNow;

static double fakeMono(void *ctx)
{
    (void)ctx;
    return fakeNow;
}

static const psClock fakeClock = {.mono = fakeMono};

static int refuse; /* errno that epoll_ctl() fails with; 0: it does its work */

/* In place of the C library's. */
int epoll_ctl(int epollFd, int op, int fd, struct epoll_event *event)
{
    if (refuse && op != EPOLL_CTL_DEL) {
        errno = refuse;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, epollFd, op, fd, event);
}

/* ---- descriptors ---- */

typedef struct side {
    int fd, peer;
    psWatch watch;
    unsigned events; /* all seen */
    int calls;
    struct side *unwatches; /* in its callback */
    unsigned modifyTo;
    struct side *modifies;
} side;

static void sideOpen(side *s)
{
    int pair[2];

    memset(s, 0, sizeof(*s));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
        testAbort("socketpair: %s", strerror(errno));
    s->fd = pair[0];
    s->peer = pair[1];
}

static void sideClose(side *s)
{
    psLoopUnwatch(&s->watch);
    close(s->fd);
    if (s->peer >= 0)
        close(s->peer);
}

static void sideReady(void *ctx, unsigned events)
{
    side *s = ctx;

    s->calls++;
    s->events |= events;
    if (s->unwatches)
        psLoopUnwatch(&s->unwatches->watch);
    if (s->modifies)
        psLoopModify(&s->modifies->watch, s->modifyTo);
}

static void put(int fd)
{
    if (write(fd, "x", 1) != 1)
        testAbort("write: %s", strerror(errno));
}

static void watch_Readable_IsCalledUntilRead(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);
    side a;
    char byte;

    testDiag("watch_Readable_IsCalledUntilRead");
    sideOpen(&a);
    testOk1(psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a) == 0);
    psLoopRound(loop, 0);
    testOk(a.calls == 0, "silent without data (%d)", a.calls);
    put(a.peer);
    psLoopRound(loop, -1);
    psLoopRound(loop, -1);
    testOk(a.calls == 2 && a.events == EPOLLIN, "level-triggered: %d calls, 0x%x", a.calls,
           a.events);
    testOk1(read(a.fd, &byte, 1) == 1);
    psLoopRound(loop, 0);
    testOk(a.calls == 2, "silent after it was read (%d)", a.calls);
    psLoopModify(&a.watch, EPOLLOUT);
    psLoopRound(loop, -1);
    testOk(a.calls == 3 && a.events == (EPOLLIN | EPOLLOUT), "writable");
    sideClose(&a);
    psLoopUnwatch(&a.watch);
    testOk1(psLoopWatch(loop, &a.watch, -1, EPOLLIN, sideReady, &a) == -EBADF);
    testOk1(a.watch.loop == NULL);
    psLoopFree(loop);
}

static void watch_SilencedAndHungUp_IsNotCalled(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);
    side a;

    testDiag("watch_SilencedAndHungUp_IsNotCalled");
    sideOpen(&a);
    psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a);
    psLoopModify(&a.watch, 0);
    close(a.peer);
    a.peer = -1;
    psLoopRound(loop, 0);
    testOk(a.calls == 0, "a hang-up does not reach a silent watch (%d)", a.calls);
    psLoopModify(&a.watch, EPOLLIN);
    psLoopRound(loop, -1);
    testOk(a.calls == 1 && (a.events & EPOLLHUP), "heard again: 0x%x", a.events);
    sideClose(&a);
    psLoopFree(loop);
}

static void unwatch_DuringDispatch_SuppressesReportedEvent(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);
    side a, b;

    testDiag("unwatch_DuringDispatch_SuppressesReportedEvent");
    sideOpen(&a);
    sideOpen(&b);
    psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a);
    psLoopWatch(loop, &b.watch, b.fd, EPOLLIN, sideReady, &b);
    a.unwatches = &b; /* whoever is first strikes out the other */
    b.unwatches = &a;
    put(a.peer);
    put(b.peer);
    psLoopRound(loop, -1);
    testOk(a.calls + b.calls == 1, "only one of two ready ones was called (%d, %d)", a.calls,
           b.calls);
    psLoopRound(loop, 0);
    testOk(a.calls + b.calls == 2 && (a.calls == 0 || b.calls == 0), "the other stays out");
    sideClose(&a);
    sideClose(&b);
    psLoopFree(loop);
}

static void unwatch_Itself_AndWatchAgain(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);
    side a;

    testDiag("unwatch_Itself_AndWatchAgain");
    sideOpen(&a);
    psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a);
    a.unwatches = &a;
    put(a.peer);
    psLoopRound(loop, -1);
    psLoopRound(loop, 0);
    testOk(a.calls == 1 && !a.watch.loop, "called once, then out (%d)", a.calls);
    testOk1(psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a) == 0);
    psLoopRound(loop, -1);
    testOk(a.calls == 2, "watched again (%d)", a.calls);
    sideClose(&a);
    psLoopFree(loop);
}

static void modify_DuringDispatch_SuppressesReportedEvent(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);
    side a, b;

    testDiag("modify_DuringDispatch_SuppressesReportedEvent");
    sideOpen(&a);
    sideOpen(&b);
    psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a);
    psLoopWatch(loop, &b.watch, b.fd, EPOLLIN, sideReady, &b);
    a.modifies = &b;
    b.modifies = &a;
    put(a.peer);
    put(b.peer);
    psLoopRound(loop, -1);
    testOk(a.calls + b.calls == 1, "a silenced one is not called (%d, %d)", a.calls, b.calls);
    sideClose(&a);
    sideClose(&b);
    psLoopFree(loop);
}

/* Rounds until it was called @p calls times. */
static void await(psLoop *loop, const side *s, int calls)
{
    double deadline = psClockMono(psClockSystem()) + DEADLINE_SEC;

    while (s->calls < calls) {
        if (psClockMono(psClockSystem()) > deadline)
            testAbort("%d of %d calls within %.0f s", s->calls, calls, DEADLINE_SEC);
        psLoopRound(loop, 1.0);
    }
}

/* The kernel is short of memory, or the user has too many watches. */
static void watch_ThatTheKernelRefuses_IsNotDeaf(void)
{
    psLoop *loop = psLoopCreate(psClockSystem());
    side a, b;

    testDiag("watch_ThatTheKernelRefuses_IsNotDeaf");
    sideOpen(&a);
    sideOpen(&b);
    refuse = ENOSPC;
    testOk1(psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a) == 0);
    testOk1(psLoopWatch(loop, &b.watch, b.fd, EPOLLIN, sideReady, &b) == 0);
    put(a.peer);
    await(loop, &a, 1);
    testOk(a.events == EPOLLIN && b.calls == 0, "heard while refused: 0x%x", a.events);
    a.unwatches = &b; /* whoever is first strikes out the other, as with the kernel's */
    b.unwatches = &a;
    put(b.peer);
    int before = a.calls + b.calls;
    while (a.watch.loop && b.watch.loop)
        psLoopRound(loop, 1.0);
    testOk(a.calls + b.calls == before + 1, "what is unwatched is not called");
    refuse = 0;
    sideClose(&a);
    sideClose(&b);

    sideOpen(&a);
    psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a);
    psLoopModify(&a.watch, 0);
    refuse = ENOMEM;
    psLoopModify(&a.watch, EPOLLIN);
    put(a.peer);
    await(loop, &a, 1);
    testOk(a.calls == 1, "one that was silent is heard again");
    refuse = 0;
    await(loop, &a, 2); /* the kernel takes it at the next look */
    double start = psClockMono(psClockSystem());
    await(loop, &a, 200);
    testOk(psClockMono(psClockSystem()) - start < 5, "and at full speed once the kernel takes it");
    refuse = EPERM;
    psLoopUnwatch(&a.watch);
    testOk(psLoopWatch(loop, &a.watch, a.fd, EPOLLIN, sideReady, &a) == -EPERM,
           "what will never be taken is an error");
    refuse = 0;
    sideClose(&a);
    psLoopFree(loop);
}

/* ---- timers ---- */

typedef struct alarmClock {
    psLoop *loop;
    psTimer timer;
    int calls;
    int order;      /* its place in the row of all calls */
    bool rearm;     /* for now, from its callback */
    psTimer *other; /* disarmed in its callback */
} alarmClock;

static int alarms;

static void alarmRings(void *ctx)
{
    alarmClock *a = ctx;

    a->calls++;
    a->order = ++alarms;
    if (a->other)
        psLoopDisarm(a->other);
    if (a->rearm)
        psLoopArm(a->loop, &a->timer, psLoopNow(a->loop), alarmRings, a);
}

static void arm(psLoop *loop, alarmClock *a, double deadline)
{
    a->loop = loop;
    psLoopArm(loop, &a->timer, deadline, alarmRings, a);
}

static void timers_RingInOrderOfDeadline(void)
{
    alarmClock a = {.calls = 0}, b = a, c = a, d = a;

    testDiag("timers_RingInOrderOfDeadline");
    alarms = 0;
    fakeNow = 100;
    psLoop *loop = psLoopCreate(&fakeClock);
    arm(loop, &a, 103);
    arm(loop, &b, 101);
    arm(loop, &c, 102);
    arm(loop, &d, 101);
    psLoopRound(loop, 0);
    testOk(alarms == 0, "none before its time");
    fakeNow = 101;
    psLoopRound(loop, 0);
    testOk(b.order == 1 && d.order == 2 && alarms == 2, "due at 101, first come first");
    arm(loop, &a, 101.5); /* re-armed sooner */
    fakeNow = 110;
    psLoopRound(loop, -1);
    testOk(a.order == 3 && c.order == 4 && a.calls == 1, "rest in order (%d, %d)", a.order,
           c.order);
    testOk1(!a.timer.loop && !b.timer.loop);
    arm(loop, &a, 111);
    psLoopDisarm(&a.timer);
    psLoopDisarm(&a.timer);
    fakeNow = 112;
    psLoopRound(loop, 0);
    testOk(a.calls == 1, "a disarmed one is silent");
    psLoopFree(loop);
}

static void timer_RearmedForNow_WaitsForNextRound(void)
{
    alarmClock a = {.rearm = true}, b = {.other = &a.timer}, c = {.calls = 0};

    testDiag("timer_RearmedForNow_WaitsForNextRound");
    fakeNow = 5;
    psLoop *loop = psLoopCreate(&fakeClock);
    arm(loop, &a, 5);
    psLoopRound(loop, -1);
    testOk(a.calls == 1, "one call a round (%d)", a.calls);
    psLoopRound(loop, -1);
    testOk(a.calls == 2, "and the next does not sleep (%d)", a.calls);
    b.other = &c.timer;
    psLoopDisarm(&a.timer);
    arm(loop, &b, 5);
    arm(loop, &c, 5);
    psLoopRound(loop, -1);
    testOk(b.calls == 1 && c.calls == 0, "disarmed by another of the same round");
    psLoopFree(loop);
}

static void timer_OnRealClock_DoesNotSpin(void)
{
    alarmClock a = {.calls = 0};
    psLoop *loop = psLoopCreate(psClockSystem());
    double start = psClockMono(psClockSystem()), took;
    int rounds = 0;

    testDiag("timer_OnRealClock_DoesNotSpin");
    arm(loop, &a, start + 0.0502);
    while (!a.calls && rounds < 1000) {
        psLoopRound(loop, -1);
        rounds++;
    }
    took = psClockMono(psClockSystem()) - start;
    testOk(took >= 0.0502, "not early: %.6f s", took);
    testOk(rounds <= 2, "%d rounds for one deadline", rounds);
    psLoopRound(loop, 0.001);
    testPass("a bounded round returns");
    psLoopFree(loop);
}

/* ---- jobs ---- */

typedef struct work {
    psLoop *loop;
    psJob job;
    int calls;
    bool defersAgain, postsAgain, stops;
    epicsThreadId ranIn;
} work;

static void workRuns(void *ctx)
{
    work *w = ctx;

    w->calls++;
    w->ranIn = epicsThreadGetIdSelf();
    if (w->defersAgain)
        psLoopDefer(w->loop, &w->job);
    if (w->postsAgain)
        psLoopPost(w->loop, &w->job);
    if (w->stops)
        psLoopStop(w->loop);
}

#define WORK(loopPtr)                                                                              \
    {                                                                                              \
        .loop = (loopPtr), .job = {.fn = workRuns }                                                \
    }

static void jobs_RunOncePerQueueing(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);
    work a = WORK(loop), b = WORK(loop), c = WORK(loop);

    testDiag("jobs_RunOncePerQueueing");
    a.job.ctx = &a;
    b.job.ctx = &b;
    c.job.ctx = &c;
    psLoopPost(loop, &a.job);
    psLoopPost(loop, &a.job);
    psLoopPost(loop, &b.job);
    psLoopCancel(loop, &b.job);
    psLoopCancel(loop, &b.job);
    psLoopRound(loop, -1);
    testOk(a.calls == 1, "queued twice, ran once (%d)", a.calls);
    testOk(b.calls == 0, "cancelled");
    a.postsAgain = true;
    psLoopPost(loop, &a.job);
    psLoopRound(loop, -1);
    testOk(a.calls == 2, "posts itself: once a round (%d)", a.calls);
    a.postsAgain = false;
    psLoopRound(loop, -1);
    testOk(a.calls == 3, "and the next does not sleep (%d)", a.calls);
    c.defersAgain = true;
    psLoopDefer(loop, &c.job);
    psLoopPost(loop, &c.job); /* is queued already */
    psLoopRound(loop, -1);
    testOk(c.calls == 1, "end-of-round job ran once (%d)", c.calls);
    psLoopRound(loop, -1);
    testOk(c.calls == 2, "deferred from itself: next round, without sleep (%d)", c.calls);
    psLoopCancel(loop, &c.job);
    psLoopRound(loop, 0);
    testOk(c.calls == 2, "a deferred one is cancelled");
    psLoopFree(loop);
}

static void runLoop(void *arg)
{
    psLoopRun(arg);
}

static void post_FromOtherThread_WakesTheLoop(void)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    psLoop *loop = psLoopCreate(psClockSystem());
    work a = WORK(loop);

    testDiag("post_FromOtherThread_WakesTheLoop");
    opts.joinable = 1;
    a.job.ctx = &a;
    a.stops = true;
    testOk(psLoopInside(loop), "anybody's before it runs");
    epicsThreadId thread = epicsThreadCreateOpt("loop", runLoop, loop, &opts);
    psLoopPost(loop, &a.job); /* without a wake-up the join would last for ever */
    epicsThreadMustJoin(thread);
    testOk(a.calls == 1 && a.ranIn == thread, "ran in the loop thread");
    testOk(psLoopInside(loop), "anybody's after it ran");
    psLoopStop(loop);
    psLoopRun(loop);
    testPass("stopped before it runs: returns at once");
    psLoopFree(loop);
}

/* ---- signals, idleness ---- */

static int raisedSum, raisedCalls;

static void onRaise(void *ctx, int signo)
{
    (void)ctx;
    raisedSum += signo;
    raisedCalls++;
}

static void raise_IsDeliveredOncePerNumber(void)
{
    psLoop *loop = psLoopCreate(&fakeClock);

    testDiag("raise_IsDeliveredOncePerNumber");
    psLoopRaise(loop, 15);
    psLoopOnRaise(loop, onRaise, NULL);
    psLoopRaise(loop, 1);
    psLoopRaise(loop, 64);
    psLoopRaise(loop, 1);
    errno = 42;
    psLoopRaise(loop, 99);
    testOk(errno == 42, "errno is kept");
    psLoopRound(loop, -1);
    testOk(raisedCalls == 3 && raisedSum == 1 + 15 + 64, "1, 15 and 64: %d calls, sum %d",
           raisedCalls, raisedSum);
    psLoopRound(loop, 0);
    testOk(raisedCalls == 3, "once");
    psLoopFree(loop);
}

static void idle_Sleeps(void)
{
    alarmClock a = {.calls = 0};
    psLoop *loop = psLoopCreate(psClockSystem());
    work w = WORK(loop);
    struct rusage before, after;

    testDiag("idle_Sleeps");
    w.job.ctx = &w;
    psLoopPost(loop, &w.job);
    psLoopRound(loop, 0);
    psLoopRound(loop, 0); /* what is left of the wake-up */
    getrusage(RUSAGE_THREAD, &before);
    psLoopRound(loop, 0.1);
    getrusage(RUSAGE_THREAD, &after);
    long waits = after.ru_nvcsw - before.ru_nvcsw;
    testOk(waits <= 2, "%ld context switches in an idle tenth of a second", waits);
    arm(loop, &a, psClockMono(psClockSystem()) + 1000);
    fakeNow = psClockMono(psClockSystem());
    psLoopRound(loop, 0.02);
    testOk1(a.calls == 0);
    testOk1(psLoopTakeMaxLatency(loop) >= 0);
    testOk1(psLoopTakeMaxLatency(loop) == 0);
    psLoopFree(loop);
}

MAIN(psLoopTest)
{
    (void)argc;
    (void)argv;
    testPlan(52);
    watch_Readable_IsCalledUntilRead();
    watch_SilencedAndHungUp_IsNotCalled();
    unwatch_DuringDispatch_SuppressesReportedEvent();
    unwatch_Itself_AndWatchAgain();
    modify_DuringDispatch_SuppressesReportedEvent();
    watch_ThatTheKernelRefuses_IsNotDeaf();
    timers_RingInOrderOfDeadline();
    timer_RearmedForNow_WaitsForNextRound();
    timer_OnRealClock_DoesNotSpin();
    jobs_RunOncePerQueueing();
    post_FromOtherThread_WakesTheLoop();
    raise_IsDeliveredOncePerNumber();
    idle_Sleeps();
    return testDone();
}
