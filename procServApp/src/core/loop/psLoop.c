/* SPDX-License-Identifier: EPICS */
/* The event loop.
 *
 * Three things can wake the loop: a watched descriptor, the soonest timer, and the eventfd that
 * other threads and signal handlers write to.  Nothing else does: an idle loop sleeps for ever.
 *
 * What the kernel has reported is kept in `ready` until it is dispatched, so that unwatching can
 * strike out an event that another callback of the same round has made obsolete (its descriptor
 * may be closed and its number reused by then).
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsThread.h>

#include "loop/psLoop.h"

#include "base/psLog.h"
#include "loop/psEpoll.h"

#define PS_LOOP_EVENTS 128 /* reported at once; the rest stays with the kernel, in turn */
#define PS_LOOP_MAX_WAIT 86400.0
#define PS_LOOP_REFUSED_SEC 0.1 /* how often one looks at what the kernel does not watch */
#define EPOLL_ALWAYS (EPOLLERR | EPOLLHUP) /* reported whether asked for or not */

struct psLoop {
    /* fixed after psLoopCreate */
    const psClock *clock;
    int epollFd;
    int wakeFd;

    /* loop thread only */
    ELLLIST watches;
    psTimerList timers;
    struct epoll_event ready[PS_LOOP_EVENTS];
    int readyCount;
    int readyNext;        /* first not dispatched yet */
    psTimer refusedTimer; /* armed while the kernel refuses a watch */
    double now;
    bool waitFailed; /* that it cannot wait was reported */
    void (*raiseFn)(void *ctx, int signo);
    void *raiseCtx;

    /* any thread */
    _Atomic(epicsThreadId) owner; /* NULL: nobody's yet, or no more */
    atomic_bool stop;
    _Atomic uint64_t raised; /* bit N-1: signal N */
    _Atomic uint64_t maxLatencyNs;

    psJobList jobs;
};

static void wake(psLoop *loop)
{
    const uint64_t one = 1;

    /* EAGAIN means that the counter is full: it is awake, then */
    while (write(loop->wakeFd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

psLoop *psLoopCreate(const psClock *clock)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
    psLoop *loop = calloc(1, sizeof(*loop));

    if (!loop)
        return NULL;
    loop->clock = clock;
    ellInit(&loop->watches);
    psTimerListInit(&loop->timers);
    loop->epollFd = epoll_create1(EPOLL_CLOEXEC);
    loop->wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int status = psJobListInit(&loop->jobs);
    event.data.ptr = loop; /* no watch has this address */
    if (loop->epollFd < 0 || loop->wakeFd < 0 || status ||
        epoll_ctl(loop->epollFd, EPOLL_CTL_ADD, loop->wakeFd, &event) < 0) {
        psLoopFree(loop);
        return NULL;
    }
    loop->now = psClockMono(clock);
    return loop;
}

void psLoopFree(psLoop *loop)
{
    ELLNODE *node;

    if (!loop)
        return;
    while ((node = ellGet(&loop->watches)))
        CONTAINER(node, psWatch, node)->loop = NULL;
    for (psTimer *timer = psTimerListFirst(&loop->timers); timer;
         timer = psTimerListFirst(&loop->timers))
        psLoopDisarm(timer);
    if (loop->epollFd >= 0)
        close(loop->epollFd);
    if (loop->wakeFd >= 0)
        close(loop->wakeFd);
    psJobListClear(&loop->jobs);
    free(loop);
}

/* ---- descriptors ---- */

static void lookAtRefused(void *ctx);

/* Pass the events to the kernel.  With no event asked for, epoll would still report EPOLLHUP and
 * EPOLLERR, and spin on them: so such a watch is not with the kernel at all. */
static int epollSet(psWatch *watch, unsigned events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = watch}};
    int op = EPOLL_CTL_MOD;

    if (watch->known == events)
        return 0;
    if (!watch->known)
        op = EPOLL_CTL_ADD;
    else if (!events)
        op = EPOLL_CTL_DEL;
    if (epoll_ctl(watch->loop->epollFd, op, watch->fd, &event) < 0)
        return -errno;
    watch->known = events;
    return 0;
}

/* It has no memory to spare, or the user has too many watches: that may pass. */
static bool isShortage(int status)
{
    return status == -ENOMEM || status == -ENOSPC;
}

static void expectRefused(psLoop *loop)
{
    if (!loop->refusedTimer.loop)
        psLoopArm(loop, &loop->refusedTimer, psClockMono(loop->clock) + PS_LOOP_REFUSED_SEC,
                  lookAtRefused, loop);
}

int psLoopWatch(psLoop *loop, psWatch *watch, int fd, unsigned events, psWatchFn fn, void *ctx)
{
    psLoopAssertInside(loop);
    assert(!watch->loop);
    watch->loop = loop;
    watch->fd = fd;
    watch->events = events;
    watch->known = 0;
    watch->fn = fn;
    watch->ctx = ctx;
    int status = epollSet(watch, events);
    if (status && !isShortage(status)) {
        watch->loop = NULL;
        return status;
    }
    ellAdd(&loop->watches, &watch->node);
    if (status)
        expectRefused(loop);
    return 0;
}

void psLoopModify(psWatch *watch, unsigned events)
{
    if (!watch->loop)
        return;
    psLoopAssertInside(watch->loop);
    watch->events = events;
    if (epollSet(watch, events))
        expectRefused(watch->loop);
}

void psLoopUnwatch(psWatch *watch)
{
    psLoop *loop = watch->loop;

    if (!loop)
        return;
    psLoopAssertInside(loop);
    (void)epollSet(watch, 0); /* cannot fail for one that the kernel knows */
    for (int i = loop->readyNext; i < loop->readyCount; i++)
        if (loop->ready[i].data.ptr == watch)
            loop->ready[i].data.ptr = NULL;
    ellDelete(&loop->watches, &watch->node);
    watch->loop = NULL;
}

static void dispatchReady(psLoop *loop)
{
    while (loop->readyNext < loop->readyCount) {
        const struct epoll_event *event = &loop->ready[loop->readyNext++];
        psWatch *watch = event->data.ptr;
        unsigned events;

        if (event->data.ptr == loop) {
            uint64_t count;

            while (read(loop->wakeFd, &count, sizeof(count)) < 0 && errno == EINTR) {
            }
            continue;
        }
        if (!watch || !watch->events)
            continue;
        /* another callback may have asked for less meanwhile */
        events = event->events & (watch->events | EPOLL_ALWAYS);
        if (events)
            watch->fn(watch->ctx, events);
    }
    loop->readyCount = loop->readyNext = 0;
}

/* What the kernel does not watch for us is offered to it again, and else looked at: nobody is deaf
 * for want of kernel memory, only slow. */
static void lookAtRefused(void *ctx)
{
    psLoop *loop = ctx;

    for (ELLNODE *node = ellFirst(&loop->watches); node; node = ellNext(node)) {
        psWatch *watch = CONTAINER(node, psWatch, node);
        struct pollfd look = {.fd = watch->fd, .events = (short)watch->events};

        if (epollSet(watch, watch->events) == 0)
            continue;
        expectRefused(loop);
        if (loop->readyCount < PS_LOOP_EVENTS && poll(&look, 1, 0) > 0)
            loop->ready[loop->readyCount++] = (struct epoll_event){
                .events = (unsigned short)look.revents, .data = {.ptr = watch}};
    }
    dispatchReady(loop);
}

/* ---- timers ---- */

void psLoopArm(psLoop *loop, psTimer *timer, double deadline, void (*fn)(void *ctx), void *ctx)
{
    psLoopAssertInside(loop);
    psLoopDisarm(timer);
    timer->loop = loop;
    timer->deadline = deadline;
    timer->fn = fn;
    timer->ctx = ctx;
    psTimerListAdd(&loop->timers, timer);
}

void psLoopDisarm(psTimer *timer)
{
    if (!timer->loop)
        return;
    psLoopAssertInside(timer->loop);
    psTimerListRemove(&timer->loop->timers, timer);
    timer->loop = NULL;
}

static void dispatchTimers(psLoop *loop)
{
    /* one that arms itself for now again has its turn in the next round */
    for (int left = psTimerListCount(&loop->timers); left > 0; left--) {
        psTimer *timer = psTimerListFirst(&loop->timers);

        if (!timer || timer->deadline > loop->now)
            break;
        psLoopDisarm(timer);
        timer->fn(timer->ctx);
    }
}

/* ---- jobs ---- */

/* The loop thread looks at the lists before it sleeps. */
static void wakeOther(psLoop *loop)
{
    if (atomic_load(&loop->owner) != epicsThreadGetIdSelf())
        wake(loop);
}

void psLoopPost(psLoop *loop, psJob *job)
{
    if (psJobListAdd(&loop->jobs, job, false))
        wakeOther(loop);
}

void psLoopDefer(psLoop *loop, psJob *job)
{
    psLoopAssertInside(loop);
    if (psJobListAdd(&loop->jobs, job, true))
        wakeOther(loop);
}

void psLoopCancel(psLoop *loop, psJob *job)
{
    psJobListRemove(&loop->jobs, job);
}

/* ---- signals ---- */

void psLoopRaise(psLoop *loop, int signo)
{
    int saved = errno;

    if (signo >= 1 && signo <= 64) {
        atomic_fetch_or(&loop->raised, UINT64_C(1) << (signo - 1));
        wake(loop);
    }
    errno = saved;
}

void psLoopOnRaise(psLoop *loop, void (*fn)(void *ctx, int signo), void *ctx)
{
    psLoopAssertInside(loop);
    loop->raiseFn = fn;
    loop->raiseCtx = ctx;
}

static void dispatchRaised(psLoop *loop)
{
    uint64_t raised;

    if (!loop->raiseFn || !atomic_load(&loop->raised))
        return;
    raised = atomic_exchange(&loop->raised, 0);
    for (int signo = 1; raised; signo++, raised >>= 1)
        if ((raised & 1) && loop->raiseFn)
            loop->raiseFn(loop->raiseCtx, signo);
}

/* ---- rounds ---- */

/* How long to sleep, s; < 0 for ever. */
static double waitSec(psLoop *loop, double maxWaitSec)
{
    const psTimer *timer = psTimerListFirst(&loop->timers);

    if (maxWaitSec == 0 || psJobListAny(&loop->jobs) || atomic_load(&loop->stop) ||
        (loop->raiseFn && atomic_load(&loop->raised)))
        return 0;
    if (timer) {
        double left = timer->deadline - psClockMono(loop->clock);

        if (left <= 0)
            return 0;
        if (maxWaitSec < 0 || left < maxWaitSec)
            maxWaitSec = left;
    }
    return maxWaitSec > PS_LOOP_MAX_WAIT ? PS_LOOP_MAX_WAIT : maxWaitSec;
}

static void noteLatency(psLoop *loop)
{
    double sec = psClockMono(loop->clock) - loop->now;
    uint64_t ns = sec > 0 ? (uint64_t)(sec * 1e9) : 0;

    if (ns > atomic_load(&loop->maxLatencyNs))
        atomic_store(&loop->maxLatencyNs, ns);
}

/* A filter of system calls, most likely.  Timers and jobs go on, and nothing may spin. */
static void waitFailed(psLoop *loop, int error)
{
    static const struct timespec pause = {.tv_nsec = 100000000L};

    if (!loop->waitFailed)
        psLogPrintf("the loop cannot wait for events: %s", strerror(error));
    loop->waitFailed = true;
    nanosleep(&pause, NULL);
}

void psLoopRound(psLoop *loop, double maxWaitSec)
{
    atomic_store(&loop->owner, epicsThreadGetIdSelf());
    int count = psEpollWait(loop->epollFd, loop->ready, PS_LOOP_EVENTS, waitSec(loop, maxWaitSec));
    if (count < 0 && count != -EINTR)
        waitFailed(loop, -count);
    loop->readyNext = 0;
    loop->readyCount = count > 0 ? count : 0;
    loop->now = psClockMono(loop->clock);

    dispatchRaised(loop);
    dispatchReady(loop);
    psJobListRun(&loop->jobs, false);
    dispatchTimers(loop);
    psJobListRun(&loop->jobs, true);
    noteLatency(loop);
}

void psLoopRun(psLoop *loop)
{
    while (!atomic_exchange(&loop->stop, false))
        psLoopRound(loop, -1);
    atomic_store(&loop->owner, NULL);
}

void psLoopStop(psLoop *loop)
{
    atomic_store(&loop->stop, true);
    wake(loop);
}

bool psLoopInside(const psLoop *loop)
{
    epicsThreadId owner = atomic_load(&((psLoop *)loop)->owner);

    /* before the first round and after the last there is no other thread to disturb */
    return !owner || owner == epicsThreadGetIdSelf();
}

void psLoopAssertInside(const psLoop *loop)
{
    assert(psLoopInside(loop));
    (void)loop;
}

const psClock *psLoopClock(const psLoop *loop)
{
    return loop->clock;
}

double psLoopNow(const psLoop *loop)
{
    return loop->now;
}

double psLoopTakeMaxLatency(psLoop *loop)
{
    return (double)atomic_exchange(&loop->maxLatencyNs, 0) * 1e-9;
}
