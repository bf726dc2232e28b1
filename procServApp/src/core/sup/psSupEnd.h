/* SPDX-License-Identifier: EPICS */
/** @file psSupEnd.h
 *  @brief The end of a supervisor, in three phases: every child goes through the stages of its
 *  stop; consoles get what was printed, and logs are written; the caller is notified.
 *  Thread: loop.  Blocks: never.
 */
#ifndef INC_psSupEnd_H
#define INC_psSupEnd_H

#include "sup/psSupPvt.h"

/** Before the loop runs. */
void psSupEndInit(psSup *sup);
/** Begin the end; again: hurry it.
 *  @param why for the own log: who or what asks for it */
void psSupEndStart(psSup *sup, const char *why);
/** A child that was added after the end had begun takes part in it. */
void psSupEndJoin(psSup *sup, psChild *child);
/** A child may have come to rest: look, at the end of this round, what that leads to. */
void psSupEndSettled(psSup *sup);

#endif
