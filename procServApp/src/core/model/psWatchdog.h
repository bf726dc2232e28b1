/* SPDX-License-Identifier: EPICS */
/** @file psWatchdog.h
 *  @brief Is a running process still alive?  Its signs of life, each kind with a limit.
 *
 *  A rule counts from its first sign on; what else begins it is the owner's affair.  The process is
 *  hung when a rule that counts has seen no sign for longer than its limit, and recovers when none
 *  is over its limit any more.  A sign costs one store: whoever looks at the deadline looks at
 *  the times, so no timer is armed anew for a sign.
 *
 *  Pure.  Times are monotonic seconds.  Thread: one, the owner's, but for psWatchdogSign() and
 *  psWatchdogAge().
 */
#ifndef INC_psWatchdog_H
#define INC_psWatchdog_H

#include <stdatomic.h>

#include "base/psTypes.h"

typedef struct psWatchdog {
    double limitSec[psWatchRuleCount]; /* 0: no such rule; fixed */
    /* The last sign, or when the rule began to count; 0: it does not count.  Written by any thread
     * that gives a sign. */
    _Atomic double seen[psWatchRuleCount];
    atomic_bool running; /* signs count */
    atomic_bool hung;
    bool triggered;     /* psWatchdogTrigger() was called for the present process */
    psWatchRule hungBy; /* while hung */
} psWatchdog;

typedef enum psWatchdogChange {
    psWatchdogSame,
    psWatchdogHung,     /**< it is hung, and was not: dog->hungBy */
    psWatchdogOther,    /**< it is still hung, by another rule: dog->hungBy */
    psWatchdogRecovered /**< it was hung */
} psWatchdogChange;

/** @param limitSec of each rule, s; 0: there is no such rule */
void psWatchdogInit(psWatchdog *dog, const double limitSec[psWatchRuleCount]);
/** Is there a rule at all? */
bool psWatchdogIsSet(const psWatchdog *dog);
/** A process runs, alive, and no rule counts yet. */
void psWatchdogStart(psWatchdog *dog);
/** It does not run any more, or is not to be watched for a time. */
void psWatchdogStop(psWatchdog *dog);
/** Do signs count? */
static inline bool psWatchdogRunning(const psWatchdog *dog)
{
    return atomic_load(&dog->running);
}

/** The process says itself that it is hung: by rule psWatchNotify, if that has a limit, and until
 *  the process ends, whatever it sends.  psWatchdogCheck() is due then. */
void psWatchdogTrigger(psWatchdog *dog);

/** A sign of life at @p at, which is greater than 0; also the way to have a rule count from then
 *  on.
 *  Thread: any.  @return true: psWatchdogCheck() is due now, as the rule counts from now on or the
 *  process was hung */
bool psWatchdogSign(psWatchdog *dog, psWatchRule rule, double at);
/** Has @p rule seen a sign of the present process? */
static inline bool psWatchdogCounts(const psWatchdog *dog, psWatchRule rule)
{
    return atomic_load(&dog->seen[rule]) > 0;
}
/** How many rules have. */
unsigned psWatchdogCounting(const psWatchdog *dog);
/** Look whether something has changed. */
psWatchdogChange psWatchdogCheck(psWatchdog *dog, double now);
/** When psWatchdogCheck() is due, unless a sign asks for it; HUGE_VAL: never. */
double psWatchdogDeadline(const psWatchdog *dog);
/** How long ago the last sign was, s: of the rule that is nearest to its limit, or furthest beyond
 *  it; 0 where none counts.  Thread: any. */
double psWatchdogAge(const psWatchdog *dog, double now);

#endif
