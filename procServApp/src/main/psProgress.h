/* SPDX-License-Identifier: EPICS */
/** @file psProgress.h
 *  @brief Which step the start of the IOC has reached, and what Base said during it.
 *
 *  Whether a step failed is known by its status alone.  But Base explains a failure on errlog
 *  only, so what it says there first is kept, to be put after our own words.  One IOC per
 *  process, hence one state.
 */
#ifndef INC_psProgress_H
#define INC_psProgress_H

#include <stddef.h>

/** Begin to listen to errlog.  Thread: main, once, before any child runs.
 *  @return 0 or -ENOMEM */
int psProgressStart(void);
/** Listen no more.  What was heard stays.  Thread: any. */
void psProgressStop(void);

/** What is shown of errlog. */
typedef enum psChatter {
    psChatterFaults,  /**< what is no mere remark of iocInit */
    psChatterNoPorts, /**< all but psBaseIsPortRemark() */
    psChatterAll
} psChatter;

/** Show so much from now on, of all threads: on errlog's console, or, where something is left out,
 *  on standard error.  Thread: any.  Blocks: until errlog has written what it holds. */
void psProgressChatter(psChatter chatter);

/** In a trial: write a line on standard error each time a step begins, as psTrial.c reads it. */
void psProgressMark(void);
/** What that line begins with; the name of the step follows. */
#define PS_PROGRESS_MARK "procServIoc step: "

/** A step begins.  @p step is static and says what is being done: "loading records".
 *  Thread: the one that builds the IOC.  Blocks: until errlog has written what it holds. */
void psProgressBegin(const char *step);
/** The step that began last.  Thread: any. */
const char *psProgressNow(void);
/** Append ": " and what Base said first during this step, if it said something.
 *  Thread: any.  Blocks: as psProgressBegin(). */
void psProgressExplain(char *msg, size_t msgSize);

#endif
