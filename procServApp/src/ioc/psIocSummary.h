/* SPDX-License-Identifier: EPICS */
/** @file psIocSummary.h
 *  @brief The supervisor as a whole, as its records show it: a copy that is made once per second.
 *
 *  Thread: any that holds none of the supervisor's locks, unless stated otherwise.  Blocks: on its
 *  own leaf mutex, which is held while the supervisor is asked.
 */
#ifndef INC_psIocSummary_H
#define INC_psIocSummary_H

#include "psSup.h"

/** A record exists that needs psSupWatch() while the IOC runs.  Thread: the one that runs iocInit.
 */
void psIocSummaryUse(void);
/** Show @p sup from now on. */
void psIocSummaryAttach(psSup *sup);
/** When it returns the supervisor is not used any more. */
void psIocSummaryDetach(void);
/** The IOC runs, or ends.  Thread: the one that runs iocInit. */
void psIocSummaryRun(bool running);
/** Make a new copy. */
void psIocSummaryTick(void);
/** The newest copy.  Thread: any, record locked.  @return false: there is no supervisor */
bool psIocSummaryGet(psSummary *out);

#endif
