/* SPDX-License-Identifier: EPICS */
/** @file psIocClock.h
 *  @brief What changes once per second: one scan list for the records of all children, at 1 Hz, on
 *         the whole second.
 */
#ifndef INC_psIocClock_H
#define INC_psIocClock_H

#include <stdbool.h>

#include <dbScan.h>

/** A new IOC: a new scan list.  Thread: the one that runs iocInit, before any record. */
void psIocClockReset(void);
/** The list; NULL: none.  Thread: any, from psIocClockReset() to psIocClockStop(). */
IOSCANPVT psIocClockScan(void);

/** Begin to scan.  Without a thread of its own, which errlog reports, the clock runs on that of
 *  the heads' timers.
 *  @param tick called before each scan, without a lock; it may block on record locks
 *  Thread: the one that runs iocInit. */
void psIocClockStart(void (*tick)(void));
/** When it returns neither the list is scanned nor @p tick called any more.  Does nothing if the
 *  clock does not run.  Thread: as psIocClockStart().  Blocks: until a scan has ended. */
void psIocClockStop(void);

#endif
