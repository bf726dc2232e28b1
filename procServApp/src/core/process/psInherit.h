/* SPDX-License-Identifier: EPICS */
/** @file psInherit.h
 *  @brief What a supervised process inherits from us, instead of what EPICS threads have.
 *  Nothing blocks.
 */
#ifndef INC_psInherit_H
#define INC_psInherit_H

#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>

/** What a process started by us gets instead of what EPICS threads have: saved by main()
 *  before any thread starts. */
typedef struct psInherit {
    bool saved; /**< false: take the defaults of a new login */
    int schedPolicy;
    struct sched_param schedParam;
    int niceValue;
    cpu_set_t affinity;
    bool haveAffinity;
    struct rlimit limits[RLIM_NLIMITS];
    bool haveLimits;
} psInherit;
/** Save the caller's own.  Call before raising any limit.  Thread: main, before others. */
void psInheritSave(psInherit *out);
/** Give the caller what was saved, or SCHED_OTHER where nothing was: @p inherit may be NULL.
 *  Scheduling, nice value and affinity as far as permitted: a process that runs at another
 *  priority serves better than none.  Limits must succeed.
 *  @param coreSizeBytes soft limit of core files, at most the hard one; -1: as saved
 *  Thread: that of the new process.  Async-signal-safe.  @return 0 or -errno */
int psInheritApply(const psInherit *inherit, long coreSizeBytes);
/** Run the calling thread as the program was started, not at the real-time priority that
 *  epicsThread gives where it may (as root, or by RLIMIT_RTPRIO): a console that floods must not
 *  come before the threads of the supervised IOC, and handing over to a real-time thread costs
 *  twice the time and CPU.  @param inherit NULL, or nothing saved: SCHED_OTHER
 *  Thread: any, for itself. */
void psInheritSchedule(const psInherit *inherit);

#endif
