/* SPDX-License-Identifier: EPICS */
/** @file psLoop.h
 *  @brief The event loop: descriptors, timers, jobs from other threads.
 *
 *  epoll, level-triggered.  All objects are embedded in their owners; nothing is freed by the
 *  loop.  A callback may unwatch, disarm and re-arm anything, itself included: what is
 *  unwatched gets no further call, not even one that the kernel has reported in this round.
 *  One round: raised signals, ready descriptors, jobs, due timers, then the end-of-round jobs.
 *  (So an exit that arrives together with the end of a deadline is seen before it.)
 *  When nothing is due the loop sleeps; it has no tick.
 *  Thread: the loop's unless a function says otherwise; before the first round and after
 *  psLoopRun() has returned, any one thread.  Blocks: only psLoopRun() and psLoopRound().
 */
#ifndef INC_psLoop_H
#define INC_psLoop_H

#include <stdbool.h>

#include <ellLib.h>

#include "base/psClock.h"
#include "loop/psJob.h"
#include "loop/psTimer.h"

typedef struct psLoop psLoop;

typedef void (*psWatchFn)(void *ctx, unsigned events); /* EPOLLIN, EPOLLOUT, EPOLLERR... */
typedef struct psWatch {
    ELLNODE node; /* loop's list of watches */
    psLoop *loop; /* NULL: not watched */
    int fd;
    unsigned events; /* asked for */
    unsigned known;  /* of them with the kernel */
    psWatchFn fn;
    void *ctx;
} psWatch;

/** Thread: any.  @return NULL without memory, a mutex, or descriptors for epoll and eventfd */
psLoop *psLoopCreate(const psClock *clock);
/** After psLoopRun() has returned, with nothing watched any more.  NULL is fine. */
void psLoopFree(psLoop *loop);
/** Run rounds until psLoopStop().  The calling thread becomes the loop thread. */
void psLoopRun(psLoop *loop);
/** Do one round, waiting at most @p maxWaitSec (< 0: until something is due).  For tests and
 *  psLoopRun().  The calling thread becomes the loop thread. */
void psLoopRound(psLoop *loop, double maxWaitSec);
/** Return from psLoopRun() after this round.  Thread: any. */
void psLoopStop(psLoop *loop);
/** Stop the program if the caller is not the loop thread: our own bug. */
void psLoopAssertInside(const psLoop *loop);
bool psLoopInside(const psLoop *loop);
const psClock *psLoopClock(const psLoop *loop);
/** Monotonic time at the beginning of this round's dispatch, s; makes no system call. */
double psLoopNow(const psLoop *loop);
/** The longest round, from its wake-up to its end, since the last call, s.  Thread: any. */
double psLoopTakeMaxLatency(psLoop *loop);

/** While the kernel has no memory for a watch, the loop looks at the descriptor every 0.1 s.
 *  @param fd stays the caller's
 *  @return 0, or -errno of epoll_ctl(): this descriptor cannot be watched */
int psLoopWatch(psLoop *loop, psWatch *watch, int fd, unsigned events, psWatchFn fn, void *ctx);
/** Change the events; with 0 it stays watched but silent, even if hung up.  No system call if
 *  nothing changes. */
void psLoopModify(psWatch *watch, unsigned events);
/** Must be called before the fd is closed.  Idempotent. */
void psLoopUnwatch(psWatch *watch);

/** Arm, or arm anew, for the absolute monotonic @p deadline, s. */
void psLoopArm(psLoop *loop, psTimer *timer, double deadline, void (*fn)(void *ctx), void *ctx);
void psLoopDisarm(psTimer *timer);

/** Thread: any.  Blocks: never. */
void psLoopPost(psLoop *loop, psJob *job);
/** Take a job back that may still be queued.  Thread: any, but see "must live until it ran". */
void psLoopCancel(psLoop *loop, psJob *job);
/** Run @p job at the end of this round (loop thread): where data are sent and closed objects
 *  are freed.  A job deferred from an end-of-round job runs in the next round, without sleep. */
void psLoopDefer(psLoop *loop, psJob *job);

/** From a signal handler: @p fn is called in the loop with each number raised since, once.
 *  Async-signal-safe: an atomic or and a write to the eventfd. */
void psLoopRaise(psLoop *loop, int signo);
void psLoopOnRaise(psLoop *loop, void (*fn)(void *ctx, int signo), void *ctx);

#endif
