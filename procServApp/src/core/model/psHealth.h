/* SPDX-License-Identifier: EPICS */
/** @file psHealth.h
 *  @brief One value for an alarm server, latched to one alarm a problem.  Level 1, pure.
 *
 *  A process counts as up after PS_UP_SEC of running, so that one that dies every 5 s does
 *  alarm; a single automatic restart is Transient and pages nobody.
 */
#ifndef INC_psHealth_H
#define INC_psHealth_H

#include "model/psMachine.h"

#define PS_UP_SEC 30.0      /* running so long counts as up; down so long is a problem */
#define PS_CRASHING_COUNT 5 /* crashes within the restart window */

typedef struct psHealthTrack {
    double notUpSince; /**< monotonic s; 0: up, or nobody wants it up */
    bool down;         /**< latched until it counts as up */
} psHealthTrack;

/** @param exitAlarm the last exit still deserves its alarm
 *  @param outNext   when the answer may change by itself, monotonic s; HUGE_VAL: never */
psHealth psHealthEvaluate(psHealthTrack *track, const psMachine *machine, bool exitAlarm,
                          double now, double *outNext);

#endif
