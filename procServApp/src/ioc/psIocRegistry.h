/* SPDX-License-Identifier: EPICS */
/** @file psIocRegistry.h
 *  @brief The children that records name, and their life with the IOC and the supervisor.
 */
#ifndef INC_psIocRegistry_H
#define INC_psIocRegistry_H

#include "psIocChild.h"

/** The child of that name, made on first use, whether it is supervised or not.
 *  @param name shorter than PS_NAME_BYTES
 *  Thread: the one that runs iocInit.  @return NULL without memory or threads */
psIocChild *psIocRegistryGet(const char *name);
/** Does any record name this child?  Thread: any. */
bool psIocRegistryHas(const char *name);
/** Does any record name any child?  Thread: any. */
bool psIocRegistryAny(void);

/** Show what @p sup supervises: now, and of children that records will name.  Call it again when
 *  children were added.  Thread: any that holds no lock. */
void psIocRegistryAttach(psSup *sup);
/** Forget the supervisor: when it returns no record uses it any more.
 *  Thread: as psIocRegistryAttach().  Blocks: until a call of the supervisor's has ended. */
void psIocRegistryDetach(void);

/** @name The end of a command to all children.  Thread: any.  Blocks: never. @{ */
/** Note what each child has come to: psIocRegistryReached() says whether all records show it.  When
 *  they do, those who wait for such a command are polled (psIocAllPollIfShown()). */
void psIocRegistryMark(void);
bool psIocRegistryReached(void);
/** @} */

/** @name Life of the IOC.  Thread: the one that runs iocInit. @{ */
void psIocRegistryReset(void); /**< new scan lists: dset init(0) of each iocInit */
void psIocRegistryStart(void); /**< request every list once, then follow; the clock runs */
void psIocRegistryStop(void);  /**< when it returns nothing is published any more */
/** @} */
/** Between start and stop?  Thread: any. */
bool psIocRegistryRunning(void);

#endif
