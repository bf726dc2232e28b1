/* SPDX-License-Identifier: EPICS */
/** @file psSupAll.h
 *  @brief A command to all children: given to one after the other, with one outcome.
 *
 *  There is at most one at a time; a newer one ends the older one as Failed.  The children get it
 *  in the order in which they were added.  Starts and restarts are psSup.staggerSec apart; a child
 *  for which there is nothing to do, such as a start of one that runs, takes no time.  A few
 *  children are served per round of the loop, so that the loop stays free for everything else.
 *
 *  psSupAllStatus(), psSupStagger() and psSupSetStagger() of psSup.h belong here, too.
 *  Thread: loop, unless stated otherwise.  Blocks: never.
 */
#ifndef INC_psSupAll_H
#define INC_psSupAll_H

#include "sup/psSupPvt.h"

/** Begin a command.  @param done called exactly once, perhaps from within this call; may be NULL */
void psSupAllBegin(psSup *sup, const psCommand *cmd, psDoneFn done, void *ctx);
/** Publish a command that was refused. */
void psSupAllDenied(psSup *sup, const psCommand *cmd, const char *reason);
/** End the command in progress, if there is one, as Failed.  What the children were given already
 *  goes on. */
void psSupAllEnd(psSup *sup, const char *why);

#endif
