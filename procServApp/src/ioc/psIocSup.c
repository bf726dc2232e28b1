/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <epicsExit.h>
#include <errlog.h>

#include "psIocRegistry.h"
#include "psIocSup.h"
#include "psThread.h"

#define RESERVED_DESCRIPTORS 256 /* what the rest of the IOC may need */
/* Beside the graces: SIGKILL, what consoles and logs have left, and a loaded machine. */
#define END_EXTRA_SEC 10.0
#define QUIET_SEC 2.0 /* an end that takes longer is announced */

static struct {
    psOnceMutex lock; /* guards all below; recursive; held while a supervisor is used */
    psSup *sup;
    psSup *own; /* made by psIocSupNeed(), ended by us */
    atomic_bool begun;
} pvt = {.lock = PS_ONCE_MUTEX_INIT};

void psIocSupRelease(void)
{
    psOnceMutexUnlock(&pvt.lock);
}

psSup *psIocSupTake(void)
{
    return psOnceMutexLock(&pvt.lock) ? pvt.sup : NULL;
}

void psIocSetSup(psSup *sup)
{
    if (!psOnceMutexLock(&pvt.lock)) {
        errlogPrintf("procServ: out of memory: the records will show no data\n");
        return;
    }
    psSup *old = pvt.sup;
    /* The pointer first: whatever looks for a supervisor from now on does not find the old one. */
    pvt.sup = sup;
    if (old && old != sup) {
        pvt.begun = false;
        psIocRegistryDetach();
    }
    if (sup)
        psIocRegistryAttach(sup);
    psIocSupRelease();
}

void psIocBegin(void)
{
    psSup *sup = psIocSupTake();

    pvt.begun = true;
    if (sup) {
        psSupStartAll(sup);
        psIocRegistryAttach(sup);
    }
    psIocSupRelease();
}

bool psIocSupBegun(void)
{
    return pvt.begun;
}

bool psIocSupIsOwn(void)
{
    psSup *sup = psIocSupTake();
    bool own = sup && sup == pvt.own;

    psIocSupRelease();
    return own;
}

/* ---- a supervisor of our own ---- */

double psIocSupEndSec(psSup *sup)
{
    double longest = 0;
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++) {
        psStatus status;

        psSupStatus(child, &status);
        if (status.settings.graceSec > longest)
            longest = status.settings.graceSec;
    }
    return 2 * longest + END_EXTRA_SEC; /* stop input, then the kill signal */
}

/* Thread: the one that exits. */
static void endOwn(void *arg)
{
    psSup *sup = pvt.own;

    (void)arg;
    if (!sup)
        return;
    double endSec = psIocSupEndSec(sup);
    psIocSetSup(NULL);
    pvt.own = NULL;
    psSupShutdown(sup);
    int status = psSupWait(sup, QUIET_SEC);
    if (status == -ETIMEDOUT) {
        errlogPrintf("procServ: waiting for the children to end, at most %.0f s\n", endSec);
        status = psSupWait(sup, endSec);
    }
    if (status == -ETIMEDOUT)
        errlogPrintf("procServ: children did not end within %.0f s\n", endSec);
    else
        psSupFree(sup);
}

/* With the lock held. */
static psSup *createOwn(void)
{
    psSupOptions options;

    psSupOptionsDefault(&options);
    options.reservedDescriptors = RESERVED_DESCRIPTORS;
    psSup *sup = psSupCreate(&options);
    if (!sup)
        return NULL;
    int status = psSupStart(sup);
    if (status) {
        errlogPrintf("procServ: cannot start the supervisor: %s\n", strerror(-status));
        psSupFree(sup);
        return NULL;
    }
    if (epicsAtExit(endOwn, NULL))
        errlogPrintf("procServ: out of memory: the children will not end with this IOC\n");
    return sup;
}

psSup *psIocSupNeed(void)
{
    if (!psOnceMutexLock(&pvt.lock))
        return NULL;
    if (!pvt.sup) {
        pvt.own = createOwn();
        if (pvt.own)
            psIocSetSup(pvt.own);
    }
    return pvt.sup;
}
