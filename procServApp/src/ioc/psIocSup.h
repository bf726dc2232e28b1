/* SPDX-License-Identifier: EPICS */
/** @file psIocSup.h
 *  @brief The supervisor of this IOC: its owner, its users, and its end.
 *
 *  Records reach it by their children (psIocRegistry.h).  Whoever else needs it takes it, and
 *  releases it: meanwhile it is neither taken away nor freed.
 */
#ifndef INC_psIocSup_H
#define INC_psIocSup_H

#include "psIoc.h"

/** The supervisor, to be released by psIocSupRelease() in any case.
 *  Thread: any but the supervisor's loop.  Blocks: while another thread has taken it.
 *  @return NULL if there is none */
psSup *psIocSupTake(void);
/** As psIocSupTake(), but one is made and started if there is none: with no child, ended by
 *  epicsAtExit.  @return NULL with a line on errlog */
psSup *psIocSupNeed(void);
void psIocSupRelease(void);

/** Does the supervisor's life begin and end with this IOC, as that of psIocSupNeed() does?
 *  Thread: any. */
bool psIocSupIsOwn(void);
/** Have the children been started, so that one that is added must be started at once?  Thread: any.
 */
bool psIocSupBegun(void);

/** How long the end of @p sup may take, s: the stages of the most patient child.
 *  Thread: any.  Blocks: never. */
double psIocSupEndSec(psSup *sup);

#endif
