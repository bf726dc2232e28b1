/* SPDX-License-Identifier: EPICS */
/** @file psIocChild.h
 *  @brief What the records of one child show: its current snapshot, and when they are scanned.
 *
 *  Thirty records that each scanned on I/O Intr would show mixtures of two transitions.  So there
 *  is one head, State.  A publication of the supervisor only marks the child and asks for a scan;
 *  State's read takes the *next* transition into the snapshot, and all other records, processed
 *  by State's forward link, show that snapshot.  The next scan is asked for when this one is
 *  complete, PS_SCAN_GAP_SEC later at the earliest: CA clients lose updates that come without a
 *  pause.  What the clock changes hangs on a second scan list, one for all children, 1 Hz.
 */
#ifndef INC_psIocChild_H
#define INC_psIocChild_H

#include <dbScan.h>
#include <ellLib.h>

#include "psSup.h"

#define PS_SCAN_GAP_SEC 0.002 /**< between two scans of one child's State */
#define PS_SCAN_RETRY_SEC 1.0 /**< at most, when State could not be scanned */

typedef struct psIocChild psIocChild;

/** An output record that wants to know what the others show.  Owned by the caller, fixed once
 *  added. */
typedef struct psIocWatch {
    ELLNODE node;
    /** Called with no lock held each time all records show a transition, and once a second.
     *  @param shown number of that transition */
    void (*poll)(struct psIocWatch *watch, const psSettings *now, uint32_t shown);
} psIocWatch;

/** What a getter sees.  Valid inside psIocChildLock()...Unlock() only. */
typedef struct psIocView {
    const psStatus *st;
    const psChildFacts *facts;
    double mono; /**< now of the supervisor's clock, s */
} psIocView;

/** The child of that name, made on first use, whether it is supervised or not.
 *  Thread: iocInit's.  @return NULL without memory */
psIocChild *psIocChildGet(const char *name);
const char *psIocChildName(const psIocChild *child);

/** Look at the snapshot; the child's leaf mutex is held until psIocChildUnlock().
 *  Thread: any.  @return false if nothing of that name is supervised; unlock all the same */
bool psIocChildLock(psIocChild *child, psIocView *view);
void psIocChildUnlock(psIocChild *child);

/** Called by State's read: take the next transition if one is due (the newest as long as records
 *  do not accept interrupts).  Thread: any, record locked. */
void psIocChildTake(psIocChild *child);

/** The settings as they are now.  @return false if nothing of that name is supervised */
bool psIocChildSettings(psIocChild *child, psSettings *out);

/** Number of the newest transition; 0: none.  Thread: any; never blocks. */
uint32_t psIocChildNewest(psIocChild *child);
/** If the records show transition @p seq already, poll the watches once more, by another thread.
 *  Thread: any; never blocks. */
void psIocChildPollIfShown(psIocChild *child, uint32_t seq);

IOSCANPVT psIocChildScan(const psIocChild *child);
IOSCANPVT psIocClockScan(void);

/** Thread: iocInit's. */
void psIocChildWatch(psIocChild *child, psIocWatch *watch);

/** psSupSubmit(), psSupTell() and psSupDenied() for this child.  Thread: any.
 *  @return as those; -ENOENT if nothing of that name is supervised */
int psIocChildSubmit(psIocChild *child, const psCommand *cmd, psDoneFn done, void *ctx);
int psIocChildTell(psIocChild *child, const char *text);
int psIocChildDenied(psIocChild *child, const psCommand *cmd, const char *reason, psDoneFn done,
                     void *ctx);

/** @name Life of the IOC; thread: the one that runs iocInit. @{ */
void psIocChildrenReset(void);  /**< new scan lists: dset init(0) of each iocInit */
void psIocChildrenAttach(void); /**< look for children that are supervised by now */
void psIocChildrenDetach(void); /**< forget the supervisor */
void psIocChildrenStart(void);  /**< request every list once, then follow */
void psIocChildrenStop(void);   /**< when it returns nothing is published any more */
bool psIocChildrenRunning(void);
/** @} */

#endif
