/* SPDX-License-Identifier: EPICS */
/** @file psGoalFixture.h
 *  @brief Commands in progress beside a machine, and short words for what happens to it.
 */
#ifndef INC_psGoalFixture_H
#define INC_psGoalFixture_H

#include "model/psGoal.h"
#include "psMachineFixture.h"

/** A child as psChild plays it: every step is followed by a check. */
typedef struct psGoalRig {
    psFixture *f;
    psReadiness ready;
    psGoals goals;
    int ended; /* calls of the list's own callback */
} psGoalRig;

/** How one command ended. */
typedef struct psGoalEnd {
    int calls;
    psCmdState how;
    char msg[PS_TEXT_BYTES];
} psGoalEnd;

/** A fresh machine in @p state, and no command.  The child has no rule of readiness. */
void psGoalSetUp(psGoalRig *rig, psFixture *f, psState state);
/** Ends what is left, so that nothing leaks. */
void psGoalTearDown(psGoalRig *rig);

/** As psGoalFn; @p ctx is a psGoalEnd. */
void psGoalDone(void *ctx, psCmdState how, const char *msg);
/** A command of ops@ws3.  @return as psGoalsAdd(), or 0 */
int psGoalCommand(psGoalRig *rig, psVerb verb, psGoalEnd *end);

/** @name What happens, and the check that follows @{ */
void psGoalSpawned(psGoalRig *rig);
void psGoalSpawnFails(psGoalRig *rig);
void psGoalDies(psGoalRig *rig, int signo);
void psGoalTimePasses(psGoalRig *rig, double sec);
/** @} */
/** Let readiness know whether a process runs. */
void psGoalFollowReadiness(psGoalRig *rig);
/** As psGoalsCheck(), then deliver. */
void psGoalCheck(psGoalRig *rig, unsigned long ended, const char *why);
/** Has it ended once, so, with @p part in its message?  If not, the test's output says how. */
bool psGoalIs(const psGoalEnd *end, psCmdState how, const char *part);

#endif
