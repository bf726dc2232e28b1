/* SPDX-License-Identifier: EPICS */
/** @file psChildCommand.h
 *  @brief Commands that somebody gives to a child: psChildCommand() and psChildDenied() of
 *  psChild.h, and what follows here.  An outcome is published before it is delivered.
 *  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildCommand_H
#define INC_psChildCommand_H

#include "child/psChildPvt.h"

/** Somebody has pressed a key; nobody waits for the outcome, which is published all the same.
 *  @param by who pressed it: "console <peer>" */
void psChildCommandByKey(psChild *child, psVerb verb, double value, const char *by);
/** The log was opened again, or could not be: psConsoleOps.rotated.  @param ctx the psChild */
void psChildCommandRotated(void *ctx, int request, const char *why);

#endif
