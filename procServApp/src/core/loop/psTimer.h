/* SPDX-License-Identifier: EPICS */
/** @file psTimer.h
 *  @brief Deadlines in order: the timers that psLoop has armed.  Pure.
 *
 *  Timers are embedded in their owners; the list allocates nothing and frees nothing.  Those of the
 *  same deadline stay in the order they were armed.
 *  Thread: the loop's.  Blocks: never.
 */
#ifndef INC_psTimer_H
#define INC_psTimer_H

#include <ellLib.h>

struct psLoop;

/** Armed and disarmed by psLoopArm() and psLoopDisarm() only. */
typedef struct psTimer {
    ELLNODE node;        /* psTimerList.armed */
    struct psLoop *loop; /* NULL: not armed */
    double deadline;     /* monotonic s */
    void (*fn)(void *ctx);
    void *ctx;
} psTimer;

typedef struct psTimerList {
    ELLLIST armed; /* psTimer.node, the soonest first */
} psTimerList;

void psTimerListInit(psTimerList *list);
/** Put @p timer, which is on no list, where its deadline belongs. */
void psTimerListAdd(psTimerList *list, psTimer *timer);
void psTimerListRemove(psTimerList *list, psTimer *timer);
int psTimerListCount(const psTimerList *list);
/** The soonest; NULL: none is armed. */
psTimer *psTimerListFirst(const psTimerList *list);

#endif
