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
/** Carry out what the machine has answered, without the rest of a step: for the first start. */
void psChildStepAct(psChild *child, psOutput *out);
/** Arm the timers anew, after anything that may have moved a deadline. */
void psChildStepArm(psChild *child);

#endif
