/* SPDX-License-Identifier: EPICS */
/** @file psSupSpace.h
 *  @brief How much room the file systems of all logs have, as the threads of the logs see it.
 *
 *  Each log's own thread looks, since the file system of one may hang, and no other must wait then.
 *  Thread: any, one at a time.  Blocks: never.
 */
#ifndef INC_psSupSpace_H
#define INC_psSupSpace_H

#include "base/psTypes.h"

struct psSup;

/** Have all logs look, where the look before was answered. */
void psSupSpaceAsk(struct psSup *sup);
/** What they have seen.
 *  @param late those that have not answered do not answer: it was long ago that they were asked
 *  @return false: some have not answered, and it is not late */
bool psSupSpaceTake(struct psSup *sup, bool late, psLogSpace *out);

#endif
