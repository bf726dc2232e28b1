/* SPDX-License-Identifier: EPICS */
/** @file psChildWatch.h
 *  @brief The watchdogs of a child: signs of life come in; what they lead to goes to the machine as
 *  events, by psChild.happened.
 *
 *  They count while it is Running, but not while it is stopped by a signal that somebody gave to
 *  us: one that was stopped otherwise is hung.
 *  Thread: loop, where nothing else is said.  Blocks: never.
 */
#ifndef INC_psChildWatch_H
#define INC_psChildWatch_H

#include "child/psChildPvt.h"

/** Thread: any, when the child is made. */
void psChildWatchInit(psChild *child);
/** May be called twice.  Thread: also any without a loop. */
void psChildWatchClear(psChild *child);
/** The machine may have moved: watch it from now on, or no more.  At the end of a step. */
void psChildWatchFollow(psChild *child);
/** @p signo was sent to it as somebody asked: it may be stopped now, or go on. */
void psChildWatchSignal(psChild *child, int signo);
/** The PV was updated.  Thread: any.  @return how often that was, beginning anew at 0 */
unsigned psChildWatchPv(psChild *child);
/** It says itself that it is hung, which counts if there is --watchdog-sec. */
void psChildWatchTrigger(psChild *child);
/** A sign of life for @p rule. */
void psChildWatchSign(psChild *child, psWatchRule rule);

#endif
