/* SPDX-License-Identifier: EPICS */
/* The heartbeat of the loop, with rounds by hand and a clock that the test sets. */
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "sup/psSupBeat.h"

static double now = 1000;

static double mono(void *ctx)
{
    (void)ctx;
    return now;
}

static void wall(void *ctx, epicsTimeStamp *out)
{
    (void)ctx;
    *out = (epicsTimeStamp){1000, 0};
}

static const psClock testClock = {.mono = mono, .wall = wall};
static psLoop *loop;
static psSupBeat beat;

static uint32_t count(void)
{
    double longestSec;

    return psSupBeatCount(&beat, &longestSec);
}

static double longest(void)
{
    double longestSec;

    psSupBeatCount(&beat, &longestSec);
    return longestSec;
}

static void rounds(int n, double stepSec)
{
    for (int i = 0; i < n; i++) {
        now += stepSec;
        psLoopRound(loop, 0);
    }
}

static void unwanted_NoTimer(void)
{
    testDiag("unwanted_NoTimer");
    rounds(5, 1.0);
    testOk1(count() == 0);
    testOk(!beat.timer.loop, "the loop is not woken");
}

static void wanted_OncePerSecond(void)
{
    testDiag("wanted_OncePerSecond");
    psSupBeatWant(&beat, true);
    psLoopRound(loop, 0);
    rounds(8, 0.25);
    testOk(count() == 2, "2 s: %u beats", count());
    psSupBeatWant(&beat, true); /* does not begin a second anew */
    rounds(4, 0.25);
    testOk(count() == 3, "3 s: %u beats", count());
}

static void loopHangs_NoBeat_NoneIsMadeUpFor(void)
{
    uint32_t before = count();

    testDiag("loopHangs_NoBeat_NoneIsMadeUpFor");
    now += 100;
    testOk1(count() == before);
    psLoopRound(loop, 0);
    psLoopRound(loop, 0);
    testOk(count() == before + 1, "%u, then %u", before, count());
}

static void takeTime(void *ctx)
{
    double *sec = ctx;

    now += *sec;
}

static void longRound_IsShownForAMinute(void)
{
    double sec = 0.7;
    psJob job = {.fn = takeTime, .ctx = &sec};

    testDiag("longRound_IsShownForAMinute");
    psLoopPost(loop, &job);
    psLoopRound(loop, 0);
    rounds(1, 1.0);
    testOk(longest() > 0.69 && longest() < 0.71, "%g s", longest());
    rounds(58, 1.0);
    testOk(longest() > 0.69, "58 s later: %g s", longest());
    rounds(2, 1.0);
    testOk(longest() < 0.69, "then no more: %g s", longest());
}

static void unwantedAgain_Stops(void)
{
    testDiag("unwantedAgain_Stops");
    psSupBeatWant(&beat, false);
    psLoopRound(loop, 0);
    uint32_t before = count();
    rounds(5, 1.0);
    testOk1(count() == before);
    testOk1(!beat.timer.loop);
}

MAIN(psSupBeatTest)
{
    testPlan(11);
    loop = psLoopCreate(&testClock);
    if (!loop || psSupBeatInit(&beat, loop))
        testAbort("no loop");
    unwanted_NoTimer();
    wanted_OncePerSecond();
    loopHangs_NoBeat_NoneIsMadeUpFor();
    longRound_IsShownForAMinute();
    unwantedAgain_Stops();
    psSupBeatClear(&beat);
    psSupBeatClear(&beat);
    psLoopFree(loop);
    return testDone();
}
