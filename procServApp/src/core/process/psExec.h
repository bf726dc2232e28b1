/* SPDX-License-Identifier: EPICS */
/** @file psExec.h
 *  @brief From fork to exec: what runs in the new process.
 *
 *  After vfork the new process shares our memory, locks in any state included: everything it
 *  needs is built before (psExecPlan), and it makes system calls only.
 */
#ifndef INC_psExec_H
#define INC_psExec_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "process/psSpawnRequest.h"

/** Seen by both processes, whether forked or vforked: lives in a shared mapping. */
typedef struct psExecShared {
    _Atomic int pid; /**< of the new process, stored by the process itself before anything else */
    _Atomic bool cancelled; /**< it must not exec */
    _Atomic int stage; /**< a psSpawnStage: where it failed; None: it did not fail, or it died */
    _Atomic int error; /**< errno of that */
    /** Name of the system call that was refused; NULL: the stage says enough.  A constant of the
     *  program, so that it is at the same address in both processes */
    const char *_Atomic call;
} psExecShared;

typedef struct psExecPlan {
    psSpawnRequest request;
    psSpawnFiles files; /**< set before psExecRun() */
    char **paths;       /**< to be tried, in this order; ends with NULL */
    char **scriptArgv;  /**< for /bin/sh, where the file is a script without #! */
} psExecPlan;
#define PS_EXEC_PLAN_INIT                                                                          \
    {                                                                                              \
        .paths = NULL                                                                              \
    }

/** @param request copied; what it points to is not.  @return 0 or -ENOMEM */
int psExecPlanInit(psExecPlan *plan, const psSpawnRequest *request);
void psExecPlanClear(psExecPlan *plan); /**< idempotent */

/** Become the program.  Thread: the only one of the new process, every signal blocked.
 *  @param keepFd close-on-exec descriptor that has to stay open until exec; -1: none */
void psExecRun(psExecPlan *plan, psExecShared *shared, int keepFd) __attribute__((noreturn));

/** Close every descriptor from @p first on.  Async-signal-safe.
 *  @param useCloseRange false: as on a kernel without close_range() (before 5.9) */
void psExecCloseFrom(int first, bool useCloseRange);

#endif
