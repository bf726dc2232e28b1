/* SPDX-License-Identifier: EPICS */
/* Lines that are compared in a thread: one that is stuck there delays neither the loop nor another
 * child, and what comes of it later does not count for another run. */
#include <stdlib.h>
#include <string.h>

#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psMatcher.h"
#include "psTestUtil.h"

#define DEADLINE_SEC 20.0

typedef struct psFake {
    epicsEventId entered, release; /* of a comparison with "stuck" */
    epicsEventId freed;
    int matched, dropped;
    bool jobRan;
    psMatcher *matcher;
} psFake;

static psLoop *loop;

/* "ready" matches; so does "stuck", after a while that the test determines. */
static bool matches(void *what, const char *line)
{
    psFake *fake = what;

    if (strcmp(line, "stuck") == 0) {
        epicsEventTrigger(fake->entered);
        epicsEventWait(fake->release);
        return true;
    }
    return strcmp(line, "ready") == 0;
}

static void freed(void *what)
{
    psFake *fake = what;

    epicsEventTrigger(fake->freed);
}

static void matched(void *ctx)
{
    psFake *fake = ctx;

    fake->matched++;
}

static void dropped(void *ctx, const char *why)
{
    psFake *fake = ctx;

    testDiag("dropped: %s", why);
    fake->dropped++;
}

static void ran(void *ctx)
{
    psFake *fake = ctx;

    fake->jobRan = true;
}

static psFake *create(void)
{
    static const psMatcherOps ops = {.matched = matched, .dropped = dropped};
    psFake *fake = calloc(1, sizeof(*fake));

    if (!fake)
        testAbort("out of memory");
    psMatcherTest test = {.matches = matches, .free = freed, .what = fake};
    fake->entered = epicsEventMustCreate(epicsEventEmpty);
    fake->release = epicsEventMustCreate(epicsEventEmpty);
    fake->freed = epicsEventMustCreate(epicsEventEmpty);
    fake->matcher = psMatcherCreate(loop, &test, &ops, fake);
    if (!fake->matcher)
        testAbort("no matcher");
    psMatcherBegin(fake->matcher);
    return fake;
}

static void destroy(psFake *fake)
{
    psMatcherFree(fake->matcher);
    testOk(epicsEventTryWait(fake->freed) == epicsEventOK, "its expression is freed");
    epicsEventDestroy(fake->entered);
    epicsEventDestroy(fake->release);
    epicsEventDestroy(fake->freed);
    free(fake);
}

static void feed(psFake *fake, const char *text)
{
    psMatcherFeed(fake->matcher, text, strlen(text));
}

static bool awaitMatch(psFake *fake, int count)
{
    double end = psClockMono(psClockSystem()) + DEADLINE_SEC;

    while (fake->matched < count && psClockMono(psClockSystem()) < end)
        psLoopRound(loop, 0.1);
    return fake->matched == count;
}

static void awaitStuck(psFake *fake)
{
    if (epicsEventWaitWithTimeout(fake->entered, DEADLINE_SEC) != epicsEventOK)
        testAbort("the line is not compared");
}

static void wholeLines_OncePerRun(void)
{
    int before = psTestThreads();
    psFake *fake = create();

    testOk(psTestThreads() == before, "no thread without a line");
    feed(fake, "rea");
    feed(fake, "\033[1mdy");
    psLoopRound(loop, 0);
    testOk(fake->matched == 0 && psTestThreads() == before, "nor for a line that is not complete");
    feed(fake, "\r\nready\nready\n");
    testOk(awaitMatch(fake, 1), "a line without its control sequences matches");
    double end = psClockMono(psClockSystem()) + DEADLINE_SEC;
    while (psTestThreads() > before && psClockMono(psClockSystem()) < end)
        psLoopRound(loop, 0.1);
    testOk(psTestThreads() == before, "no thread once one has matched");
    feed(fake, "ready\n");
    psLoopRound(loop, 0);
    testOk(fake->matched == 1 && psTestThreads() == before, "nothing is compared then");
    psMatcherBegin(fake->matcher);
    feed(fake, "ready\n");
    testOk(awaitMatch(fake, 2), "another run, another match");
    destroy(fake);
}

static void stuck_DelaysNobody(void)
{
    psFake *slow = create(), *other = create();
    psJob job = {.fn = ran, .ctx = slow};

    feed(slow, "stuck\n");
    awaitStuck(slow);
    psLoopPost(loop, &job);
    feed(slow, "more\n");
    feed(other, "ready\n");
    testOk(awaitMatch(other, 1), "another child is ready meanwhile");
    testOk(slow->jobRan && slow->matched == 0, "and the loop does other work");
    epicsEventTrigger(slow->release);
    testOk(awaitMatch(slow, 1), "the slow one follows");
    destroy(other);
    destroy(slow);
}

static void oldRun_CountsForNothing(void)
{
    psFake *fake = create();

    feed(fake, "stuck\nready\n");
    awaitStuck(fake);
    psMatcherEnd(fake->matcher);
    psMatcherBegin(fake->matcher);
    feed(fake, "stuck\n"); /* of the new run: shows when the old one is over */
    epicsEventTrigger(fake->release);
    awaitStuck(fake);
    psLoopRound(loop, 0);
    testOk(fake->matched == 0, "neither the old line nor those after it count");
    epicsEventTrigger(fake->release);
    testOk(awaitMatch(fake, 1), "that of the new run does");
    destroy(fake);
}

static void full_IsReportedOnce(void)
{
    psFake *fake = create();
    char line[1024];

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    feed(fake, "stuck\n");
    awaitStuck(fake);
    for (int i = 0; i < PS_MATCHER_QUEUE_BYTES / (int)sizeof(line); i++)
        psMatcherFeed(fake->matcher, line, sizeof(line));
    testOk(fake->dropped == 0 && psMatcherDropped(fake->matcher) == 0, "as much as there is room");
    feed(fake, "ready\n");
    feed(fake, "ready\n");
    testOk(fake->dropped == 1 && psMatcherDropped(fake->matcher) == 2,
           "more is counted, and reported once");
    epicsEventTrigger(fake->release);
    testOk(awaitMatch(fake, 1), "it goes on");
    psMatcherBegin(fake->matcher);
    testOk(psMatcherDropped(fake->matcher) == 0, "another run counts anew");
    destroy(fake);
}

/* The thread is never joined, which the thread sanitizer calls a leak once it has finished. */
#ifdef __SANITIZE_THREAD__
#define MAY_FINISH false
#else
#define MAY_FINISH true
#endif

static void freed_WhileStuck(void)
{
    static psFake *fake; /* its memory belongs to a thread that may still run */

    fake = create();
    feed(fake, "stuck\n");
    awaitStuck(fake);
    double before = psClockMono(psClockSystem());
    psMatcherFree(fake->matcher);
    double took = psClockMono(psClockSystem()) - before;
    testOk(took < DEADLINE_SEC / 2, "nobody waits for it for long: %.1f s", took);
    testOk(epicsEventTryWait(fake->freed) == epicsEventWaitTimeout, "what it uses stays");
    if (MAY_FINISH)
        epicsEventTrigger(fake->release);
    psLoopRound(loop, 0);
    testOk(fake->matched == 0, "and nothing is called");
}

MAIN(psMatcherTest)
{
    testPlan(23);
    loop = psLoopCreate(psClockSystem());
    if (!loop)
        testAbort("no loop");
    wholeLines_OncePerRun();
    stuck_DelaysNobody();
    oldRun_CountsForNothing();
    full_IsReportedOnce();
    freed_WhileStuck();
    psLoopFree(loop);
    return testDone();
}
