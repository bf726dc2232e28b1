/* SPDX-License-Identifier: EPICS */
/** @file psChildReady.h
 *  @brief What is heard of a child's process, by the rule that says when it is ready.
 *
 *  Lines are compared with --ready-match by a psMatcher, outside the loop.
 *  A change runs psChild.readyJob at the end of the round, which psChild sets.
 *  Thread: loop, unless a function says otherwise.  Blocks: never.
 */
#ifndef INC_psChildReady_H
#define INC_psChildReady_H

#include "child/psChildPvt.h"

/** Thread: any, when the child is made.  @return 0 or -ENOMEM */
int psChildReadyInit(psChild *child);
/** May be called twice, and on an object of zeros.  Thread: any, without a loop.
 *  Blocks: up to 1 s, only if a line is being compared with --ready-match. */
void psChildReadyClear(psChild *child);
/** The machine has made a step: a process may have begun or ended to run. */
void psChildReadyFollow(psChild *child);
/** Readiness has changed: publish it at the end of the round, or a little later where changes come
 *  one after the other. */
void psChildReadyChanged(psChild *child);
/** The PV of --ready-pv, as the record sees it.  Thread: any. */
void psChildReadyPv(psChild *child, psReadyPvState state);
/** The last @p len bytes of the console are what the process has just printed.  Once it is ready
 *  this costs nothing. */
void psChildReadyPrinted(psChild *child, size_t len);

#endif
