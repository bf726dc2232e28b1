/* SPDX-License-Identifier: EPICS */
#include <stdatomic.h>
#include <stdlib.h>

#include <dbDefs.h>

#include "psIocAll.h"
#include "psIocClock.h"
#include "psIocRegistry.h"
#include "psIocSummary.h"
#include "psIocTable.h"
#include "psThread.h"

typedef struct entry {
    ELLNODE node;
    psIocChild *child;       /* fixed */
    psIocObserver observer;  /* of that child */
    _Atomic uint32_t marked; /* its newest transition at the last psIocRegistryMark() */
} entry;

static struct {
    psOnceMutex lock; /* leaf; guards entries; without memory for it there is no entry */
    ELLLIST entries;  /* it only grows, at its end */
    psSup *_Atomic sup;
    atomic_bool running;
    atomic_bool marked; /* not all children have reached what was marked */
} registry = {.lock = PS_ONCE_MUTEX_INIT};

/* The first entry, or the one after @p from. */
static entry *next(entry *from)
{
    if (!psOnceMutexLock(&registry.lock))
        return NULL;
    ELLNODE *node = from ? ellNext(&from->node) : ellFirst(&registry.entries);
    psOnceMutexUnlock(&registry.lock);
    return node ? CONTAINER(node, entry, node) : NULL;
}

static void forEach(void (*fn)(psIocChild *child))
{
    for (entry *e = next(NULL); e; e = next(e))
        fn(e->child);
}

static psIocChild *find(const char *name)
{
    psIocChild *found = NULL;

    if (!psOnceMutexLock(&registry.lock))
        return NULL;
    for (ELLNODE *node = ellFirst(&registry.entries); node && !found; node = ellNext(node)) {
        entry *e = CONTAINER(node, entry, node);

        if (psIocChildIsNamed(e->child, name))
            found = e->child;
    }
    psOnceMutexUnlock(&registry.lock);
    return found;
}

/* ---- the end of a command to all children ---- */

void psIocRegistryMark(void)
{
    for (entry *e = next(NULL); e; e = next(e))
        e->marked = psIocChildNewest(e->child);
    registry.marked = true;
}

bool psIocRegistryReached(void)
{
    for (entry *e = next(NULL); e; e = next(e))
        if (!psIocChildHasShown(e->child, e->marked))
            return false;
    return true;
}

/* A child shows a transition: was it the last one that is waited for? */
static void poll(psIocObserver *observer, const psStatus *now, uint32_t shown)
{
    (void)observer;
    (void)now;
    (void)shown;
    if (!registry.marked || !psIocRegistryReached())
        return;
    registry.marked = false;
    psIocAllPollIfShown(psIocAllNewest());
}

/* ---- the children ---- */

/* The supervisor may be taken away by another thread meanwhile: then it has to be forgotten. */
static void attach(psIocChild *child)
{
    psSup *sup = registry.sup;

    if (!sup)
        return;
    psIocChildAttach(child, sup);
    if (registry.sup != sup)
        psIocChildDetach(child);
}

/* As attach(), for commands to all children. */
static void attachAll(void)
{
    psSup *sup;

    do {
        sup = registry.sup;
        psIocAllAttach(sup);
    } while (registry.sup != sup);
}

psIocChild *psIocRegistryGet(const char *name)
{
    psIocChild *found = find(name);

    if (found)
        return found;
    entry *e = calloc(1, sizeof(*e));
    psIocChild *child = e ? psIocChildCreate(name) : NULL;
    if (!child || !psOnceMutexLock(&registry.lock)) {
        free(e);
        return NULL;
    }
    e->child = child;
    e->observer.poll = poll;
    psIocChildObserve(child, &e->observer);
    ellAdd(&registry.entries, &e->node);
    psOnceMutexUnlock(&registry.lock);
    attach(child);
    return child;
}

bool psIocRegistryHas(const char *name)
{
    return find(name);
}

bool psIocRegistryAny(void)
{
    return next(NULL);
}

void psIocRegistryAttach(psSup *sup)
{
    registry.sup = sup;
    psIocSummaryAttach(sup);
    psIocTableAttach(sup);
    attachAll();
    forEach(attach);
}

void psIocRegistryDetach(void)
{
    registry.sup = NULL; /* first: what is attached from now on is forgotten again */
    psIocSummaryDetach();
    psIocTableAttach(NULL);
    psIocAllAttach(NULL);
    forEach(psIocChildDetach);
}

void psIocRegistryReset(void)
{
    for (entry *e = next(NULL); e; e = next(e)) {
        psIocChildReset(e->child);
        psIocChildObserve(e->child, &e->observer);
    }
    psIocAllReset();
    psIocTableReset();
    attachAll();
    psIocClockReset();
}

static void tick(void)
{
    psIocSummaryTick();
    psIocAllTick();
    forEach(psIocChildTick);
}

void psIocRegistryStart(void)
{
    if (!psIocClockScan())
        return; /* no record of ours: nothing was initialized */
    registry.running = true;
    forEach(psIocChildStart);
    psIocSummaryRun(true); /* who subscribes is known now */
    psIocAllStart();
    psIocClockStart(tick);
}

void psIocRegistryStop(void)
{
    registry.running = false;
    psIocClockStop();
    psIocSummaryRun(false);
    psIocAllStop();
    forEach(psIocChildStop);
}

bool psIocRegistryRunning(void)
{
    return registry.running;
}
