/* SPDX-License-Identifier: EPICS */
/** @file psSupStat.h
 *  @brief The thread psStat: once per period it reads from /proc what all children use, and this
 *  program itself; and once per minute it has the logs look how much room there is for them.
 *
 *  It reads those children whose psTopicResources somebody subscribes to.  /proc does not depend on
 *  file servers; but before Linux 5.8 the kernel keeps whoever reads the I/O of a process that
 *  hangs in exec waiting.  So nobody waits for this thread: values stay as they were meanwhile.
 */
#ifndef INC_psSupStat_H
#define INC_psSupStat_H

#include "base/psTypes.h"

struct psSup;
typedef struct psSupStat psSupStat;

/** Start the thread, which sleeps until psSupStatWant().
 *  @param periodSec > 0; 0: /proc is never read
 *  Thread: any.  Blocks: never.  @return NULL without memory, descriptors or a thread */
psSupStat *psSupStatStart(struct psSup *sup, double periodSec);
/** Read from now on, at once for the first time, or no longer.  Thread: any.  Blocks: never. */
void psSupStatWant(psSupStat *stat, bool wanted);
/** What this program uses, and what room its logs have, as seen last.  Thread: any.  Blocks: never.
 */
void psSupStatGet(psSupStat *stat, psSelfUsage *outSelf, psLogSpace *outSpace);
/** End the thread and free.  NULL is fine.
 *  Thread: the owner's.  Blocks: at most @p waitSec.
 *  @return false: the thread hangs; it keeps its memory, and may come back to the supervisor */
bool psSupStatStop(psSupStat *stat, double waitSec);

#endif
