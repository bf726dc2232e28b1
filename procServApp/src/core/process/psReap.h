/* SPDX-License-Identifier: EPICS */
/** @file psReap.h
 *  @brief The end of a process, as an event of the loop.
 *
 *  It uses a pidfd, and waitid with WNOWAIT: the process stays a zombie, so that neither its pid
 *  nor its group can be reused, until psReapStop().  Thread: loop.  Blocks: never.
 */
#ifndef INC_psReap_H
#define INC_psReap_H

#include "loop/psLoop.h"

typedef struct psReapInfo {
    bool lost; /**< another part of the program reaped it; nothing else is known */
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

/** Call @p fn once, when the process has ended; idle until then and after psReapStop() only.
 *  A pidfd that cannot be watched is polled every 0.1 s.
 *  @param pid   a child of this process
 *  @param pidfd of it; owned here from now on
 *  @param fn    may call psReapStop() */
void psReapStart(psReap *reap, psLoop *loop, int pid, int pidfd, psReapFn fn, void *ctx);
/** Reap the zombie, if there is one, and close the pidfd.  Idempotent. */
void psReapStop(psReap *reap);

#endif
