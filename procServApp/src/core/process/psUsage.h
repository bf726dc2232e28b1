/* SPDX-License-Identifier: EPICS */
/** @file psUsage.h
 *  @brief What the sessions of all children use, by one pass over /proc for all of them.
 *
 *  The CPU time of a session does not go back when one of its processes ends, and what a parent
 *  inherits by waiting for a child that was seen before is not counted twice: psUsageAccount.h.
 *
 *  A pass costs one system call for each process of the machine and about fifteen for each process
 *  of a child.
 *  Thread: any, one at a time.  Blocks: as psProcfs.
 */
#ifndef INC_psUsage_H
#define INC_psUsage_H

#include "base/psTypes.h"

typedef struct psUsage psUsage;

/** One child, at the same place in each pass. */
typedef struct psUsageTarget {
    int pid;          /**< of its process, which leads its session; 0: none */
    double startMono; /**< when that was started, monotonic s */
} psUsageTarget;

/** @param root a directory like /proc; NULL: /proc.  @return NULL without memory */
psUsage *psUsageCreate(const char *root);
/** NULL is fine. */
void psUsageFree(psUsage *usage);

/** One pass.  seq and time of what it gives are 0.
 *  @param now   monotonic, s
 *  @param count 0...PS_CHILDREN
 *  @param out   one for each target; its error is ESRCH if no process of the session is seen
 *  @return 0; -errno: /proc cannot be read, which is the error of every target with a process;
 *          -ENOTSUP: it is none, or that of another pid namespace
 */
int psUsageRead(psUsage *usage, double now, const psUsageTarget *targets, int count,
                psResources *out, psSelfUsage *outSelf);

#endif
