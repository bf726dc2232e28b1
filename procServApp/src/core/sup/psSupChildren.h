/* SPDX-License-Identifier: EPICS */
/** @file psSupChildren.h
 *  @brief The children of a supervisor, in the order added.  The list only grows.
 *  psSupFind(), psSupAt() and psSupCount() of psSup.h belong here, too.
 *  Thread: any.  Blocks: never.
 */
#ifndef INC_psSupChildren_H
#define INC_psSupChildren_H

#include "sup/psSupPvt.h"

/** Append one, of which there are fewer than PS_CHILDREN.  One call at a time: addLock. */
void psSupChildrenAdd(psSup *sup, psChild *child);

#endif
