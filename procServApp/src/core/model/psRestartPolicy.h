/* SPDX-License-Identifier: EPICS */
/** @file psRestartPolicy.h
 *  @brief Whether there is an automatic start, and when it is due.  Pure.
 *
 *  Embedded in psMachine.  It remembers what the delays depend on: short runs and failed starts
 *  in a row, the credit of automatic starts, and the times of recent starts and crashes.  It
 *  knows neither states nor commands; psMachine asks it.
 *
 *  - Hold-off: counted from the process's start.  Each short run after the first doubles it, up
 *    to holdoffMaxSec if that is larger; with a hold-off of 0 the delays are 0, 1, 2, 4 s ...
 *    A run is short if it ended unasked before max(hold-off, PS_SHORT_RUN_SEC).
 *  - Failed starts wait PS_FAILED_START_SEC from the failure, doubling to
 *    PS_FAILED_START_MAX_SEC, or the hold-off if that is longer.
 *  - Credit: automatic starts draw on PS_CREDIT_MAX, refilled by PS_CREDIT_PER_SEC, so that a
 *    hold-off of 0 restarts at once and a crash loop cannot eat the machine.
 *
 *  All times are monotonic seconds.  Not thread-safe; one owner.
 */
#ifndef INC_psRestartPolicy_H
#define INC_psRestartPolicy_H

#include <stdbool.h>

#include "base/psTypes.h"

#define PS_CREDIT_MAX 250.0
#define PS_CREDIT_PER_SEC 2.0
#define PS_SHORT_RUN_SEC 10.0
#define PS_FAILED_START_SEC 1.0
#define PS_FAILED_START_MAX_SEC 60.0
#define PS_WINDOW_STARTS 1000 /**< starts remembered: the largest maxRestarts */
#define PS_WINDOW_CRASHES 128 /**< crashes remembered: WindowCrashes counts so far */

/** Times of the last events; when it is full, the oldest is dropped. */
typedef struct psWindow {
    int first, count;
} psWindow;

/** Read freely; only psRestartPolicy.c writes. */
typedef struct psRestartPolicy {
    int shortRuns;    /**< in a row */
    int failedStarts; /**< in a row */
    double credit;    /**< automatic starts left at creditMono */
    double creditMono;
    psWindow autoStarts, crashes;
    double startTimes[PS_WINDOW_STARTS];  /* of autoStarts */
    double crashTimes[PS_WINDOW_CRASHES]; /* of crashes */
} psRestartPolicy;

/** Nothing has happened; the credit is full. */
void psRestartPolicyInit(psRestartPolicy *policy, double now);
/** Somebody gave a command: earlier failures no longer count.  The credit stays. */
void psRestartPolicyForget(psRestartPolicy *policy);

/** A process runs: the row of failed starts is over. */
void psRestartPolicySpawned(psRestartPolicy *policy);
/** A start failed, unasked.  It counts as a crash. */
void psRestartPolicyStartFailed(psRestartPolicy *policy, double now);
/** A process ended after @p ranSec.
 *  @param asked somebody asked for it
 *  @param clean with exit status 0 */
void psRestartPolicyEnded(psRestartPolicy *policy, const psSettings *settings, double ranSec,
                          bool asked, bool clean, double now);

/** Count an automatic start after an end that nobody asked for.
 *  @return false: maxRestarts of them were within restartWindowSec, so there is to be none */
bool psRestartPolicyAdmit(psRestartPolicy *policy, const psSettings *settings, double now);
/** When an automatic start is due by hold-off and back-off.
 *  @param startMono when the last process started, or when the last start failed */
double psRestartPolicyDue(const psRestartPolicy *policy, const psSettings *settings,
                          double startMono);
/** Take the credit of a start that is due at @p due.
 *  @return a time after @p now, when to try again: nothing was taken; else it may start now */
double psRestartPolicyTake(psRestartPolicy *policy, double due, double now);

/** Ends that nobody asked for within the restart window before @p now, PS_WINDOW_CRASHES at most.
 */
int psRestartPolicyCrashes(const psRestartPolicy *policy, const psSettings *settings, double now);
/** When that number next falls by itself; HUGE_VAL: never. */
double psRestartPolicyCrashesChange(const psRestartPolicy *policy, const psSettings *settings,
                                    double now);

#endif
