/* SPDX-License-Identifier: EPICS */
/*
 * When the state machine starts a child again: modes, delays, credit, giving up.  Single cells
 * are psMachineTest's.
 */
#include <math.h>
#include <signal.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psMachineFixture.h"

#define NEAR(a, b) (fabs((a) - (b)) < 1e-6)

/* Running, with these numbers. */
static void run(psFixture *f, const psSettings *settings)
{
    psFixtureInitWith(f, settings, SIGTERM, false);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
}

/* One run of @sec that crashes, and the delay after it, counted from the start. */
static double crashAfter(psFixture *f, double sec)
{
    double started = f->m.startMono;

    psFixtureLater(f, sec);
    psFixtureExits(f, 1);
    if (f->m.state == psStateHoldoff)
        psFixtureDue(f);
    WANT(f, f->m.state == psStateStarting);
    psFixtureSpawned(f);
    return f->now - started;
}

/* ---- modes ---- */

static void boot_EachMode_Starts(psFixture *f)
{
    for (int mode = 0; mode < psModeCount; mode++) {
        psSettings settings = psFixtureSettings();

        settings.mode = (psMode)mode;
        psFixtureInitWith(f, &settings, SIGTERM, false);
        psFixtureBoot(f, false);
        WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonBoot);
        WANT(f, f->m.desiredUp && f->out.actions == PS_DO_SPAWN);
        psFixtureInitWith(f, &settings, SIGTERM, false);
        psFixtureBoot(f, true);
        WANT(f, f->m.state == psStateWaiting && !f->m.desiredUp && f->out.actions == 0);
    }
}

/* Ends by themselves, then by the kill key. */
static void exit_EachMode_DoesAsModeSays(psFixture *f)
{
    static const struct {
        psMode mode;
        int code; /* < 0: by a signal */
        bool kill;
        bool again, finished;
    } cases[] = {
        {psModeAlways, 0, false, true, false},    {psModeAlways, 1, false, true, false},
        {psModeAlways, -1, true, true, false},    {psModeNever, 0, false, false, false},
        {psModeNever, 1, false, false, false},    {psModeNever, -1, true, false, false},
        {psModeOneShot, 0, false, false, true},   {psModeOneShot, 1, false, false, true},
        {psModeOneShot, -1, true, false, true},   {psModeOnFailure, 0, false, false, false},
        {psModeOnFailure, 1, false, true, false}, {psModeOnFailure, -1, false, true, false},
        {psModeOnFailure, -1, true, true, false}, {psModeOnFailure, 0, true, false, false},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psSettings settings = psFixtureSettings();

        settings.mode = cases[i].mode;
        run(f, &settings);
        if (cases[i].kill)
            psFixtureFire(f, psEventKill);
        if (cases[i].code < 0)
            psFixtureDies(f, SIGTERM);
        else
            psFixtureExits(f, cases[i].code);
        bool finished = (f->out.actions & PS_DO_FINISHED) != 0;
        WANT(f, f->m.state == (cases[i].again ? psStateHoldoff : psStateStopped));
        WANT(f, f->m.desiredUp == cases[i].again && finished == cases[i].finished);
        if (!f->good)
            testDiag("  mode %s, code %d", psModeName(cases[i].mode), cases[i].code);
    }
}

static void stopOfOneShot_DoesNotFinish(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    settings.mode = psModeOneShot;
    run(f, &settings);
    psFixtureFire(f, psEventStop);
    psFixtureExits(f, 0);
    WANT(f, f->m.state == psStateStopped && !(f->out.actions & PS_DO_FINISHED));
}

static void modeNeverWhileRunning_KeepsItRunningThenStops(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    psFixtureMode(f, psModeNever);
    WANT(f, f->m.state == psStateRunning);
    psFixtureExits(f, 1);
    WANT(f, f->m.state == psStateStopped && f->m.byPolicy);
}

static void modeAlways_LongAfterFailedStart_StartsAtOnce(psFixture *f)
{
    psFixtureBring(f, psStateStarting);
    psFixtureMode(f, psModeNever);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStopped);
    psFixtureLater(f, 3600);
    psFixtureMode(f, psModeAlways);
    WANT(f, f->m.state == psStateStarting);
}

/* ---- delays ---- */

static void holdoff_CountsFromStart(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    run(f, &settings);
    WANT(f, NEAR(crashAfter(f, 3), 15));
    WANT(f, NEAR(crashAfter(f, 14.9), 15));
    WANT(f, NEAR(crashAfter(f, 15.5), 15.5)); /* nothing left to wait for */
    WANT(f, NEAR(crashAfter(f, 1000), 1000));
    WANT(f, NEAR(crashAfter(f, 0), 15)); /* without doubling however often */
    settings.holdoffSec = 0;
    run(f, &settings);
    WANT(f, NEAR(crashAfter(f, 0.25), 0.25));
}

static void settings_WhenHoldoff_ComputeItAnew(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    run(f, &settings);
    double started = f->m.startMono;
    psFixtureLater(f, 1);
    psFixtureExits(f, 1);
    settings.holdoffSec = 60;
    settings.mode = psModeNever; /* is not for this call */
    psMachineSettings(&f->m, &settings, f->now);
    WANT(f, NEAR(f->m.deadline, started + 60) && f->m.settings.mode == psModeAlways);
    settings.holdoffSec = 0;
    psMachineSettings(&f->m, &settings, f->now);
    WANT(f, f->m.deadline == f->now && f->m.state == psStateHoldoff);
    settings.graceSec = 1; /* nothing to do with the delay */
    psFixtureLater(f, 1);
    psMachineSettings(&f->m, &settings, f->now);
    WANT(f, f->m.deadline == f->now - 1);
}

static psSettings doubling(void)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 2;
    settings.holdoffMaxSec = 20;
    return settings;
}

static void shortRuns_DoubleTheDelayUpToItsMaximum(psFixture *f)
{
    static const double delays[] = {2, 4, 8, 16, 20, 20, 20};
    psSettings settings = doubling();

    run(f, &settings);
    for (size_t i = 0; i < NELEMENTS(delays); i++)
        WANT(f, NEAR(crashAfter(f, 1), delays[i]));
    /* short is what lasts less than the hold-off, and than 10 s */
    run(f, &settings);
    crashAfter(f, 1);
    crashAfter(f, 9.9);
    WANT(f, f->m.policy.shortRuns == 2);
    crashAfter(f, 10.1);
    WANT(f, f->m.policy.shortRuns == 0);
    WANT(f, NEAR(crashAfter(f, 1), 2));
}

static void shortRuns_WithoutHoldoff_DoubleFromOneSecond(psFixture *f)
{
    static const double delays[] = {0.5, 1, 2, 4, 5};
    psSettings settings = doubling();

    settings.holdoffSec = 0;
    settings.holdoffMaxSec = 5;
    run(f, &settings);
    for (size_t i = 0; i < NELEMENTS(delays); i++)
        WANT(f, NEAR(crashAfter(f, 0.5), delays[i]));
}

static void shortRuns_OfLongHoldoff_AreThoseBelowIt(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 30;
    settings.holdoffMaxSec = 240;
    run(f, &settings);
    crashAfter(f, 29);
    WANT(f, f->m.policy.shortRuns == 1);
    WANT(f, NEAR(crashAfter(f, 29), 60));
    crashAfter(f, 31);
    WANT(f, f->m.policy.shortRuns == 0);
}

/* Three short runs; then what the caller does; the next delay shows the effect. */
static void makeDoubled(psFixture *f)
{
    psSettings settings = doubling();

    run(f, &settings);
    crashAfter(f, 1);
    crashAfter(f, 1);
    crashAfter(f, 1);
    WANT(f, f->m.policy.shortRuns == 3);
}

static void restartOfRunning_EndsTheDoubling(psFixture *f)
{
    makeDoubled(f);
    psFixtureFire(f, psEventRestart);
    psFixtureDies(f, SIGTERM);
    psFixtureSpawned(f);
    WANT(f, NEAR(crashAfter(f, 1), 2));
}

static void startAndReset_EndTheDoubling(psFixture *f)
{
    makeDoubled(f);
    psFixtureExits(f, 1);
    WANT(f, f->m.state == psStateHoldoff);
    psFixtureFire(f, psEventStart);
    psFixtureSpawned(f);
    WANT(f, NEAR(crashAfter(f, 1), 2));
    makeDoubled(f);
    psFixtureFire(f, psEventReset);
    WANT(f, NEAR(crashAfter(f, 1), 2));
}

static void longRunEndedByKill_EndsTheDoubling(psFixture *f)
{
    makeDoubled(f);
    psFixtureLater(f, 86400);
    psFixtureFire(f, psEventKill);
    psFixtureDies(f, SIGTERM);
    psFixtureSpawned(f);
    WANT(f, NEAR(crashAfter(f, 1), 2));
}

static void shortRunEndedByKill_DoesNotDouble(psFixture *f)
{
    psSettings settings = doubling();

    run(f, &settings);
    for (int i = 0; i < 5; i++) {
        psFixtureFire(f, psEventKill);
        psFixtureDies(f, SIGTERM);
        WANT(f, NEAR(f->m.deadline - f->m.startMono, 2));
        psFixtureDue(f);
        psFixtureSpawned(f);
    }
    WANT(f, f->m.policy.shortRuns == 0);
}

static void failedStarts_WaitOneSecondDoublingToSixty(psFixture *f)
{
    static const double delays[] = {1, 2, 4, 8, 16, 32, 60, 60};
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 0;
    psFixtureInitWith(f, &settings, SIGTERM, false);
    psFixtureBoot(f, false);
    for (size_t i = 0; i < NELEMENTS(delays); i++) {
        psFixtureLater(f, 100); /* the delay counts from the failure, not the start */
        psFixtureSpawnFailed(f);
        WANT(f, f->m.state == psStateHoldoff && NEAR(f->m.deadline - f->now, delays[i]));
        psFixtureDue(f);
    }
    psFixtureSpawned(f); /* a success begins anew */
    psFixtureExits(f, 1);
    WANT(f, f->m.state == psStateStarting);
    psFixtureSpawnFailed(f);
    WANT(f, NEAR(f->m.deadline - f->now, 1));
}

/* ---- credit and giving up ---- */

/* Starts within @sec when each run lasts @runSec. */
static int startsOfCrashLoop(psFixture *f, double sec, double runSec)
{
    double until = f->now + sec;
    int starts = f->m.starts;

    while (f->now < until) {
        psFixtureLater(f, runSec);
        psFixtureDies(f, SIGSEGV);
        while (f->m.state == psStateHoldoff)
            psFixtureDue(f);
        if (f->m.state != psStateStarting)
            break;
        psFixtureSpawned(f);
    }
    return f->m.starts - starts;
}

static void credit_BoundsACrashLoopWithoutHoldoff(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 0;
    run(f, &settings);
    int starts = startsOfCrashLoop(f, 3600, 0.001);
    WANT(f, starts >= 250 + 2 * 3590 && starts <= 250 + 2 * 3610);
    testDiag("%d starts in an hour", starts);
    WANT(f, f->m.policy.credit < 2);
    /* 125 s of rest fill it again, and not more than that */
    psFixtureLater(f, 10000);
    starts = startsOfCrashLoop(f, 1, 0.001);
    WANT(f, starts >= 249 && starts <= 254);
}

static void credit_FirstStartsAreAtOnce(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 0;
    run(f, &settings);
    for (int i = 0; i < 250; i++) {
        psFixtureExits(f, 1);
        WANT(f, f->m.state == psStateStarting);
        psFixtureSpawned(f);
    }
    psFixtureExits(f, 1);
    WANT(f, f->m.state == psStateHoldoff && NEAR(f->m.deadline - f->now, 0.5));
    psFixtureFire(f, psEventStart); /* an operator needs no credit */
    WANT(f, f->m.state == psStateStarting);
}

static psSettings limited(int maxRestarts)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 0;
    settings.restartWindowSec = 60;
    settings.maxRestarts = maxRestarts;
    return settings;
}

static void maxRestarts_WithinWindow_GivesUp(psFixture *f)
{
    psSettings settings = limited(3);

    run(f, &settings);
    WANT(f, startsOfCrashLoop(f, 50, 1) == 3);
    WANT(f, f->m.state == psStateCrashLoop && (f->out.actions & PS_DO_GAVE_UP));
    WANT(f, f->m.desiredUp && f->m.crashes == 4 && f->m.autoRestarts == 3);
    psFixtureLater(f, 100000);
    WANT(f, f->m.deadline == HUGE_VAL); /* until somebody starts it */
}

static void maxRestarts_SlowerThanWindow_NeverGivesUp(psFixture *f)
{
    psSettings settings = limited(3);

    run(f, &settings);
    WANT(f, startsOfCrashLoop(f, 3600, 21) > 160); /* 3 within 63 s */
    WANT(f, f->m.state == psStateRunning);
}

static void maxRestarts_Zero_NeverGivesUp(psFixture *f)
{
    psSettings settings = limited(0);

    run(f, &settings);
    startsOfCrashLoop(f, 3600, 0.01);
    WANT(f, f->m.state == psStateRunning);
}

static void maxRestarts_CountsNoStartThatWasAsked(psFixture *f)
{
    psSettings settings = limited(2);

    run(f, &settings);
    for (int i = 0; i < 10; i++) {
        psFixtureFire(f, psEventKill);
        psFixtureDies(f, SIGTERM);
        WANT(f, f->m.state == psStateStarting);
        psFixtureSpawned(f);
        psFixtureLater(f, 2);
    }
    WANT(f, startsOfCrashLoop(f, 10, 0.1) == 2 && f->m.state == psStateCrashLoop);
}

static void crashLoop_ResetOrStart_GivesAsManyAgain(psFixture *f)
{
    static const psEvent ways[] = {psEventReset, psEventStart, psEventRestart};
    psSettings settings = limited(2);

    for (size_t i = 0; i < NELEMENTS(ways); i++) {
        run(f, &settings);
        startsOfCrashLoop(f, 10, 0.1);
        WANT(f, f->m.state == psStateCrashLoop);
        psFixtureFire(f, ways[i]);
        WANT(f, f->m.state == psStateStarting && psMachineWindowCrashes(&f->m, f->now) == 0);
        psFixtureSpawned(f);
        WANT(f, startsOfCrashLoop(f, 10, 0.1) == 2 && f->m.state == psStateCrashLoop);
    }
}

/* ---- counters ---- */

static void counters_CountAndReset(psFixture *f)
{
    psFixtureInit(f);
    WANT(f, psMachineRestarts(&f->m) == 0);
    psMachineResetCounters(&f->m);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    WANT(f, f->m.starts == 1 && psMachineRestarts(&f->m) == 0);
    crashAfter(f, 1);
    psFixtureFire(f, psEventRestart);
    psFixtureDies(f, SIGTERM);
    psFixtureSpawned(f);
    WANT(f, f->m.starts == 3 && psMachineRestarts(&f->m) == 2);
    WANT(f, f->m.autoRestarts == 1 && f->m.crashes == 1);
    psMachineResetCounters(&f->m);
    WANT(f, f->m.starts == 0 && psMachineRestarts(&f->m) == 0);
    WANT(f, f->m.autoRestarts == 0 && f->m.crashes == 0);
    crashAfter(f, 1);
    WANT(f, f->m.starts == 1 && psMachineRestarts(&f->m) == 1);
    WANT(f, f->m.autoRestarts == 1 && f->m.crashes == 1);
}

static void windowCrashes_FallAsTimePasses(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 0;
    settings.restartWindowSec = 100;
    run(f, &settings);
    WANT(f, psMachineWindowChange(&f->m, f->now) == HUGE_VAL);
    crashAfter(f, 10);
    double first = f->now;
    crashAfter(f, 10);
    WANT(f, psMachineWindowCrashes(&f->m, f->now) == 2);
    WANT(f, NEAR(psMachineWindowChange(&f->m, f->now), first + 100));
    WANT(f, psMachineWindowCrashes(&f->m, first + 101) == 1);
    WANT(f, NEAR(psMachineWindowChange(&f->m, first + 101), first + 110));
    WANT(f, psMachineWindowCrashes(&f->m, first + 111) == 0);
    WANT(f, f->m.crashes == 2);
}

static void windowCrashes_AreBounded(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 0;
    run(f, &settings);
    startsOfCrashLoop(f, 300, 0.5);
    WANT(f, psMachineWindowCrashes(&f->m, f->now) == PS_WINDOW_CRASHES);
    WANT(f, f->m.crashes > PS_WINDOW_CRASHES);
}

static const psFixtureTest tests[] = {
    TEST(boot_EachMode_Starts),
    TEST(exit_EachMode_DoesAsModeSays),
    TEST(stopOfOneShot_DoesNotFinish),
    TEST(modeNeverWhileRunning_KeepsItRunningThenStops),
    TEST(modeAlways_LongAfterFailedStart_StartsAtOnce),
    TEST(holdoff_CountsFromStart),
    TEST(settings_WhenHoldoff_ComputeItAnew),
    TEST(shortRuns_DoubleTheDelayUpToItsMaximum),
    TEST(shortRuns_WithoutHoldoff_DoubleFromOneSecond),
    TEST(shortRuns_OfLongHoldoff_AreThoseBelowIt),
    TEST(restartOfRunning_EndsTheDoubling),
    TEST(startAndReset_EndTheDoubling),
    TEST(longRunEndedByKill_EndsTheDoubling),
    TEST(shortRunEndedByKill_DoesNotDouble),
    TEST(failedStarts_WaitOneSecondDoublingToSixty),
    TEST(credit_BoundsACrashLoopWithoutHoldoff),
    TEST(credit_FirstStartsAreAtOnce),
    TEST(maxRestarts_WithinWindow_GivesUp),
    TEST(maxRestarts_SlowerThanWindow_NeverGivesUp),
    TEST(maxRestarts_Zero_NeverGivesUp),
    TEST(maxRestarts_CountsNoStartThatWasAsked),
    TEST(crashLoop_ResetOrStart_GivesAsManyAgain),
    TEST(counters_CountAndReset),
    TEST(windowCrashes_FallAsTimePasses),
    TEST(windowCrashes_AreBounded),
};

MAIN(psMachinePolicyTest)
{
    testPlan((int)NELEMENTS(tests));
    psFixtureRun(tests, NELEMENTS(tests));
    return testDone();
}
