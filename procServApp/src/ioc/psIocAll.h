/* SPDX-License-Identifier: EPICS */
/** @file psIocAll.h
 *  @brief Commands to all children, as records give them and show them.
 *
 *  There is one of it, as there is one supervisor of an IOC.  CmdState of the supervisor is the
 *  head of the records that show the last such command (psIocHead.h): its read takes what is new,
 *  and its forward link processes the others.
 *  Thread: any, where nothing else is said.  Blocks: never.
 */
#ifndef INC_psIocAll_H
#define INC_psIocAll_H

#include <dbScan.h>

#include "psIocChild.h"

/** Called by the read of CmdState: take what is new, if that is due.  Record locked. */
void psIocAllTake(void);
/** What the records show. */
void psIocAllShown(psAllStatus *out);
/** The scan list of CmdState; NULL without memory or threads. */
IOSCANPVT psIocAllScan(void);

/** @name The outputs. @{ */
/** psSupSubmitAll(), psSupTellAll() and psSupDenied().
 *  @return as those; -ENOENT if there is no supervisor */
int psIocAllSubmit(const psCommand *cmd, psDoneFn done, void *ctx);
int psIocAllTell(const char *text);
int psIocAllDenied(const psCommand *cmd, const char *reason, psDoneFn done, void *ctx);
/** @return 0, or -ENOENT if there is no supervisor */
int psIocAllStagger(double *outSec);
/** @return as psSupSetStagger(); -ENOENT if there is no supervisor */
int psIocAllSetStagger(double sec);
/** Number of the newest state; 0: none. */
uint32_t psIocAllNewest(void);
/** State @p seq is there to be shown: have the observers polled once it is, by another thread. */
void psIocAllPollIfShown(uint32_t seq);
/** @} */

/** @name Life.  Thread: the one that runs iocInit, unless stated otherwise. @{ */
/** A new IOC: a new scan list, and no observers. */
void psIocAllReset(void);
/** Be polled from now on, with no settings; before psIocAllStart(). */
void psIocAllObserve(psIocObserver *observer);
/** Use this supervisor from now on; NULL: none, and when it returns none is used any more.
 *  Thread: any that holds no lock. */
void psIocAllAttach(psSup *sup);
/** Blocks: on record locks. */
void psIocAllStart(void);
/** When it returns no scan is requested and no observer polled any more, except by a call
 *  that is in progress. */
void psIocAllStop(void);
/** Show what nobody has reported, and poll the observers.  Thread: the clock's.  Blocks: on record
 *  locks. */
void psIocAllTick(void);
/** @} */

#endif
