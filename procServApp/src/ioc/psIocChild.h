/* SPDX-License-Identifier: EPICS */
/** @file psIocChild.h
 *  @brief What the records of one child show: a snapshot of each topic.
 *
 *  Thirty records that each scanned on I/O Intr would show mixtures of two transitions.  So each
 *  topic has one head (psIocHead.h): State for the status, Out for the console, Cpu for the
 *  resources.  Its read takes what is new into the snapshot of that topic, and all other records of
 *  the topic, which the head's forward link processes, show that snapshot.  Each topic has a pace
 *  of its own.
 *
 *  Children are never freed: a command that ends after the IOC was shut down still finds its own.
 */
#ifndef INC_psIocChild_H
#define INC_psIocChild_H

#include <ellLib.h>

#include "psIocHead.h"
#include "psSup.h"

typedef struct psIocChild psIocChild;

/** Something that wants to know what the records show, as the outputs do.  Owned by the caller;
 *  it lives as long as the process. */
typedef struct psIocObserver {
    ELLNODE node;
    /** Called without a lock each time all records show a transition, and once per second.
     *  @param shown number of that transition */
    void (*poll)(struct psIocObserver *observer, const psStatus *now, uint32_t shown);
} psIocObserver;

/** What a getter sees.  Valid between psIocChildLock() and psIocChildUnlock() only. */
typedef struct psIocView {
    const psStatus *st;
    const psConsoleStatus *console;
    const psResources *resources;
    const psChildFacts *facts;
    psChild *supervised; /**< NULL: there is no child of that name */
    double mono;         /**< now of the supervisor's clock, s */
} psIocView;

/** A child that is not supervised yet, with a scan list of its own.
 *  @param name shorter than PS_NAME_BYTES
 *  Thread: the one that runs iocInit.  @return NULL without memory or threads */
psIocChild *psIocChildCreate(const char *name);
/** Thread: any. */
bool psIocChildIsNamed(const psIocChild *child, const char *name);

/** @name The records. @{ */
/** Look at the snapshot; the child's leaf mutex is held until psIocChildUnlock(), which must be
 *  called in any case.
 *  Thread: any.  @return false if there is no child of that name */
bool psIocChildLock(psIocChild *child, psIocView *outView);
void psIocChildUnlock(psIocChild *child);

/** Called by the read of a head: take what is new of its topic if that is due (of transitions the
 *  next one, or the newest as long as the IOC does not run).  Thread: any, record locked. */
void psIocChildTake(psIocChild *child, psTopic topic);
/** Number and time of what the records of @p topic show.  Thread: any. */
void psIocChildShown(psIocChild *child, psTopic topic, uint32_t *outSeq, epicsTimeStamp *outTime);
/** As psSupConsoleMonitored(): a client monitors a record of the console's text.  Thread: any. */
void psIocChildConsoleMonitored(psIocChild *child);

/** The scan list of a head.  Thread: any. */
IOSCANPVT psIocChildScan(const psIocChild *child, psTopic topic);
/** @} */

/** @name The outputs.  Thread: any; none of these blocks. @{ */
/** The newest status.  @return 0, or -ENOENT if there is no child of that name */
int psIocChildStatus(psIocChild *child, psStatus *out);
/** Number of the newest transition; 0: none. */
uint32_t psIocChildNewest(psIocChild *child);
/** Do the records show transition @p seq, or a later one?  So they do without a supervisor, and
 *  while the IOC does not run. */
bool psIocChildHasShown(psIocChild *child, uint32_t seq);
/** If the records show transition @p seq already, poll the observers once more, by another
 *  thread. */
void psIocChildPollIfShown(psIocChild *child, uint32_t seq);

/** psSupSubmit(), psSupTell() and psSupDenied() for this child.
 *  @return as those; -ENOENT if there is no child of that name */
int psIocChildSubmit(psIocChild *child, const psCommand *cmd, psDoneFn done, void *ctx);
int psIocChildTell(psIocChild *child, const char *text);
int psIocChildDenied(psIocChild *child, const psCommand *cmd, const char *reason, psDoneFn done,
                     void *ctx);
/** @} */

/** @name Life.  Thread: the one that runs iocInit, unless stated otherwise. @{ */
/** A new IOC: new scan lists, no observers, and no topic but the status. */
void psIocChildReset(psIocChild *child);
/** There are records of @p topic: follow it, too; before the child is started. */
void psIocChildUse(psIocChild *child, psTopic topic);
/** Its record State has this name, so the beginning of it is the prefix of all its records; before
 *  the child is started. */
void psIocChildNamed(psIocChild *child, const char *stateName);
/** Be polled from now on; before the child is started. */
void psIocChildObserve(psIocChild *child, psIocObserver *observer);
/** Show what @p sup has of that name, if it has.  Does nothing to a child that has one.
 *  Thread: any that holds no lock. */
void psIocChildAttach(psIocChild *child, psSup *sup);
/** When it returns the supervisor is not used any more, and the records go to Unknown.
 *  Thread: any that holds no lock.  Blocks: until a call of the supervisor's has ended. */
void psIocChildDetach(psIocChild *child);
/** Follow the transitions from the newest on.  Blocks: on record locks. */
void psIocChildStart(psIocChild *child);
/** When it returns no scan is requested and no observer polled any more, except by a call
 *  that is in progress. */
void psIocChildStop(psIocChild *child);
/** Poll the observers.  Thread: the clock's.  Blocks: on record locks. */
void psIocChildTick(psIocChild *child);
/** @} */

#endif
