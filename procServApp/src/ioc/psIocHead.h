/* SPDX-License-Identifier: EPICS */
/** @file psIocHead.h
 *  @brief A head record's scan list, scanned at the pace of psIocScan.
 *
 *  Whoever has something to show embeds a psIocHead: a child for its status, and any number of
 *  others.  The head's machine is guarded by a lock of its owner's, under which the owner also
 *  takes what it shows; no call-out is made under it.
 */
#ifndef INC_psIocHead_H
#define INC_psIocHead_H

#include <dbScan.h>
#include <epicsMutex.h>
#include <epicsTimer.h>

#include "psIocScan.h"

typedef struct psIocHead psIocHead;
struct psIocHead {
    IOSCANPVT list; /* fixed from psIocHeadReset() to the end of that IOC */
    /* fixed after psIocHeadInit() */
    epicsMutexId lock; /* the owner's; guards scan */
    epicsTimerId timer;
    /** All records show transition @p shown.  Called without a lock, on a thread of Base's
     *  callbacks or timers, or on the one that starts the head. */
    void (*shown)(psIocHead *head, uint32_t shown);
    psIocScan scan; /**< the owner uses psIocScanRead() and psIocScanTook() under the lock */
};

/** Prepare @p head, which is all zero.  Thread: the one that runs iocInit.
 *  @param lock lives as long as the head
 *  @param gapSec between two scans, > 0
 *  @param shown NULL: nobody wants to know
 *  @return false without memory or threads; nothing is left to be freed then */
bool psIocHeadInit(psIocHead *head, epicsMutexId lock, double gapSec,
                   void (*shown)(psIocHead *head, uint32_t shown));

/** Free what psIocHeadInit() has made; only a head that was never reset.  Thread: as that. */
void psIocHeadClear(psIocHead *head);

/** A new IOC: a new scan list.  Thread: the one that runs iocInit, before the records of the
 *  list are initialized. */
void psIocHeadReset(psIocHead *head);

/** Show what there is, and follow from now on; until psIocHeadStop().
 *  Thread: the one that runs iocInit, or another that holds no lock.  Blocks: on observers. */
void psIocHeadStart(psIocHead *head);
/** When it returns the timer calls nothing any more, and no scan is requested any more but by a
 *  scan that is just completing.  Thread: as psIocHeadStart(). */
void psIocHeadStop(psIocHead *head);

/** There is something new to show.  Thread: any that holds no lock.  Blocks: never. */
void psIocHeadPublish(psIocHead *head);
/** Do what the timer should have done by now: Base's timers go by wall time, and one that was set
 *  before the time was put back is late.  Thread: one that holds no lock.  Blocks: on observers. */
void psIocHeadTick(psIocHead *head);
/** Report once more what the records show, by another thread.  Thread and blocking as above. */
void psIocHeadAnnounce(psIocHead *head);

/** The queue whose one thread serves the timers of all heads.  Thread: the one that runs iocInit.
 *  @return NULL without memory or threads; a later call tries again */
epicsTimerQueueId psIocHeadTimerQueue(void);

#endif
