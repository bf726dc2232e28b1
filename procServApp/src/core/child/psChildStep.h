/* SPDX-License-Identifier: EPICS */
/** @file psChildStep.h
 *  @brief From an event to what it leads to: decision, announcement, actions, goals, publication.
 *  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildStep_H
#define INC_psChildStep_H

#include "child/psChildPvt.h"

/** One event, all the way.
 *  @param out what the machine answered; a verdict may have become a failure
 *  @param why a start failed, else NULL */
void psChildStep(psChild *child, const psInputEvent *event, psOutput *out, const char *why);
/** The first start, as mode and --wait say. */
void psChildStepBoot(psChild *child);
/** After a change that was no event: publish it, deliver the goals that have ended, and arm the
 *  timers anew. */
void psChildStepPublish(psChild *child);
/** Readiness has changed: tell on the console, end the goals that wait for it, publish. */
void psChildStepReady(psChild *child);
/** Fail the goals, and disarm the timers.  May be called twice.  Thread: also any without a loop.
 */
void psChildStepClear(psChild *child);

#endif
