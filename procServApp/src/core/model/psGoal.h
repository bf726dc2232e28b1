/* SPDX-License-Identifier: EPICS */
/** @file psGoal.h
 *  @brief Commands in progress: what each waits for, and how it ends.  Level 1, pure.
 *
 *  A goal is checked after every transition.  start and restart: an incarnation newer than the
 *  command runs.  stop and kill: the incarnation present when it was given is gone.  rotate log:
 *  the owner said how it went (psGoalsEnd).  It fails
 *  with a reason when a later command or the policy makes it unreachable, at CrashLoop, at
 *  shutdown, and after 2 x grace + 5 s.
 *
 *  A goal ends in two steps: it is decided, and `ended` is told; then, once the owner has
 *  published what led to it, psGoalsDeliver() tells who gave the command.  So whoever waits for
 *  a command finds its outcome published.
 */
#ifndef INC_psGoal_H
#define INC_psGoal_H

#include <ellLib.h>

#include "model/psMachine.h"
#include "base/psTypes.h"

typedef void (*psGoalFn)(void *ctx, psCmdState how, const char *msg);

typedef struct psGoal {
    ELLNODE node;
    psVerb verb;
    int seq;                   /* of the command */
    bool up;                   /* waits for a running process, else for one to be gone... */
    bool word;                 /* ...or for psGoalsEnd() only */
    unsigned long incarnation; /* up: at least this; else: this must be gone */
    double deadline;           /* monotonic s */
    const char *merged;        /* what it was merged with, for the message; static; NULL: nothing */
    psGoalFn done;
    void *ctx;
    psCmdState how; /* once it has ended */
    char msg[PS_TEXT_BYTES];
} psGoal;

typedef struct psGoals {
    ELLLIST list;       /* in progress */
    ELLLIST over;       /* ended, not delivered */
    unsigned long gone; /* newest incarnation known to have ended */
    /** Called for each that ends, at once; may be NULL. */
    void (*ended)(void *ctx, const psGoal *goal, psCmdState how, const char *msg);
    void *ctx;
} psGoals;

void psGoalsInit(psGoals *goals,
                 void (*ended)(void *ctx, const psGoal *goal, psCmdState how, const char *msg),
                 void *ctx);
/** Remember a command that waits.  Call after its step, with the machine as it is then.
 *  @param merged psOutput.why of that step: what the command was merged with.  Static
 *  @return 0, -ENOSPC at PS_GOALS, -ENOMEM */
int psGoalsAdd(psGoals *goals, psVerb verb, int seq, const char *merged, const psMachine *machine,
               double now, psGoalFn done, void *ctx);
/** Before the step of a command that @p by gave: ends the goals it makes unreachable. */
void psGoalsSupersede(psGoals *goals, psVerb verb, const char *by);
/** Ends the goals of @p verb that only wait for this, up to the one of command @p seq. */
void psGoalsEnd(psGoals *goals, psVerb verb, int seq, psCmdState how, const char *msg);
/** After a step: ends what is reached, or can't be reached any more.
 *  @param ended the incarnation whose process ended or failed to start in this step; 0: none
 *  @param why   sentence about that end, for goals that fail by it; may be NULL */
void psGoalsCheck(psGoals *goals, const psMachine *machine, double now, unsigned long ended,
                  const char *why);
/** Call `done` of those that have ended, in that order. */
void psGoalsDeliver(psGoals *goals);
/** End all, with @p how and @p why. */
void psGoalsFailAll(psGoals *goals, psCmdState how, const char *why);
/** Soonest deadline, monotonic s; HUGE_VAL: none. */
double psGoalsDeadline(const psGoals *goals);

#endif
