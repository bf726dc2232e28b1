/* SPDX-License-Identifier: EPICS */
/** @file psGoal.h
 *  @brief Commands in progress: what each waits for, and how it ends.  Pure.
 *
 *  Each command is a goal.  Start and restart wait until a process runs and is ready that is newer
 *  than the command, or whose start was in progress when the command was given; stop and kill wait
 *  until the process that was there when the command was given is gone; rotate log waits until the
 *  owner reports the outcome (psGoalsEnd()).  A goal fails with a reason when a later stop, the
 *  restart mode or CrashLoop make it unreachable, when the start fails or the process ends
 *  first, when the process is late to become ready, or a later restart or kill ends it before it
 *  is, and at shutdown.  It times out after 2 x grace + 5 s, but for the time in which a process
 *  that runs may become ready, or when SIGKILL has had no effect for PS_CANNOT_KILL_SEC.
 *
 *  A goal ends in two steps: when it is decided, `ended` is called; then, once the owner has
 *  published what led to it, psGoalsDeliver() calls the `done` of whoever gave the command.  So
 *  whoever waits for a command finds its outcome published.  Each `done` is called exactly once.
 *
 *  All times are monotonic seconds.  Not thread-safe; one owner.
 */
#ifndef INC_psGoal_H
#define INC_psGoal_H

#include <ellLib.h>

#include "model/psMachine.h"
#include "model/psReadiness.h"
#include "base/psTypes.h"

/** How a command ended: Done, Failed or Timeout, and one sentence, valid during the call. */
typedef void (*psGoalFn)(void *ctx, psCmdState how, const char *msg);

typedef struct psGoal {
    ELLNODE node;
    psVerb verb;
    int seq;                   /* of the command */
    bool up;                   /* waits for a running process, else for one to be gone... */
    bool word;                 /* ...or for psGoalsEnd() only */
    unsigned long incarnation; /* up: at least this; else: this must be gone */
    double deadline;           /* monotonic s; HUGE_VAL: psReadiness has one... */
    bool runs;                 /* ...since the process meant runs, and is not ready */
    const char *merged;        /* what it was merged with, for the message; static; NULL: nothing */
    psGoalFn done;
    void *ctx;
    psCmdState how; /* once it has ended */
    char msg[PS_TEXT_BYTES];
} psGoal;

typedef struct psGoals {
    const psReadiness *readiness; /* of the process that runs; not owned */
    ELLLIST list;                 /* in progress */
    ELLLIST over;                 /* ended, not delivered */
    unsigned long gone;           /* newest incarnation known to have ended */
    /** Called for each that ends, at once; may be NULL. */
    void (*ended)(void *ctx, const psGoal *goal, psCmdState how, const char *msg);
    void *ctx;
} psGoals;

/** None in progress.  psGoalsFailAll() and psGoalsDeliver() free what is left.
 *  @param readiness must live as long as @p goals
 *  @param ended     see psGoals; may be NULL */
void psGoalsInit(psGoals *goals, const psReadiness *readiness,
                 void (*ended)(void *ctx, const psGoal *goal, psCmdState how, const char *msg),
                 void *ctx);
/** Remember a command that waits.  Call after its step, with the machine as it is then.
 *  @param merged psOutput.why of that step: what the command was merged with.  Static
 *  @param done may be NULL
 *  @return 0, -ENOSPC at PS_GOALS, -ENOMEM; then nothing will be called */
int psGoalsAdd(psGoals *goals, psVerb verb, int seq, const char *merged, const psMachine *machine,
               double now, psGoalFn done, void *ctx);
/** Before the step of a command that @p by gave: fail the goals that it makes unreachable. */
void psGoalsSupersede(psGoals *goals, psVerb verb, const char *by);
/** End the goals of @p verb that only wait for this, up to the one of command @p seq. */
void psGoalsEnd(psGoals *goals, psVerb verb, int seq, psCmdState how, const char *msg);
/** After a step, a change of readiness, or when psGoalsDeadline() has come: end what is reached, or
 *  cannot be reached any more.
 *  @param ended the incarnation whose process ended or failed to start in this step; 0: none
 *  @param why   a sentence about that end, the message of goals that end by it; may be NULL */
void psGoalsCheck(psGoals *goals, const psMachine *machine, double now, unsigned long ended,
                  const char *why);
/** Call `done` of the goals that have ended, in that order, and free them. */
void psGoalsDeliver(psGoals *goals);
/** End all goals, with @p how and @p why. */
void psGoalsFailAll(psGoals *goals, psCmdState how, const char *why);
/** The soonest deadline; HUGE_VAL: none. */
double psGoalsDeadline(const psGoals *goals);

#endif
