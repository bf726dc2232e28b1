/* SPDX-License-Identifier: EPICS */
/** @file psIocAcf.h
 *  @brief The rules of access security as records show them, and load them again.
 *
 *  How they are loaded is the affair of the program, which says so by psIocSetAccessOps(); in any
 *  other IOC it is Base's asInit, which leaves the rules alone if the file is bad.
 */
#ifndef INC_psIocAcf_H
#define INC_psIocAcf_H

#include "psTypes.h"

typedef enum psAcfState {
    psAcfActive,
    psAcfNone, /**< access security is not active: whoever reaches a record may write it */
    psAcfError /**< what should hold could not be loaded: other rules hold, or those of before */
} psAcfState;

/** @param outWhy the same for people, or what is wrong
 *  Thread: any.  Blocks: never. */
psAcfState psIocAcfState(char outWhy[PS_TEXT_BYTES]);

/** Load the rules again, by a thread of its own.
 *  @param done called once if 0 is returned, by that thread
 *  Thread: any, but not from within @p done.  Blocks: never, but for the last steps of a thread
 *  whose end was reported just now.
 *  @return 0; -EALREADY: a reload is in progress; -ENOMEM */
int psIocAcfReload(const psCommand *cmd, psDoneFn done, void *ctx);

/** Wait for the thread of the last reload, which uses the IOC.  One that does not end in time is
 *  left behind, with a line on errlog.
 *  Thread: one at a time, when no reload is asked for any more.  Blocks: at most 2 s. */
void psIocAcfStop(void);

#endif
