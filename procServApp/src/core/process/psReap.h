/* SPDX-License-Identifier: EPICS */
/** @file psReap.h
 *  @brief "This pid ended so", as a loop event.  Level 2.
 *
 *  pidfd and waitid with WNOWAIT: the process stays a zombie, so that its pid and group cannot
 *  be reused, until psReapFinish().
 */
#ifndef INC_psReap_H
#define INC_psReap_H

#include "loop/psLoop.h"

typedef struct psReapInfo {
    bool lost; /**< somebody else reaped it: nothing else is known */
    int code;  /**< exit status; -1 if by a signal */
    int signo; /**< signal; -1 if it exited */
    bool core;
    double maxRssMiB; /**< of the process and those it waited for; the kernel counts what it
                           shared with us before its exec, so never less than our own size */
    double cpuSec;    /**< user + system */
} psReapInfo;

typedef void (*psReapFn)(void *ctx, const psReapInfo *info);

typedef struct psReap {
    psLoop *loop;
    int pid;
    int pidfd; /**< owned here; -1: idle */
    psWatch watch;
    psTimer retry; /* while a debugger holds the dead process, or it can't be watched */
    psReapFn fn;
    void *ctx;
} psReap;
#define PS_REAP_INIT                                                                               \
    {                                                                                              \
        .pidfd = -1                                                                                \
    }

/** Report the end of @p pid once.  Takes @p pidfd, also on failure.  @return 0 or -errno */
int psReapBegin(psReap *reap, psLoop *loop, int pid, int pidfd, psReapFn fn, void *ctx);
/** Reap the zombie and close the pidfd.  Idempotent. */
void psReapFinish(psReap *reap);

#endif
