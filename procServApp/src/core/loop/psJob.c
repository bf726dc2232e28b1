/* SPDX-License-Identifier: EPICS */
#include <errno.h>

#include <dbDefs.h>

#include "loop/psJob.h"

int psJobListInit(psJobList *list)
{
    ellInit(&list->posted);
    ellInit(&list->deferred);
    list->lock = epicsMutexCreate();
    return list->lock ? 0 : -ENOMEM;
}

static void forget(ELLLIST *jobs)
{
    ELLNODE *node;

    while ((node = ellGet(jobs)))
        CONTAINER(node, psJob, node)->queued = false;
}

void psJobListClear(psJobList *list)
{
    forget(&list->posted);
    forget(&list->deferred);
    if (list->lock)
        epicsMutexDestroy(list->lock);
    list->lock = NULL;
}

static ELLLIST *listOf(psJobList *list, bool deferred)
{
    return deferred ? &list->deferred : &list->posted;
}

bool psJobListAdd(psJobList *list, psJob *job, bool deferred)
{
    ELLLIST *jobs = listOf(list, deferred);
    bool first = false;

    epicsMutexMustLock(list->lock);
    if (!job->queued) {
        job->queued = true;
        job->deferred = deferred;
        first = ellCount(jobs) == 0;
        ellAdd(jobs, &job->node);
    }
    epicsMutexUnlock(list->lock);
    return first;
}

void psJobListRemove(psJobList *list, psJob *job)
{
    epicsMutexMustLock(list->lock);
    if (job->queued) {
        ellDelete(listOf(list, job->deferred), &job->node);
        job->queued = false;
    }
    epicsMutexUnlock(list->lock);
}

void psJobListRun(psJobList *list, bool deferred)
{
    ELLLIST *jobs = listOf(list, deferred);

    epicsMutexMustLock(list->lock);
    for (int left = ellCount(jobs); left > 0; left--) {
        ELLNODE *node = ellGet(jobs);

        if (!node)
            break;
        psJob *job = CONTAINER(node, psJob, node);
        job->queued = false;
        epicsMutexUnlock(list->lock);
        job->fn(job->ctx);
        epicsMutexMustLock(list->lock);
    }
    epicsMutexUnlock(list->lock);
}

bool psJobListAny(psJobList *list)
{
    epicsMutexMustLock(list->lock);
    bool any = ellCount(&list->posted) > 0 || ellCount(&list->deferred) > 0;
    epicsMutexUnlock(list->lock);
    return any;
}
