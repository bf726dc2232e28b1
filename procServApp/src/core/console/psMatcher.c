/* SPDX-License-Identifier: EPICS */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "base/psThread.h"
#include "console/psLine.h"
#include "console/psMatcher.h"
#include "console/psRing.h"

#define QUEUE_MIN_BYTES 16384
#define ABANDON_SEC 1.0

struct psMatcher {
    /* fixed after psMatcherCreate */
    psLoop *loop;
    psMatcherTest test; /* its what is owned */
    const psMatcherOps *ops;
    void *ctx;
    epicsEventId wake;  /* there is something to do for the thread */
    epicsEventId ended; /* triggered when the thread is done with us */

    /* loop thread only */
    epicsThreadId thread; /* NULL: none; joined in the job that it posts as its last deed */
    psLine line;          /* not complete yet */
    unsigned long dropped;
    bool wanted; /* a copy of that below */

    /* the matcher's thread only */
    char text[PS_LINE_BYTES + 1];

    psJob job; /* looks at what is below; of any thread */

    epicsMutexId lock;   /* guards all below; only the lock of the loop's jobs is taken under it */
    psRing lines;        /* each ends with a NUL */
    uint64_t next;       /* of them, the first that is not taken */
    unsigned long run;   /* number of the present one */
    unsigned long found; /* the run of which a line matched; 0: none */
    bool waitsForLine;   /* a line of this run is waited for */
    bool gone;           /* the thread posts nothing more */
    bool abandoned;      /* there is no loop any more */
};

/* ---- the thread ---- */

/* Under the lock: the next line into self->text.  @return false: there is none */
static bool take(psMatcher *self)
{
    size_t len = 0;

    if (self->next == self->lines.head)
        return false;
    for (;;) {
        const char *bytes;
        size_t piece = psRingPeek(&self->lines, self->next, &bytes);
        const char *end = memchr(bytes, '\0', piece);

        if (end)
            piece = (size_t)(end - bytes) + 1;
        assert(piece > 0 && len + piece <= sizeof(self->text));
        memcpy(self->text + len, bytes, piece);
        len += piece;
        self->next += piece;
        if (end)
            return true;
    }
}

/* Under the lock.  @return false: the loop is gone */
static bool post(psMatcher *self)
{
    if (!self->abandoned)
        psLoopPost(self->loop, &self->job);
    return !self->abandoned;
}

static void noteMatch(psMatcher *self, unsigned long run)
{
    epicsMutexMustLock(self->lock);
    if (run == self->run && self->waitsForLine && post(self)) {
        self->found = run;
        self->next = self->lines.head;
    }
    epicsMutexUnlock(self->lock);
}

static void matcherThread(void *arg)
{
    psMatcher *self = arg;

    for (;;) {
        epicsMutexMustLock(self->lock);
        unsigned long run = self->run;
        bool goesOn = self->waitsForLine && !self->abandoned;
        bool hasLine = goesOn && take(self);
        if (!goesOn) {
            self->gone = true;
            post(self);
        }
        epicsMutexUnlock(self->lock);
        if (!goesOn)
            break;
        if (!hasLine)
            epicsEventWait(self->wake);
        else if (self->test.matches(self->test.what, self->text))
            noteMatch(self, run);
    }
    epicsEventTrigger(self->ended);
}

/* ---- the loop ---- */

static bool startThread(psMatcher *self)
{
    self->gone = false; /* there is no other thread now */
    epicsEventTryWait(self->ended);
    self->thread = psThreadCreate("psMatch", epicsThreadPriorityLow, epicsThreadStackMedium,
                                  matcherThread, self);
    return self->thread != NULL;
}

static void noteDropped(psMatcher *self, const char *why)
{
    if (self->dropped++ == 0)
        self->ops->dropped(self->ctx, why);
}

static void look(void *ctx)
{
    psMatcher *self = ctx;

    epicsMutexMustLock(self->lock);
    bool matched = self->waitsForLine && self->found == self->run;
    bool gone = self->gone;
    bool queued = self->next != self->lines.head;
    epicsMutexUnlock(self->lock);
    if (gone && self->thread) {
        epicsThreadMustJoin(self->thread); /* that was its last deed: it takes no time */
        self->thread = NULL;
    }
    if (!self->thread && self->wanted && queued && !startThread(self))
        noteDropped(self, "no thread can be created");
    if (!matched)
        return;
    psMatcherEnd(self);
    self->ops->matched(self->ctx);
}

static bool queue(psMatcher *self, const char *line, size_t size)
{
    bool fits;

    epicsMutexMustLock(self->lock);
    do {
        fits = self->lines.head - self->next + size <= self->lines.size;
    } while (!fits && psRingGrow(&self->lines));
    if (fits && self->found != self->run)
        psRingWrite(&self->lines, line, size);
    epicsMutexUnlock(self->lock);
    return fits;
}

static void lineDone(void *ctx, const char *line, size_t len)
{
    psMatcher *self = ctx;

    if (!self->thread && !startThread(self))
        noteDropped(self, "no thread can be created");
    else if (!queue(self, line, len + 1))
        noteDropped(self, "they come faster than they can be compared");
}

void psMatcherFeed(psMatcher *self, const char *bytes, size_t len)
{
    psLoopAssertInside(self->loop);
    if (!self->wanted)
        return;
    psLineFeed(&self->line, bytes, len, lineDone, self);
    epicsEventTrigger(self->wake);
}

static void want(psMatcher *self, bool wanted)
{
    self->wanted = wanted;
    epicsMutexMustLock(self->lock);
    self->run += wanted ? 1 : 0;
    self->waitsForLine = wanted;
    self->next = self->lines.head;
    psRingShrink(&self->lines);
    epicsMutexUnlock(self->lock);
    epicsEventTrigger(self->wake);
}

void psMatcherBegin(psMatcher *self)
{
    psLoopAssertInside(self->loop);
    self->dropped = 0;
    psLineInit(&self->line);
    want(self, true);
}

void psMatcherEnd(psMatcher *self)
{
    psLoopAssertInside(self->loop);
    if (self->wanted)
        want(self, false);
}

unsigned long psMatcherDropped(const psMatcher *self)
{
    return self->dropped;
}

/* ---- life ---- */

static void destroy(psMatcher *self)
{
    psRingClear(&self->lines);
    if (self->lock)
        epicsMutexDestroy(self->lock);
    if (self->wake)
        epicsEventDestroy(self->wake);
    if (self->ended)
        epicsEventDestroy(self->ended);
    free(self);
}

psMatcher *psMatcherCreate(psLoop *loop, const psMatcherTest *test, const psMatcherOps *ops,
                           void *ctx)
{
    psMatcher *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->loop = loop;
    self->test = *test;
    self->ops = ops;
    self->ctx = ctx;
    self->job = (psJob){.fn = look, .ctx = self};
    self->lock = epicsMutexCreate();
    self->wake = epicsEventCreate(epicsEventEmpty);
    self->ended = epicsEventCreate(epicsEventEmpty);
    if (psRingInit(&self->lines, QUEUE_MIN_BYTES, PS_MATCHER_QUEUE_BYTES) || !self->lock ||
        !self->wake || !self->ended) {
        destroy(self);
        return NULL;
    }
    return self;
}

/* @return false if its thread is in a comparison: that and what it uses stay */
static bool endThread(psMatcher *self)
{
    epicsMutexMustLock(self->lock);
    self->waitsForLine = false;
    epicsMutexUnlock(self->lock);
    epicsEventTrigger(self->wake);
    epicsEventWaitWithTimeout(self->ended, ABANDON_SEC); /* what is said next counts */
    epicsMutexMustLock(self->lock);
    bool gone = self->gone;
    self->abandoned = !gone;
    epicsMutexUnlock(self->lock);
    if (gone)
        epicsThreadMustJoin(self->thread);
    return gone;
}

void psMatcherFree(psMatcher *self)
{
    if (!self)
        return;
    bool alone = !self->thread || endThread(self);
    psLoopCancel(self->loop, &self->job);
    if (!alone)
        return;
    self->test.free(self->test.what);
    destroy(self);
}
