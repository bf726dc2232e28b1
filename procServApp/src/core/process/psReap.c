/* SPDX-License-Identifier: EPICS */
/* The end of a process, from its pidfd.
 *
 * waitid() with WNOWAIT leaves the zombie: as long as it is there, its pid and process group
 * cannot be reused, and the group can be signalled without hitting a stranger.
 */
#include <assert.h>
#include <sys/epoll.h>

#include "process/psReap.h"

#include "process/psPidfd.h"

/* A debugger that holds the dead process makes its pidfd readable while there is nothing to
 * wait for yet.  Level-triggered, that would spin. */
#define PS_REAP_RETRY_SEC 0.1

static void report(psReap *reap, int status, const siginfo_t *info, const struct rusage *usage)
{
    psReapInfo out = {.lost = true, .code = -1, .signo = -1};

    if (status > 0) {
        out.lost = false;
        if (info->si_code == CLD_EXITED) {
            out.code = info->si_status;
        } else {
            out.signo = info->si_status;
            out.core = info->si_code == CLD_DUMPED;
        }
        out.maxRssMiB = (double)usage->ru_maxrss / 1024.0;
        out.cpuSec = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
                     (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1e-6;
    }
    reap->fn(reap->ctx, &out);
}

static void look(void *ctx);

static void ready(void *ctx, unsigned events)
{
    (void)events;
    look(ctx);
}

static void look(void *ctx)
{
    psReap *reap = ctx;
    siginfo_t info;
    struct rusage usage;
    int status = psPidfdWait(reap->pidfd, WNOWAIT, &info, &usage);

    psLoopUnwatch(&reap->watch);
    if (status == 0) {
        psLoopArm(reap->loop, &reap->retry, psLoopNow(reap->loop) + PS_REAP_RETRY_SEC, look, reap);
        return;
    }
    /* ECHILD: somebody else reaped it.  No other error is possible, and would mean no more. */
    report(reap, status, &info, &usage);
}

void psReapStart(psReap *reap, psLoop *loop, int pid, int pidfd, psReapFn fn, void *ctx)
{
    psLoopAssertInside(loop);
    assert(reap->pidfd < 0);
    reap->loop = loop;
    reap->pid = pid;
    reap->pidfd = pidfd;
    reap->fn = fn;
    reap->ctx = ctx;
    /* Its end must not be missed because the kernel is short of something: look for it, then. */
    if (psLoopWatch(loop, &reap->watch, pidfd, EPOLLIN, ready, reap))
        psLoopArm(loop, &reap->retry, psLoopNow(loop) + PS_REAP_RETRY_SEC, look, reap);
}

void psReapStop(psReap *reap)
{
    siginfo_t info;
    struct rusage usage;

    if (reap->pidfd < 0)
        return;
    psLoopAssertInside(reap->loop);
    psLoopUnwatch(&reap->watch);
    psLoopDisarm(&reap->retry);
    /* nothing to do about a failure: lost, or not dead yet */
    (void)psPidfdWait(reap->pidfd, 0, &info, &usage);
    close(reap->pidfd);
    reap->pidfd = -1;
}
