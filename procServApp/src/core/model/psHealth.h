/* SPDX-License-Identifier: EPICS */
/** @file psHealth.h
 *  @brief One value for an alarm server, latched to one alarm per problem.  Pure.
 *
 *  What somebody asked for never raises an alarm, however slow, repeated or violent it is: a stop,
 *  a restart or a kill leaves Health OK, even during the hold-off that follows a kill, and if
 *  SIGKILL is needed after the grace period.  Alarms are raised by
 *  - an end or a failed start that nobody asked for: Transient; Down, if the process has not
 *    been running for PS_UP_SEC at a time within PS_UP_SEC;
 *  - a start that is not confirmed within PS_UP_SEC, whoever asked for it, and a process that is
 *    to be started again but cannot be killed: Down;
 *  - PS_CRASHING_COUNT crashes within the restart window, or CrashLoop: Crashing;
 *  - a process that shows no sign of life: Hung; where it is to be restarted for that: Transient,
 *    as after an end that nobody asked for;
 *  - an end that nobody asked for, where it is not started again: Down, until the exit's alarm
 *    is cleared;
 *  - a process that is late to be ready (psReadiness.h), whoever started it: NotReady, unless it is
 *    Crashing or Down.
 *  Down lasts until a process has been running for PS_UP_SEC, so that one that dies every
 *  5 s raises exactly one alarm; or until nobody wants it up.
 */
#ifndef INC_psHealth_H
#define INC_psHealth_H

#include "model/psMachine.h"

#define PS_UP_SEC 30.0      /**< running so long counts as up; not up so long is a problem */
#define PS_CRASHING_COUNT 5 /**< crashes within the restart window */

/** What has to be remembered between two looks; all zero at first. */
typedef struct psHealthTrack {
    double notUpSince; /**< monotonic s; 0: it is up, or is not to be, or somebody asked for that */
    bool down;         /**< latched until it counts as up */
} psHealthTrack;

/** How it is, as of @p now (monotonic s).  To be called after each step of the machine.
 *  @param exitAlarm the last exit still deserves its alarm
 *  @param late      the process should be ready by now
 *  @param outNext   when the answer may change by itself, monotonic s; HUGE_VAL: never */
psHealth psHealthEvaluate(psHealthTrack *track, const psMachine *machine, bool exitAlarm, bool late,
                          double now, double *outNext);

#endif
