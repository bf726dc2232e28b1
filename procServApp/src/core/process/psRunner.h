/* SPDX-License-Identifier: EPICS */
/** @file psRunner.h
 *  @brief A short command of a user, run by /bin/sh beside a supervised process: one at a time,
 *  with a limit.
 *
 *  It has no terminal: it reads a text on standard input, and what it prints is handed out as it
 *  comes.  It is over when the shell has ended.  What is left of its process group then, and
 *  everything of it at the limit, gets SIGKILL; nobody waits for a process of another group that
 *  still has the pipe.  Its environment is a given one and some variables of each start; it
 *  inherits what psSpawn gives, so no descriptor of ours.
 *  Thread: loop, but for psRunnerCreate() and psRunnerFree().  Blocks: only psRunnerFree().
 */
#ifndef INC_psRunner_H
#define INC_psRunner_H

#include "loop/psLoop.h"
#include "process/psReap.h"
#include "process/psSpawn.h"

/** Output of one run, bytes; more is dropped and counted. */
#define PS_RUNNER_OUTPUT_BYTES 1048576
/** Variables of each start. */
#define PS_RUNNER_VARIABLES 8

/** What is the same for all runs; copied, but for what it points to. */
typedef struct psRunnerPlan {
    const char *command;      /**< for /bin/sh -c */
    char *const *envp;        /**< variables in it that are set at each start are replaced */
    const char *const *names; /**< of the variables that are set at each start; ends with NULL; at
                                   most PS_RUNNER_VARIABLES */
    const char *dir;          /**< NULL: stay */
    const psInherit *inherit; /**< NULL: defaults */
    double limitSec;          /**< > 0 */
} psRunnerPlan;

/** How a run ended. */
typedef struct psRunnerEnd {
    const char *why; /**< it could not be started; valid during the call; NULL: it ran */
    bool timedOut;   /**< the limit was over */
    bool killed;     /**< by psRunnerKill() */
    psReapInfo info; /**< of the shell, if it ran */
    size_t dropped;  /**< bytes of output, beyond the limit */
} psRunnerEnd;

typedef struct psRunnerOps {
    void (*output)(void *ctx, const char *bytes, size_t len);
    /** Once for each run; it may start the next one. */
    void (*ended)(void *ctx, const psRunnerEnd *end);
} psRunnerOps;

typedef struct psRunner psRunner;

/** Thread: any.  @return NULL without memory, a mutex or an event */
psRunner *psRunnerCreate(psLoop *loop, const psRunnerPlan *plan, const psRunnerOps *ops, void *ctx);
/** Start a run.
 *  @param values of the names of the plan, in their order; cut to PS_TEXT_BYTES
 *  @param input  for standard input, up to its end; copied
 *  @return 0: ops->ended follows, never from within; -EBUSY: one is under way; -errno: there is no
 *          memory, thread or descriptor, and nothing follows */
int psRunnerStart(psRunner *runner, const char *const *values, const void *input, size_t inputLen);
/** Is a run under way?  NULL: false. */
bool psRunnerBusy(const psRunner *runner);
/** SIGKILL to all of it; ops->ended follows.  Without a run, or with NULL, does nothing. */
void psRunnerKill(psRunner *runner);
/** A run under way is killed, and ops->ended is not called any more.  NULL is fine.
 *  Thread: any, but not in the loop's rounds.  Blocks: as psSpawnFree(). */
void psRunnerFree(psRunner *runner);

#endif
