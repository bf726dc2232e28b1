/* SPDX-License-Identifier: EPICS */
/** @file psReadiness.h
 *  @brief Is a process ready, and not only running?  Pure.
 *
 *  A rule says when: at once (psReadyNone), or when a line of its output matches, when it sends
 *  READY=1, or when a PV is valid and not 0.  All of it begins anew with each process; what still
 *  comes from an older one is the owner's to keep away, but for the PV: what it was before the
 *  process began does not count until it has been bad or 0 once.
 *
 *  A process that is not ready after timeoutSec is late.  So is one that was ready and has not
 *  been for timeoutSec, because it reloads, because it said that it stops, or because its PV is bad
 *  or 0.
 *
 *  All times are monotonic seconds.  Not thread-safe; one owner.
 */
#ifndef INC_psReadiness_H
#define INC_psReadiness_H

#include <stdbool.h>
#include <stddef.h>

#include "base/psTypes.h"

/** What a process says about itself. */
typedef enum psReadySay {
    psReadySaysReady,
    psReadySaysReloading, /**< not ready until it says so again */
    psReadySaysStopping
} psReadySay;

/** The owner reads freely; only psReadiness.c writes. */
typedef struct psReadiness {
    /* configuration */
    psReadyRule rule;
    const char
        *what; /* the expression, or the name of the PV; not owned; NULL: the rule has none */
    double timeoutSec;
    /* the present process */
    bool running;
    bool met;      /* ready now */
    bool once;     /* it has been ready */
    bool stopping; /* it said so, and not READY=1 since */
    bool reloading;
    bool late;
    bool pvOld;               /* the PV is still as the last process left it */
    double startMono;         /* when it began to run */
    double sinceMono;         /* since when `met` is as it is */
    double missingSec;        /* ready again: how long it was not; else 0 */
    double deadline;          /* of becoming late */
    char said[PS_TEXT_BYTES]; /* its last words about itself; "": none */
    /* over all processes */
    double tookSec; /* from the start to being ready, the last time; 0: never */
    psReadyPvState pv;
} psReadiness;

/** No process runs.
 *  @param what       must live as long as @p readiness
 *  @param timeoutSec > 0 */
void psReadinessInit(psReadiness *readiness, psReadyRule rule, const char *what, double timeoutSec);
/** A process runs. */
void psReadinessBegin(psReadiness *readiness, double now);
/** It has ended, or is asked to. */
void psReadinessEnd(psReadiness *readiness);

/** @name What is heard of the process that runs.  Without one, or by another rule, these do
 *  nothing.  @return true: there is something new to be shown @{ */
bool psReadinessMatched(psReadiness *readiness, double now);
bool psReadinessSaid(psReadiness *readiness, psReadySay say, double now);
/** Its last words about itself; shown by every rule. */
bool psReadinessStatus(psReadiness *readiness, const char *text);
/** It asks for @p sec from now on to become ready; a deadline is only moved later. */
bool psReadinessExtend(psReadiness *readiness, double sec, double now);
/** The PV.  To be reported also while no process runs. */
bool psReadinessPv(psReadiness *readiness, psReadyPvState state, double now);
/** @} */

/** Time has passed.  @return true: it has become late just now */
bool psReadinessTick(psReadiness *readiness, double now);
/** When psReadinessTick() has to be called next; HUGE_VAL: no need. */
double psReadinessDeadline(const psReadiness *readiness);

/** A process runs, and is ready. */
bool psReadinessIsMet(const psReadiness *readiness);
/** What it is waited for, or why it is not ready: "waits for READY=1". */
void psReadinessExplain(const psReadiness *readiness, char *out, size_t size);

#endif
