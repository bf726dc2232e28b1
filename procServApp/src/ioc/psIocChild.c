/* SPDX-License-Identifier: EPICS */
/* See psIocChild.h.
 *
 * Lock order: record lock, psIocChild.lock, the supervisor's own leaf mutex.  The supervisor
 * calls published() on its loop thread with no lock held.  Children are never freed: a command
 * that ends after the IOC was shut down still finds its own.
 *
 * A scan is under way from scanIoRequest() until Base has called scanComplete() once for each
 * priority that it queued; that may even be before scanIoRequest() returns.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <callback.h>
#include <dbDefs.h>
#include <epicsMutex.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <epicsTimer.h>
#include <errlog.h>

#include "psIoc.h"
#include "psIocChild.h"

struct psIocChild {
    ELLNODE node;             /* registry.children; never removed */
    char name[PS_NAME_BYTES]; /* fixed */
    IOSCANPVT scan;           /* fixed from init(0) or creation to the end of this IOC */
    ELLLIST watches;          /* fixed from iocInit to the end of this IOC */
    epicsTimerId timer;       /* fixed; calls pump() when the gap is over, and what is due */
    epicsMutexId lock;        /* guards all below */
    psSup *sup;               /* NULL: nothing of that name is supervised */
    psChildFacts facts;
    psStatus snap;   /* what the records show */
    bool live;       /* scans may be requested */
    bool wanted;     /* there may be a transition to show */
    bool due;        /* State's next read takes one */
    bool pollDue;    /* by the timer */
    bool requesting; /* inside scanIoRequest() */
    int outstanding; /* priorities queued and not complete; < 0 while requesting */
    uint32_t shown;  /* transition that all records show: snap.seq when a scan was complete */
    double nextScan; /* monotonic s, not before */
    double retrySec; /* the next pause after a scan that could not be had */
};

static struct {
    epicsMutexId lock; /* guards children; leaf */
    ELLLIST children;
    epicsTimerQueueId gapQueue;
    epicsThreadId clock; /* processes the records of the clock; NULL: none */
    int clockStop;       /* eventfd: end it */
    IOSCANPVT clockScan;
    _Atomic bool running;
} registry;

static void pump(psIocChild *child);
static void pollWatches(psIocChild *child);

static void registryCreate(void *arg)
{
    (void)arg;
    registry.lock = epicsMutexMustCreate();
    registry.gapQueue = epicsTimerQueueAllocate(0, epicsThreadPriorityScanHigh);
    registry.clockStop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void registryInit(void)
{
    static epicsThreadOnceId once = EPICS_THREAD_ONCE_INIT;
    epicsThreadOnce(&once, registryCreate, NULL);
}

/** The first child, or the one after @p child: the list only grows, at its end. */
static psIocChild *nextChild(psIocChild *child)
{
    registryInit();
    epicsMutexMustLock(registry.lock);
    ELLNODE *node = child ? ellNext(&child->node) : ellFirst(&registry.children);
    epicsMutexUnlock(registry.lock);
    return node ? CONTAINER(node, psIocChild, node) : NULL;
}

/* ---- scanning ---- */

/** Base lets a timer expire up to half a quantum (5 ms) early: pump() would find the gap not over
 * and start it again, thousands of times until it is. */
static void startTimer(psIocChild *child, double pause)
{
    if (pause > 0)
        pause += epicsThreadSleepQuantum() / 2;
    epicsTimerStartDelay(child->timer, pause);
}

/** Has the scan that was requested last been completed?  With the lock held. */
static bool isShown(psIocChild *child)
{
    if (child->requesting || child->outstanding)
        return false;
    child->shown = child->snap.seq;
    return true;
}

/** Base: all State records of one priority have been processed, and what they forward to. */
static void scanComplete(void *usr, IOSCANPVT scan, int prio)
{
    (void)scan;
    (void)prio;
    psIocChild *child = usr;
    epicsMutexMustLock(child->lock);
    child->outstanding--;
    bool last = isShown(child);
    epicsMutexUnlock(child->lock);
    if (last)
        pollWatches(child);
    pump(child);
}

static void requestScan(psIocChild *child)
{
    unsigned queued = scanIoRequest(child->scan);
    bool failed = !queued;
    int count = 0;
    while (queued) {
        count += queued & 1;
        queued >>= 1;
    }
    epicsMutexMustLock(child->lock);
    child->outstanding += count;
    child->requesting = false;
    double pause = 0;
    if (failed) {
        /* No State record, or it is not on I/O Intr now, or the callback queue is full. */
        child->wanted = true;
        pause = child->retrySec;
        child->retrySec = pause * 2 < PS_SCAN_RETRY_SEC ? pause * 2 : PS_SCAN_RETRY_SEC;
    } else {
        child->retrySec = PS_SCAN_GAP_SEC;
    }
    bool again = child->live;
    bool over = !failed && isShown(child);
    child->pollDue = child->pollDue || over;
    epicsMutexUnlock(child->lock);
    if (!again)
        return;
    if (failed || over)
        startTimer(child, pause);
    else
        pump(child);
}

/** Request a scan if one is wanted, none is under way, and the gap is over. */
static void pump(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    bool idle = child->live && child->wanted && !child->requesting && child->outstanding <= 0;
    double now = epicsMonotonicGet() * 1e-9;
    double pause = child->nextScan - now;
    if (idle && pause <= 0) {
        child->requesting = true;
        child->wanted = false;
        child->due = true;
        child->nextScan = now + PS_SCAN_GAP_SEC;
    }
    epicsMutexUnlock(child->lock);
    if (idle && pause > 0)
        startTimer(child, pause);
    else if (idle)
        requestScan(child);
}

static void timerExpired(void *ctx)
{
    psIocChild *child = ctx;
    epicsMutexMustLock(child->lock);
    bool poll = child->pollDue;
    child->pollDue = false;
    epicsMutexUnlock(child->lock);
    if (poll)
        pollWatches(child);
    pump(child);
}

/** The supervisor has published something.  Thread: its loop. */
static void published(void *ctx)
{
    psIocChild *child = ctx;
    epicsMutexMustLock(child->lock);
    child->wanted = true;
    epicsMutexUnlock(child->lock);
    pump(child);
}

static void pollWatches(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    psSettings now = child->snap.settings;
    uint32_t shown = child->shown;
    bool live = child->live;
    epicsMutexUnlock(child->lock);
    if (!live)
        return;
    for (ELLNODE *node = ellFirst(&child->watches); node; node = ellNext(node)) {
        psIocWatch *watch = CONTAINER(node, psIocWatch, node);
        watch->poll(watch, &now, shown);
    }
}

/** @return ms to the next whole second */
static int clockPause(void)
{
    epicsTimeStamp wall;
    epicsTimeGetCurrent(&wall);
    int pause = 1000 - (int)(wall.nsec / 1000000);
    return pause < 300 ? pause + 1000 : pause; /* this tick came a little early */
}

/** Once a second.  The records are processed right here: no second wake-up.
 * No timer of Base's: those are due by wall time, and one set before it was put back an hour would
 * be due in an hour. */
static void clockThread(void *arg)
{
    (void)arg;
    struct pollfd stop = {.fd = registry.clockStop, .events = POLLIN};
    int ready;
    while ((ready = poll(&stop, 1, clockPause())) <= 0) {
        if (ready < 0)
            continue; /* EINTR */
        for (psIocChild *child = nextChild(NULL); child; child = nextChild(child))
            pollWatches(child);
        for (int prio = 0; prio < NUM_CALLBACK_PRIORITIES; prio++)
            scanIoImmediate(registry.clockScan, prio);
    }
}

static void startClock(void)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    opts.priority = epicsThreadPriorityScanLow;
    opts.stackSize = epicsThreadGetStackSize(epicsThreadStackMedium);
    opts.joinable = 1;
    registry.clock =
        registry.clockStop < 0 ? NULL : epicsThreadCreateOpt("psClock", clockThread, NULL, &opts);
    if (!registry.clock)
        errlogPrintf("procServ: no thread for what changes once a second\n");
}

static void stopClock(void)
{
    uint64_t one = 1;
    if (!registry.clock)
        return;
    while (write(registry.clockStop, &one, sizeof one) < 0 && errno == EINTR) {
    }
    epicsThreadMustJoin(registry.clock);
    registry.clock = NULL;
    while (read(registry.clockStop, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

/* ---- the snapshot ---- */

/** With the lock held. */
static void takeNewest(psIocChild *child)
{
    psSupStatus(child->sup, child->name, &child->snap);
}

/** @return whether there are more.  With the lock held. */
static bool takeNext(psIocChild *child)
{
    psStatus next;
    int rc;
    do {
        rc = psSupNextTransition(child->sup, child->name, &next);
        if (rc < 0)
            return false;
        /* What was published while we subscribed is shown already. */
    } while ((int32_t)(next.seq - child->snap.seq) <= 0 && rc > 0);
    if ((int32_t)(next.seq - child->snap.seq) > 0)
        child->snap = next;
    return rc > 0;
}

void psIocChildTake(psIocChild *child)
{
    epicsMutexMustLock(child->lock);
    if (child->sup && !child->live) {
        takeNewest(child);
    } else if (child->sup && child->due) {
        child->due = false;
        /* Cleared before we look: what is published from now on sets it again. */
        child->wanted = takeNext(child);
    }
    epicsMutexUnlock(child->lock);
}

bool psIocChildLock(psIocChild *child, psIocView *view)
{
    epicsMutexMustLock(child->lock);
    view->st = &child->snap;
    view->facts = &child->facts;
    view->mono = child->sup ? psSupMono(child->sup) : 0;
    return child->sup;
}

void psIocChildUnlock(psIocChild *child)
{
    epicsMutexUnlock(child->lock);
}

bool psIocChildSettings(psIocChild *child, psSettings *out)
{
    psStatus now;
    epicsMutexMustLock(child->lock);
    bool known = child->sup && !psSupStatus(child->sup, child->name, &now);
    epicsMutexUnlock(child->lock);
    if (known)
        *out = now.settings;
    return known;
}

uint32_t psIocChildNewest(psIocChild *child)
{
    psStatus now = {0};
    epicsMutexMustLock(child->lock);
    if (child->sup)
        psSupStatus(child->sup, child->name, &now);
    epicsMutexUnlock(child->lock);
    return now.seq;
}

void psIocChildPollIfShown(psIocChild *child, uint32_t seq)
{
    epicsMutexMustLock(child->lock);
    bool poll = child->live && (int32_t)(child->shown - seq) >= 0;
    child->pollDue = child->pollDue || poll;
    epicsMutexUnlock(child->lock);
    if (poll)
        epicsTimerStartDelay(child->timer, 0);
}

/* ---- registry ---- */

static psIocChild *createChild(const char *name)
{
    psIocChild *child = calloc(1, sizeof *child);
    if (!child)
        return NULL;
    child->lock = epicsMutexCreate();
    child->timer = epicsTimerQueueCreateTimer(registry.gapQueue, timerExpired, child);
    if (!child->lock || !child->timer) {
        if (child->lock)
            epicsMutexDestroy(child->lock);
        free(child);
        return NULL;
    }
    epicsSnprintf(child->name, sizeof child->name, "%s", name);
    child->retrySec = PS_SCAN_GAP_SEC;
    child->snap.state = psStateUnknown;
    return child;
}

/** Follow the transitions from the newest on.  Subscribed first, since the supervisor keeps none
 *  for nobody. */
static void follow(psIocChild *child, psSup *sup)
{
    if (sup)
        psSupSubscribe(sup, child->name, published, child);
    epicsMutexMustLock(child->lock);
    if (child->sup)
        takeNewest(child);
    child->live = child->wanted = true;
    epicsMutexUnlock(child->lock);
    pollWatches(child);
    pump(child);
}

static void attachChild(psIocChild *child)
{
    psSup *sup = psIocSup();
    psChildFacts facts;
    if (!sup || psSupFacts(sup, child->name, &facts))
        return;
    epicsMutexMustLock(child->lock);
    bool isNew = !child->sup;
    if (isNew) {
        child->sup = sup;
        child->facts = facts;
        takeNewest(child);
    }
    epicsMutexUnlock(child->lock);
    if (isNew && registry.running)
        follow(child, sup);
}

static void makeScan(psIocChild *child)
{
    scanIoInit(&child->scan);
    scanIoSetComplete(child->scan, scanComplete, child);
}

psIocChild *psIocChildGet(const char *name)
{
    psIocChild *child = nextChild(NULL);
    while (child && strcmp(child->name, name))
        child = nextChild(child);
    if (child)
        return child;
    child = createChild(name);
    if (!child)
        return NULL;
    makeScan(child);
    epicsMutexMustLock(registry.lock);
    ellAdd(&registry.children, &child->node);
    epicsMutexUnlock(registry.lock);
    attachChild(child);
    return child;
}

const char *psIocChildName(const psIocChild *child)
{
    return child->name;
}

IOSCANPVT psIocChildScan(const psIocChild *child)
{
    return child->scan;
}

IOSCANPVT psIocClockScan(void)
{
    return registry.clockScan;
}

void psIocChildWatch(psIocChild *child, psIocWatch *watch)
{
    ellAdd(&child->watches, &watch->node);
}

int psIocChildSubmit(psIocChild *child, const psCommand *cmd, psDoneFn done, void *ctx)
{
    epicsMutexMustLock(child->lock);
    int rc = child->sup ? psSupSubmit(child->sup, child->name, cmd, done, ctx) : -ENOENT;
    epicsMutexUnlock(child->lock);
    return rc;
}

int psIocChildTell(psIocChild *child, const char *text)
{
    epicsMutexMustLock(child->lock);
    int rc = child->sup ? psSupTell(child->sup, child->name, text) : -ENOENT;
    epicsMutexUnlock(child->lock);
    return rc;
}

int psIocChildDenied(psIocChild *child, const psCommand *cmd, const char *reason, psDoneFn done,
                     void *ctx)
{
    epicsMutexMustLock(child->lock);
    int rc = child->sup ? psSupDenied(child->sup, child->name, cmd, reason, done, ctx) : -ENOENT;
    epicsMutexUnlock(child->lock);
    return rc;
}

/* ---- life of the IOC ---- */

void psIocChildrenReset(void)
{
    for (psIocChild *child = nextChild(NULL); child; child = nextChild(child)) {
        makeScan(child);
        ellInit(&child->watches);
    }
    scanIoInit(&registry.clockScan);
}

void psIocChildrenAttach(void)
{
    for (psIocChild *child = nextChild(NULL); child; child = nextChild(child))
        attachChild(child);
}

void psIocChildrenDetach(void)
{
    for (psIocChild *child = nextChild(NULL); child; child = nextChild(child)) {
        epicsMutexMustLock(child->lock);
        psSup *sup = child->sup;
        epicsMutexUnlock(child->lock);
        if (!sup)
            continue;
        psSupSubscribe(sup, child->name, NULL, NULL);
        epicsMutexMustLock(child->lock);
        child->sup = NULL;
        child->shown = 0;
        memset(&child->snap, 0, sizeof child->snap);
        memset(&child->facts, 0, sizeof child->facts);
        child->snap.state = psStateUnknown;
        child->wanted = true;
        epicsMutexUnlock(child->lock);
        pump(child);
    }
}

void psIocChildrenStart(void)
{
    if (!registry.clockScan)
        return; /* no record of ours: nothing was initialized */
    registry.running = true;
    for (psIocChild *child = nextChild(NULL); child; child = nextChild(child)) {
        epicsMutexMustLock(child->lock);
        child->requesting = child->due = false;
        child->outstanding = 0;
        psSup *sup = child->sup;
        epicsMutexUnlock(child->lock);
        follow(child, sup);
    }
    startClock();
}

void psIocChildrenStop(void)
{
    registryInit();
    registry.running = false;
    stopClock();
    for (psIocChild *child = nextChild(NULL); child; child = nextChild(child)) {
        epicsMutexMustLock(child->lock);
        child->live = false;
        psSup *sup = child->sup;
        epicsMutexUnlock(child->lock);
        if (sup)
            psSupSubscribe(sup, child->name, NULL, NULL);
        epicsTimerCancel(child->timer);
    }
    registry.clockScan = NULL; /* Base may free it now; the next dset init(0) makes another */
}

bool psIocChildrenRunning(void)
{
    return registry.running;
}
