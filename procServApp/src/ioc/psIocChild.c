/* SPDX-License-Identifier: EPICS */
/* Lock order: record lock, psIocChild.lock, the supervisor's own leaf mutexes.  The supervisor
 * calls published() on its loop thread with no lock held. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "psIocChild.h"

struct psIocChild {
    psIocHead head;
    char name[PS_NAME_BYTES]; /* fixed */
    ELLLIST observers;        /* fixed from iocInit to the end of that IOC */
    epicsMutexId lock;        /* leaf; guards all below, and the head's machine */
    psSup *sup;               /* NULL: nothing of that name is supervised */
    psChild *supervised;      /* of that name, as is the next; NULL with sup */
    psChildFacts facts;
    psStatus snap; /* what the records show */
    bool live;     /* the IOC runs */
};

/* ---- the snapshot ---- */

/* With the lock held. */
static void takeNewest(psIocChild *child)
{
    psSupStatus(child->supervised, &child->snap);
    psIocScanTook(&child->head.scan, child->snap.seq, false);
}

/* With the lock held. */
static void takeNext(psIocChild *child)
{
    psStatus next;
    int status;

    do {
        status = psSupNextTransition(child->supervised, &next);
        if (status < 0)
            return; /* none */
        /* What was published while we subscribed is shown already. */
    } while ((int32_t)(next.seq - child->snap.seq) <= 0 && status > 0);
    if ((int32_t)(next.seq - child->snap.seq) > 0)
        child->snap = next;
    psIocScanTook(&child->head.scan, child->snap.seq, status > 0);
}

void psIocChildTake(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    if (child->sup && !child->live)
        takeNewest(child);
    else if (child->sup && psIocScanRead(&child->head.scan))
        takeNext(child);
    epicsMutexUnlock(child->lock);
}

bool psIocChildLock(psIocChild *child, psIocView *outView)
{
    epicsMutexMustLock(child->lock);
    outView->st = &child->snap;
    outView->facts = &child->facts;
    outView->mono = child->sup ? psSupMono(child->sup) : 0;
    return child->sup;
}

void psIocChildUnlock(psIocChild *child)
{
    epicsMutexUnlock(child->lock);
}

IOSCANPVT psIocChildScan(const psIocChild *child)
{
    return child->head.list;
}

/* ---- the observers ---- */

static void pollObservers(psIocChild *child, uint32_t shown)
{
    epicsMutexMustLock(child->lock);
    psSettings now = child->snap.settings;
    bool live = child->live;
    epicsMutexUnlock(child->lock);
    if (!live)
        return;
    for (ELLNODE *node = ellFirst(&child->observers); node; node = ellNext(node)) {
        psIocObserver *observer = CONTAINER(node, psIocObserver, node);

        observer->poll(observer, &now, shown);
    }
}

static void shown(psIocHead *head, uint32_t seq)
{
    pollObservers(CONTAINER(head, psIocChild, head), seq);
}

void psIocChildTick(psIocChild *child)
{
    psIocHeadTick(&child->head);
    epicsMutexMustLock(child->lock);
    uint32_t seq = child->head.scan.shown;
    epicsMutexUnlock(child->lock);
    pollObservers(child, seq);
}

void psIocChildObserve(psIocChild *child, psIocObserver *observer)
{
    ellAdd(&child->observers, &observer->node);
}

void psIocChildPollIfShown(psIocChild *child, uint32_t seq)
{
    epicsMutexMustLock(child->lock);
    bool poll = child->live && (int32_t)(child->head.scan.shown - seq) >= 0;
    epicsMutexUnlock(child->lock);
    if (poll)
        psIocHeadAnnounce(&child->head);
}

/* ---- what the outputs ask of the supervisor ---- */

/* With the lock held. */
static int newest(psIocChild *child, psStatus *out)
{
    if (!child->sup)
        return -ENOENT;
    psSupStatus(child->supervised, out);
    return 0;
}

int psIocChildSettings(psIocChild *child, psSettings *out)
{
    psStatus now;

    epicsMutexMustLock(child->lock);
    int status = newest(child, &now);
    epicsMutexUnlock(child->lock);
    if (!status)
        *out = now.settings;
    return status;
}

uint32_t psIocChildNewest(psIocChild *child)
{
    psStatus now = {0};

    epicsMutexMustLock(child->lock);
    int status = newest(child, &now);
    epicsMutexUnlock(child->lock);
    return status ? 0 : now.seq;
}

int psIocChildSubmit(psIocChild *child, const psCommand *cmd, psDoneFn done, void *ctx)
{
    epicsMutexMustLock(child->lock);
    int status = child->sup ? psSupSubmit(child->sup, child->supervised, cmd, done, ctx) : -ENOENT;
    epicsMutexUnlock(child->lock);
    return status;
}

int psIocChildTell(psIocChild *child, const char *text)
{
    epicsMutexMustLock(child->lock);
    int status = child->sup ? psSupTell(child->sup, child->supervised, text) : -ENOENT;
    epicsMutexUnlock(child->lock);
    return status;
}

int psIocChildDenied(psIocChild *child, const psCommand *cmd, const char *reason, psDoneFn done,
                     void *ctx)
{
    epicsMutexMustLock(child->lock);
    int status =
        child->sup ? psSupDenied(child->sup, child->supervised, cmd, reason, done, ctx) : -ENOENT;
    epicsMutexUnlock(child->lock);
    return status;
}

/* ---- life ---- */

psIocChild *psIocChildCreate(const char *name)
{
    psIocChild *child = calloc(1, sizeof(*child));
    epicsMutexId lock = epicsMutexCreate();

    if (!child || !lock || !psIocHeadInit(&child->head, lock, shown)) {
        if (lock)
            epicsMutexDestroy(lock);
        free(child);
        return NULL;
    }
    child->lock = lock;
    epicsSnprintf(child->name, sizeof(child->name), "%s", name);
    child->snap.state = psStateUnknown;
    psIocChildReset(child);
    return child;
}

bool psIocChildIsNamed(const psIocChild *child, const char *name)
{
    return strcmp(child->name, name) == 0;
}

void psIocChildReset(psIocChild *child)
{
    psIocHeadReset(&child->head);
    ellInit(&child->observers);
}

/* The supervisor has published something.  Thread: its loop. */
static void published(void *ctx)
{
    psIocChild *child = ctx;

    psIocHeadPublish(&child->head);
}

/* Follow the transitions from the newest on.  Subscribed first, since the supervisor keeps none
 * for nobody. */
static void follow(psIocChild *child, psChild *supervised)
{
    psSupSubscribe(supervised, published, child);
    epicsMutexMustLock(child->lock);
    if (child->sup)
        takeNewest(child);
    epicsMutexUnlock(child->lock);
}

void psIocChildAttach(psIocChild *child, psSup *sup)
{
    psChild *supervised = psSupFind(sup, child->name);

    if (!supervised)
        return;
    epicsMutexMustLock(child->lock);
    bool isNew = !child->sup;
    bool live = child->live;
    if (isNew) {
        child->sup = sup;
        child->supervised = supervised;
        child->facts = *psSupFacts(supervised);
        takeNewest(child);
    }
    epicsMutexUnlock(child->lock);
    if (isNew && live) {
        follow(child, supervised);
        psIocHeadPublish(&child->head);
    }
}

/* What the child is attached to; NULL: nothing. */
static psChild *supervisedOf(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    psChild *supervised = child->supervised;
    epicsMutexUnlock(child->lock);
    return supervised;
}

void psIocChildDetach(psIocChild *child)
{
    psChild *supervised = supervisedOf(child);

    if (!supervised)
        return;
    epicsMutexMustLock(child->lock);
    child->sup = NULL;
    child->supervised = NULL;
    memset(&child->snap, 0, sizeof(child->snap));
    memset(&child->facts, 0, sizeof(child->facts));
    child->snap.state = psStateUnknown;
    psIocScanTook(&child->head.scan, 0, false);
    child->head.scan.shown = 0; /* another supervisor counts from 1 again */
    epicsMutexUnlock(child->lock);
    psSupSubscribe(supervised, NULL, NULL); /* not under the lock, which published() takes */
    psIocHeadPublish(&child->head);
}

void psIocChildStart(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    child->live = true; /* from now on whatever attaches follows by itself */
    psChild *supervised = child->supervised;
    epicsMutexUnlock(child->lock);
    if (supervised)
        follow(child, supervised);
    psIocHeadStart(&child->head);
}

void psIocChildStop(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    child->live = false;
    psChild *supervised = child->supervised;
    epicsMutexUnlock(child->lock);
    if (supervised)
        psSupSubscribe(supervised, NULL, NULL);
    psIocHeadStop(&child->head);
}
