/* SPDX-License-Identifier: EPICS */
/** @file psSupChildren.h
 *  @brief The children of a supervisor, in the order added.  The list only grows.
 *  Thread: any.  Blocks: never.
 */
#ifndef INC_psSupChildren_H
#define INC_psSupChildren_H

#include "sup/psSupPvt.h"

/** @return NULL past the end */
psChild *psSupChildrenAt(psSup *sup, int index);
/** A child by its name; NULL: there is none. */
psChild *psSupChildrenFind(psSup *sup, const char *name);
/** Append one.  @return 0, or -ENOSPC at PS_CHILDREN */
int psSupChildrenAdd(psSup *sup, psChild *child);
int psSupChildrenCount(psSup *sup);

#endif
