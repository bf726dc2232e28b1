/* SPDX-License-Identifier: EPICS */
/** @file psJob.h
 *  @brief Work that waits for the loop: the two lists that psLoop runs once per round.
 *
 *  Jobs are embedded in their owners; nothing is allocated or freed for one.  Thread: any, where
 *  nothing else is said.  Blocks: never.
 */
#ifndef INC_psJob_H
#define INC_psJob_H

#include <stdbool.h>

#include <ellLib.h>
#include <epicsMutex.h>

/** Queued by psLoopPost() and psLoopDefer() only.  It must live until it has run; a queued job is
 *  not queued twice. */
typedef struct psJob {
    ELLNODE node; /* guarded by psJobList.lock, as are the next two */
    bool queued;
    bool deferred; /* on which of the two lists */
    void (*fn)(void *ctx);
    void *ctx;
} psJob;

typedef struct psJobList {
    epicsMutexId lock; /* leaf; guards the lists and the members of the jobs on them */
    ELLLIST posted;    /* psJob.node, oldest first */
    ELLLIST deferred;  /* the same, for the end of the round */
} psJobList;

/** Thread: the owner's.  @return 0 or -ENOMEM */
int psJobListInit(psJobList *list);
/** Take all jobs off.  May be called twice.  Thread: the owner's. */
void psJobListClear(psJobList *list);
/** @return true: it is the first on its list, so the loop may have to be woken */
bool psJobListAdd(psJobList *list, psJob *job, bool deferred);
/** Take a job off that may still be queued. */
void psJobListRemove(psJobList *list, psJob *job);
/** Run those queued now; what they queue stays for the next call.  Thread: loop.  Blocks: as the
 *  jobs do. */
void psJobListRun(psJobList *list, bool deferred);
/** Is any queued? */
bool psJobListAny(psJobList *list);

#endif
