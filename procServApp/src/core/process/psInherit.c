/* SPDX-License-Identifier: EPICS */
/* Scheduling and limits of the processes we start. */
#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "process/psInherit.h"

void psInheritSave(psInherit *out)
{
    memset(out, 0, sizeof(*out));
    out->schedPolicy = sched_getscheduler(0);
    if (out->schedPolicy < 0 || sched_getparam(0, &out->schedParam) < 0)
        out->schedPolicy = SCHED_OTHER;
    errno = 0;
    out->niceValue = getpriority(PRIO_PROCESS, 0);
    if (errno)
        out->niceValue = 0;
    out->haveAffinity = sched_getaffinity(0, sizeof(out->affinity), &out->affinity) == 0;
    out->haveLimits = true;
    for (int i = 0; i < RLIM_NLIMITS; i++)
        if (getrlimit(i, &out->limits[i]) < 0)
            out->haveLimits = false;
    out->saved = true;
}

static int applyCoreSize(long bytes)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_CORE, &limit) < 0)
        return -errno;
    limit.rlim_cur = (rlim_t)bytes < limit.rlim_max ? (rlim_t)bytes : limit.rlim_max;
    return setrlimit(RLIMIT_CORE, &limit) < 0 ? -errno : 0;
}

/* 0 is the calling thread, not the process. */
void psInheritSchedule(const psInherit *inherit)
{
    const struct sched_param none = {.sched_priority = 0};

    if (inherit && inherit->saved)
        (void)sched_setscheduler(0, inherit->schedPolicy, &inherit->schedParam);
    else
        (void)sched_setscheduler(0, SCHED_OTHER, &none);
}

int psInheritApply(const psInherit *inherit, long coreSizeBytes)
{
    psInheritSchedule(inherit);
    if (inherit && inherit->saved) {
        (void)setpriority(PRIO_PROCESS, 0, inherit->niceValue);
        if (inherit->haveAffinity)
            (void)sched_setaffinity(0, sizeof(inherit->affinity), &inherit->affinity);
        for (int i = 0; inherit->haveLimits && i < RLIM_NLIMITS; i++)
            if (setrlimit(i, &inherit->limits[i]) < 0)
                return -errno;
    }
    return coreSizeBytes < 0 ? 0 : applyCoreSize(coreSizeBytes);
}
