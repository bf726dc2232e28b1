/* SPDX-License-Identifier: EPICS */
/* Lock order: record lock, psIocChild.lock, the supervisor's own leaf mutexes.  The supervisor
 * calls published() on its loop thread with no lock held. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "psIocChild.h"
#include "psIocTable.h"

/* What there is for each topic. */
typedef struct part {
    psIocHead head;
    psIocChild *child; /* fixed, as is the next */
    psTopic topic;
    bool used; /* there are records of it; fixed from iocInit to the end of that IOC */
} part;

/* Clients of Channel Access lose updates that come without a pause. */
static const double gapsSec[psTopicCount] = {
    [psTopicStatus] = 0.002,
    [psTopicConsole] = 0.2,
    [psTopicResources] = 0.1,
};

struct psIocChild {
    part parts[psTopicCount];
    char name[PS_NAME_BYTES];     /* fixed */
    ELLLIST observers;            /* fixed from iocInit to the end of that IOC, as is the next */
    char prefix[PVNAME_STRINGSZ]; /* of the records; "": they are called otherwise */
    epicsMutexId lock;            /* leaf; guards all below, and the machines of the heads */
    psSup *sup;                   /* NULL: nothing of that name is supervised */
    psChild *supervised;          /* of that name, as is the next; NULL with sup */
    psChildFacts facts;
    psStatus snap; /* what the records show, as are the next two: in the order of psTopic */
    psConsoleStatus console;
    psResources resources;
    bool live; /* the IOC runs */
};

/* ---- the snapshots ---- */

/* With the lock held. */
static psIocScan *scanOf(psIocChild *child, psTopic topic)
{
    return &child->parts[topic].head.scan;
}

/* With the lock held. */
static uint32_t seqOf(const psIocChild *child, psTopic topic)
{
    const uint32_t seqs[] = {child->snap.seq, child->console.seq, child->resources.seq};

    return seqs[topic];
}

/* With the lock held. */
static void takeNewest(psIocChild *child, psTopic topic)
{
    if (topic == psTopicStatus)
        psSupStatus(child->supervised, &child->snap);
    else if (topic == psTopicConsole)
        psSupConsole(child->supervised, &child->console);
    else
        psSupResources(child->supervised, &child->resources);
    psIocScanTook(scanOf(child, topic), seqOf(child, topic), false);
}

/* With the lock held. */
static void takeNextTransition(psIocChild *child)
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
    psIocScanTook(scanOf(child, psTopicStatus), child->snap.seq, status > 0);
}

void psIocChildTake(psIocChild *child, psTopic topic)
{
    epicsMutexMustLock(child->lock);
    bool due = child->sup && (!child->live || psIocScanRead(scanOf(child, topic)));
    if (due && child->live && topic == psTopicStatus)
        takeNextTransition(child);
    else if (due)
        takeNewest(child, topic);
    epicsMutexUnlock(child->lock);
}

void psIocChildShown(psIocChild *child, psTopic topic, uint32_t *outSeq, epicsTimeStamp *outTime)
{
    epicsMutexMustLock(child->lock);
    const epicsTimeStamp times[] = {child->snap.time, child->console.time, child->resources.time};
    *outSeq = seqOf(child, topic);
    *outTime = times[topic];
    epicsMutexUnlock(child->lock);
}

void psIocChildConsoleMonitored(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    if (child->sup)
        psSupConsoleMonitored(child->supervised);
    epicsMutexUnlock(child->lock);
}

bool psIocChildLock(psIocChild *child, psIocView *outView)
{
    epicsMutexMustLock(child->lock);
    outView->st = &child->snap;
    outView->console = &child->console;
    outView->resources = &child->resources;
    outView->facts = &child->facts;
    outView->supervised = child->supervised;
    outView->mono = child->sup ? psSupMono(child->sup) : 0;
    return child->sup;
}

void psIocChildUnlock(psIocChild *child)
{
    epicsMutexUnlock(child->lock);
}

IOSCANPVT psIocChildScan(const psIocChild *child, psTopic topic)
{
    return child->parts[topic].head.list;
}

/* ---- the observers ---- */

static void pollObservers(psIocChild *child, uint32_t shown)
{
    epicsMutexMustLock(child->lock);
    psStatus now = child->snap;
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
    pollObservers(CONTAINER(head, part, head)->child, seq);
}

void psIocChildTick(psIocChild *child)
{
    for (int i = 0; i < psTopicCount; i++)
        psIocHeadTick(&child->parts[i].head);
    epicsMutexMustLock(child->lock);
    uint32_t seq = scanOf(child, psTopicStatus)->shown;
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
    bool poll = child->live && (int32_t)(scanOf(child, psTopicStatus)->shown - seq) >= 0;
    epicsMutexUnlock(child->lock);
    if (poll)
        psIocHeadAnnounce(&child->parts[psTopicStatus].head);
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

int psIocChildStatus(psIocChild *child, psStatus *out)
{
    epicsMutexMustLock(child->lock);
    int status = newest(child, out);
    epicsMutexUnlock(child->lock);
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

bool psIocChildHasShown(psIocChild *child, uint32_t seq)
{
    epicsMutexMustLock(child->lock);
    bool reached =
        !child->sup || !child->live || (int32_t)(scanOf(child, psTopicStatus)->shown - seq) >= 0;
    epicsMutexUnlock(child->lock);
    return reached;
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

static bool initParts(psIocChild *child, epicsMutexId lock)
{
    for (int i = 0; i < psTopicCount; i++) {
        part *self = &child->parts[i];

        self->child = child;
        self->topic = (psTopic)i;
        if (!psIocHeadInit(&self->head, lock, gapsSec[i], i == psTopicStatus ? shown : NULL)) {
            while (i-- > 0)
                psIocHeadClear(&child->parts[i].head);
            return false;
        }
    }
    return true;
}

psIocChild *psIocChildCreate(const char *name)
{
    psIocChild *child = calloc(1, sizeof(*child));
    epicsMutexId lock = epicsMutexCreate();

    if (!child || !lock || !initParts(child, lock)) {
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
    for (int i = 0; i < psTopicCount; i++) {
        psIocHeadReset(&child->parts[i].head);
        child->parts[i].used = i == psTopicStatus; /* whatever is loaded: the outputs need it */
    }
    ellInit(&child->observers);
    child->prefix[0] = '\0';
}

void psIocChildUse(psIocChild *child, psTopic topic)
{
    child->parts[topic].used = true;
}

/* The supervisor has published something.  Thread: its loop. */
static void published(void *ctx)
{
    part *self = ctx;

    psIocHeadPublish(&self->head);
}

static void publishAll(psIocChild *child)
{
    for (int i = 0; i < psTopicCount; i++)
        if (child->parts[i].used)
            psIocHeadPublish(&child->parts[i].head);
}

/* Follow each topic from the newest on.  Subscribed first: the supervisor keeps none for nobody. */
static void follow(psIocChild *child, psChild *supervised)
{
    for (int i = 0; i < psTopicCount; i++) {
        part *self = &child->parts[i];

        if (!self->used)
            continue;
        psSupSubscribe(supervised, self->topic, published, self);
        epicsMutexMustLock(child->lock);
        if (child->sup)
            takeNewest(child, self->topic);
        epicsMutexUnlock(child->lock);
    }
    epicsMutexMustLock(child->lock);
    if (child->sup && child->prefix[0]) /* with a full queue, an event command knows less */
        (void)psSupSetPrefix(child->sup, supervised, child->prefix);
    epicsMutexUnlock(child->lock);
}

void psIocChildNamed(psIocChild *child, const char *stateName)
{
    static const char state[] = "State";
    size_t len = strlen(stateName);
    size_t end = sizeof(state) - 1;

    if (len < end || strcmp(stateName + len - end, state) != 0)
        return;
    epicsSnprintf(child->prefix, sizeof(child->prefix), "%.*s", (int)(len - end), stateName);
    psIocTablePrefix(child->name, child->prefix);
}

/* Not under the lock, which published() takes. */
static void unfollow(psIocChild *child, psChild *supervised)
{
    for (int i = 0; i < psTopicCount; i++)
        if (child->parts[i].used)
            psSupSubscribe(supervised, (psTopic)i, NULL, NULL);
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
        for (int i = 0; i < psTopicCount; i++)
            takeNewest(child, (psTopic)i);
    }
    epicsMutexUnlock(child->lock);
    if (isNew && live) {
        follow(child, supervised);
        publishAll(child);
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
    memset(&child->console, 0, sizeof(child->console));
    memset(&child->resources, 0, sizeof(child->resources));
    memset(&child->facts, 0, sizeof(child->facts));
    child->snap.state = psStateUnknown;
    for (int i = 0; i < psTopicCount; i++) {
        psIocScanTook(scanOf(child, (psTopic)i), 0, false);
        scanOf(child, (psTopic)i)->shown = 0; /* another supervisor counts from 1 again */
    }
    epicsMutexUnlock(child->lock);
    unfollow(child, supervised);
    publishAll(child);
}

void psIocChildStart(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    child->live = true; /* from now on whatever attaches follows by itself */
    psChild *supervised = child->supervised;
    epicsMutexUnlock(child->lock);
    if (supervised)
        follow(child, supervised);
    for (int i = 0; i < psTopicCount; i++)
        if (child->parts[i].used)
            psIocHeadStart(&child->parts[i].head);
}

void psIocChildStop(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    child->live = false;
    psChild *supervised = child->supervised;
    epicsMutexUnlock(child->lock);
    if (supervised)
        unfollow(child, supervised);
    for (int i = 0; i < psTopicCount; i++)
        psIocHeadStop(&child->parts[i].head);
}
