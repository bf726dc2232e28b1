/* SPDX-License-Identifier: EPICS */
/* Lock order: record lock, all.lock, the supervisor's own leaf mutexes.  Without memory for the
 * lock or the head there is no scan list, and the records show what there was at iocInit. */
#include <errno.h>

#include <dbDefs.h>

#include "psIocAll.h"

#define GAP_SEC 0.02 /* between two updates: the counts of many children change quickly */

static struct {
    psIocHead head;
    ELLLIST observers; /* fixed from iocInit to the end of that IOC */
    epicsMutexId lock; /* leaf; guards all below, and the head's machine; NULL: no memory */
    psSup *sup;        /* NULL: nothing is supervised */
    psAllStatus snap;  /* what the records show */
    bool live;         /* the IOC runs */
} all;

static bool lockAll(void)
{
    if (all.lock)
        epicsMutexMustLock(all.lock);
    return all.lock;
}

static void unlockAll(void)
{
    epicsMutexUnlock(all.lock);
}

/* ---- the records ---- */

/* With the lock held. */
static void takeNewest(void)
{
    psAllStatus none = {0};

    if (all.sup)
        psSupAllStatus(all.sup, &all.snap);
    else
        all.snap = none;
    psIocScanTook(&all.head.scan, all.snap.seq, false);
}

void psIocAllTake(void)
{
    if (!lockAll())
        return;
    if (!all.live || psIocScanRead(&all.head.scan))
        takeNewest();
    unlockAll();
}

void psIocAllShown(psAllStatus *out)
{
    psAllStatus none = {0};

    *out = none;
    if (!lockAll())
        return;
    *out = all.snap;
    unlockAll();
}

IOSCANPVT psIocAllScan(void)
{
    return all.head.list;
}

/* ---- the observers ---- */

static void shown(psIocHead *head, uint32_t seq)
{
    (void)head;
    if (!lockAll())
        return;
    bool live = all.live;
    unlockAll();
    for (ELLNODE *node = live ? ellFirst(&all.observers) : NULL; node; node = ellNext(node)) {
        psIocObserver *observer = CONTAINER(node, psIocObserver, node);

        observer->poll(observer, NULL, seq);
    }
}

void psIocAllObserve(psIocObserver *observer)
{
    ellAdd(&all.observers, &observer->node);
}

void psIocAllPollIfShown(uint32_t seq)
{
    if (!lockAll())
        return;
    bool isShown = (int32_t)(all.head.scan.shown - seq) >= 0;
    bool live = all.live;
    unlockAll();
    if (live && isShown)
        psIocHeadAnnounce(&all.head);
    else if (live)
        psIocHeadPublish(&all.head);
}

/* ---- what the outputs ask of the supervisor ---- */

int psIocAllSubmit(const psCommand *cmd, psDoneFn done, void *ctx)
{
    if (!lockAll())
        return -ENOMEM;
    int status = all.sup ? psSupSubmitAll(all.sup, cmd, done, ctx) : -ENOENT;
    unlockAll();
    return status;
}

int psIocAllTell(const char *text)
{
    if (!lockAll())
        return -ENOMEM;
    int status = all.sup ? psSupTellAll(all.sup, text) : -ENOENT;
    unlockAll();
    return status;
}

int psIocAllDenied(const psCommand *cmd, const char *reason, psDoneFn done, void *ctx)
{
    if (!lockAll())
        return -ENOMEM;
    int status = all.sup ? psSupDenied(all.sup, NULL, cmd, reason, done, ctx) : -ENOENT;
    unlockAll();
    return status;
}

int psIocAllStagger(double *outSec)
{
    if (!lockAll())
        return -ENOMEM;
    int status = all.sup ? 0 : -ENOENT;
    if (!status)
        *outSec = psSupStagger(all.sup);
    unlockAll();
    return status;
}

int psIocAllSetStagger(double sec)
{
    if (!lockAll())
        return -ENOMEM;
    int status = all.sup ? psSupSetStagger(all.sup, sec) : -ENOENT;
    unlockAll();
    return status;
}

uint32_t psIocAllNewest(void)
{
    psAllStatus now = {0};

    if (!lockAll())
        return 0;
    if (all.sup)
        psSupAllStatus(all.sup, &now);
    unlockAll();
    return now.seq;
}

/* ---- life ---- */

void psIocAllReset(void)
{
    ellInit(&all.observers);
    if (!all.lock) {
        epicsMutexId lock = epicsMutexCreate();

        if (lock && psIocHeadInit(&all.head, lock, GAP_SEC, shown))
            all.lock = lock;
        else if (lock)
            epicsMutexDestroy(lock);
    }
    if (all.lock)
        psIocHeadReset(&all.head);
}

void psIocAllAttach(psSup *sup)
{
    if (!lockAll())
        return;
    bool isNew = sup != all.sup;
    all.sup = sup;
    if (isNew)
        takeNewest();
    if (isNew)
        all.head.scan.shown = 0; /* another supervisor counts from 1 again */
    bool live = all.live;
    unlockAll();
    if (isNew && live)
        psIocHeadPublish(&all.head);
}

void psIocAllStart(void)
{
    if (!lockAll())
        return;
    all.live = true;
    takeNewest();
    unlockAll();
    psIocHeadStart(&all.head);
}

void psIocAllStop(void)
{
    if (!lockAll())
        return;
    all.live = false;
    unlockAll();
    psIocHeadStop(&all.head);
}

void psIocAllTick(void)
{
    uint32_t newest = psIocAllNewest();

    if (!lockAll())
        return;
    uint32_t seen = all.head.scan.shown;
    bool behind = newest != all.snap.seq;
    unlockAll();
    psIocHeadTick(&all.head);
    if (behind)
        psIocHeadPublish(&all.head);
    shown(&all.head, seen);
}
