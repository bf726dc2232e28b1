/* SPDX-License-Identifier: EPICS */
#include "psIocSummary.h"
#include "psThread.h"

static struct {
    psOnceMutex lock; /* guards all below; without memory for it there is no supervisor */
    psSup *sup;       /* NULL: none */
    psSummary snap;
    bool used, running;
} pvt = {.lock = PS_ONCE_MUTEX_INIT};

/* With the lock held. */
static void watch(void)
{
    if (pvt.sup && pvt.used)
        psSupWatch(pvt.sup, pvt.running);
}

/* With the lock held. */
static void take(void)
{
    if (pvt.sup)
        psSupSummary(pvt.sup, &pvt.snap);
}

void psIocSummaryUse(void)
{
    if (!psOnceMutexLock(&pvt.lock))
        return;
    pvt.used = true;
    psOnceMutexUnlock(&pvt.lock);
}

void psIocSummaryAttach(psSup *sup)
{
    if (!psOnceMutexLock(&pvt.lock))
        return;
    pvt.sup = sup;
    watch();
    take();
    psOnceMutexUnlock(&pvt.lock);
}

void psIocSummaryDetach(void)
{
    if (!psOnceMutexLock(&pvt.lock))
        return;
    if (pvt.sup && pvt.used)
        psSupWatch(pvt.sup, false);
    pvt.sup = NULL;
    psOnceMutexUnlock(&pvt.lock);
}

void psIocSummaryRun(bool running)
{
    if (!psOnceMutexLock(&pvt.lock))
        return;
    pvt.running = running;
    watch();
    take();
    psOnceMutexUnlock(&pvt.lock);
}

void psIocSummaryTick(void)
{
    if (!psOnceMutexLock(&pvt.lock))
        return;
    take();
    psOnceMutexUnlock(&pvt.lock);
}

bool psIocSummaryGet(psSummary *out)
{
    if (!psOnceMutexLock(&pvt.lock))
        return false;
    bool known = pvt.sup;
    if (known)
        *out = pvt.snap;
    psOnceMutexUnlock(&pvt.lock);
    return known;
}
