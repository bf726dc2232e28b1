/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <signal.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psHealth.h"
#include "psMachineFixture.h"

static double changes; /* when the last answer may change by itself */
static bool isLate;    /* it should be ready by now */

/* Looks as psChild does: an exit deserves its alarm until it runs again. */
static psHealth look(psFixture *f, psHealthTrack *track, bool exitAlarm)
{
    return psHealthEvaluate(track, &f->m, exitAlarm, isLate, f->now, &changes);
}

static void firstStart_IsOk(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateStarting);
    WANT(f, look(f, &track, false) == psHealthOk);
    WANT(f, changes == f->now + PS_UP_SEC);
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthOk);
    psFixtureLater(f, PS_UP_SEC + 1);
    WANT(f, look(f, &track, false) == psHealthOk && changes == HUGE_VAL);
}

static void startThatHangs_IsDown(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateStarting);
    look(f, &track, false);
    psFixtureLater(f, PS_UP_SEC + 1);
    WANT(f, look(f, &track, false) == psHealthDown);
}

static void oneAutomaticRestart_IsTransientThenOk(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    look(f, &track, false);
    psFixtureLater(f, 3600);
    WANT(f, look(f, &track, false) == psHealthOk);
    psFixtureDies(f, SIGSEGV);
    WANT(f, look(f, &track, true) == psHealthTransient);
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthTransient);
    WANT(f, changes == f->m.startMono + PS_UP_SEC);
    f->now = changes;
    WANT(f, look(f, &track, false) == psHealthOk);
}

static void hung_IsHungUntilAlive(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureLater(f, 3600);
    psFixtureHung(f, false);
    WANT(f, look(f, &track, false) == psHealthHung && changes == HUGE_VAL);
    psFixtureFire(f, psEventAlive);
    WANT(f, look(f, &track, false) == psHealthOk && changes == HUGE_VAL);
}

/* One automatic restart pages nobody, whatever led to it. */
static void hungAndRestarted_IsTransient(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureLater(f, 3600);
    psFixtureHung(f, true);
    WANT(f, look(f, &track, false) == psHealthTransient && changes == HUGE_VAL);
    psFixtureUnfit(f);
    WANT(f, look(f, &track, false) == psHealthTransient);
    psFixtureDies(f, SIGTERM);
    WANT(f, look(f, &track, true) == psHealthTransient);
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthTransient);
    psFixtureLater(f, PS_UP_SEC + 1);
    WANT(f, look(f, &track, false) == psHealthOk);
}

/* Runs 5 s, is down 1 s, and so on: never up for long, though never down for long. */
static void diesAgainAndAgain_IsDownUntilItStays(psFixture *f)
{
    psHealthTrack track = {0};
    psSettings settings = psFixtureSettings();
    bool down = false;

    settings.holdoffSec = 6;
    settings.restartWindowSec = 20; /* few crashes within it */
    psFixtureInitWith(f, &settings, SIGTERM, false);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    look(f, &track, false);
    double began = f->now;
    while (f->now < began + 60) {
        psFixtureLater(f, 5);
        psFixtureDies(f, SIGSEGV);
        down = look(f, &track, true) == psHealthDown;
        psFixtureDue(f);
        psFixtureSpawned(f);
        WANT(f, !down || look(f, &track, false) == psHealthDown); /* one alarm a problem */
    }
    WANT(f, down);
    psFixtureLater(f, PS_UP_SEC - 1);
    WANT(f, look(f, &track, false) == psHealthDown && changes == f->m.startMono + PS_UP_SEC);
    psFixtureLater(f, 2);
    WANT(f, look(f, &track, false) == psHealthOk);
}

static void manyCrashes_AreCrashingUntilTheWindowIsOver(psFixture *f)
{
    psHealthTrack track = {0};
    psSettings settings = psFixtureSettings();
    double first = 0;

    settings.holdoffSec = 0;
    psFixtureInitWith(f, &settings, SIGTERM, false);
    psFixtureBoot(f, false);
    for (int i = 0; i < PS_CRASHING_COUNT; i++) {
        psFixtureSpawned(f);
        WANT(f, look(f, &track, false) != psHealthCrashing);
        psFixtureLater(f, 40);
        look(f, &track, false);
        psFixtureDies(f, SIGSEGV);
        if (i == 0)
            first = f->now;
    }
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthCrashing);
    WANT(f, fabs(changes - (first + settings.restartWindowSec)) < 1e-6);
    f->now = changes + 0.001;
    WANT(f, look(f, &track, false) == psHealthOk);
}

static void crashLoop_IsCrashing(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateCrashLoop);
    WANT(f, look(f, &track, true) == psHealthCrashing);
    psFixtureLater(f, 86400); /* however long ago */
    WANT(f, look(f, &track, true) == psHealthCrashing);
}

static void notWanted_IsOkUnlessItEndedBadly(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateWaiting);
    WANT(f, look(f, &track, false) == psHealthOk && changes == HUGE_VAL);
    psFixtureBring(f, psStateStopping);
    WANT(f, look(f, &track, false) == psHealthOk);
    psFixtureDies(f, SIGTERM);
    psFixtureLater(f, 3600);
    WANT(f, look(f, &track, false) == psHealthOk);
    psFixtureBring(f, psStateRunning);
    psFixtureMode(f, psModeNever);
    psFixtureDies(f, SIGSEGV);
    WANT(f, look(f, &track, true) == psHealthDown && changes == HUGE_VAL);
    WANT(f, look(f, &track, false) == psHealthOk); /* Reset took the alarm away */
}

static void operatorsRestart_IsOkAtOnce(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureLater(f, 3600);
    look(f, &track, false);
    psFixtureFire(f, psEventRestart);
    psFixtureDies(f, SIGTERM);
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthOk);
}

static void longHoldoff_IsDownUntilUp(psFixture *f)
{
    psHealthTrack track = {0};
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 300;
    psFixtureInitWith(f, &settings, SIGTERM, false);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureDies(f, SIGSEGV);
    WANT(f, look(f, &track, true) == psHealthTransient && changes == f->now + PS_UP_SEC);
    f->now = changes;
    WANT(f, look(f, &track, true) == psHealthDown);
}

/* Restarts 8 s apart, each with a stop that takes its time: never 30 s of running at once. */
static void askedRestarts_NeverAlarm(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    for (int i = 0; i < 10; i++) {
        WANT(f, look(f, &track, false) == psHealthOk && changes > f->now);
        psFixtureLater(f, 8);
        psFixtureFire(f, psEventRestart);
        WANT(f, f->m.state == psStateStopping && look(f, &track, false) == psHealthOk);
        psFixtureDue(f); /* the grace is over: SIGKILL */
        WANT(f, f->m.state == psStateKilling && look(f, &track, false) == psHealthOk);
        psFixtureDies(f, SIGKILL);
        WANT(f, f->out.exitClass == psExitTimeout);
        WANT(f, f->m.state == psStateStarting && look(f, &track, true) == psHealthOk);
        psFixtureSpawned(f);
    }
}

static void slowStop_NeverAlarms(psFixture *f)
{
    psHealthTrack track = {0};
    psSettings settings = psFixtureSettings();

    settings.graceSec = 3000;
    psFixtureInitWith(f, &settings, SIGTERM, false);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureFire(f, psEventRestart);
    look(f, &track, false);
    psFixtureLater(f, 2900);
    WANT(f, look(f, &track, false) == psHealthOk && changes == HUGE_VAL);
}

static void stopThatNeedsSigkill_NeverAlarms(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateKilling);
    WANT(f, look(f, &track, false) == psHealthOk);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->out.exitClass == psExitTimeout && f->m.state == psStateStopped);
    WANT(f, look(f, &track, true) == psHealthOk && changes == HUGE_VAL);
}

/* The hold-off after it is what the mode says of an end that somebody asked for. */
static void killOrSignal_NeverAlarm(psFixture *f)
{
    for (int bySignal = 0; bySignal <= 1; bySignal++) {
        psHealthTrack track = {0};
        psSettings settings = psFixtureSettings();

        settings.holdoffSec = 300;
        psFixtureInitWith(f, &settings, SIGTERM, false);
        psFixtureBoot(f, false);
        psFixtureSpawned(f);
        psFixtureLater(f, 100);
        WANT(f, look(f, &track, false) == psHealthOk);
        if (bySignal)
            psFixtureSignal(f, SIGINT);
        else
            psFixtureFire(f, psEventKill);
        psFixtureDies(f, bySignal ? SIGINT : SIGTERM);
        WANT(f, f->m.state == psStateHoldoff && look(f, &track, false) == psHealthOk);
        psFixtureLater(f, 190);
        WANT(f, look(f, &track, false) == psHealthOk);
        psFixtureDue(f);
        WANT(f, f->m.state == psStateStarting && look(f, &track, false) == psHealthOk);
        psFixtureSpawned(f);
        WANT(f, look(f, &track, false) == psHealthOk);
    }
}

static void modeThatStarts_NeverAlarms(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureMode(f, psModeNever);
    psFixtureDies(f, SIGSEGV);
    WANT(f, look(f, &track, true) == psHealthDown);
    psFixtureMode(f, psModeAlways);
    WANT(f, f->m.state == psStateHoldoff && look(f, &track, true) == psHealthOk);
    psFixtureDue(f);
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthOk);
}

static void askedStartThatFails_Alarms(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureLater(f, 3600);
    look(f, &track, false);
    psFixtureFire(f, psEventRestart);
    psFixtureDies(f, SIGTERM);
    WANT(f, look(f, &track, false) == psHealthOk);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateHoldoff && look(f, &track, true) == psHealthTransient);
    psFixtureLater(f, PS_UP_SEC + 1);
    WANT(f, look(f, &track, true) == psHealthDown);

    psHealthTrack once = {0};
    psFixtureBring(f, psStateStopped);
    psFixtureMode(f, psModeNever);
    psFixtureFire(f, psEventStart);
    WANT(f, look(f, &once, false) == psHealthOk);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStopped && look(f, &once, true) == psHealthDown);
}

static void askedStartThatHangs_IsDown(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    look(f, &track, false);
    psFixtureLater(f, 100);
    psFixtureDies(f, SIGTERM);
    double asked = f->now;
    WANT(f, look(f, &track, false) == psHealthOk && changes == asked + PS_UP_SEC);
    f->now = changes;
    WANT(f, look(f, &track, false) == psHealthDown);
}

static void askedRestartOfWhatCannotBeKilled_IsDown(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    for (int i = 0; i < 7; i++)
        psFixtureDue(f);
    WANT(f, f->m.cannotKill && look(f, &track, false) == psHealthTransient);
    psFixtureLater(f, PS_UP_SEC);
    WANT(f, look(f, &track, false) == psHealthDown);
}

static void crashAfterAskedRestart_IsTransient(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    look(f, &track, false);
    psFixtureDies(f, SIGTERM);
    psFixtureSpawned(f);
    look(f, &track, false);
    psFixtureLater(f, 5);
    psFixtureDies(f, SIGSEGV);
    WANT(f, look(f, &track, true) == psHealthTransient && changes == f->now + PS_UP_SEC);
}

/* One alarm a problem: it is over when a process stays up, whoever started that. */
static void askedRestartOfWhatIsDown_KeepsTheAlarm(psFixture *f)
{
    psHealthTrack track = {0};
    psSettings settings = psFixtureSettings();

    settings.holdoffSec = 300;
    psFixtureInitWith(f, &settings, SIGTERM, false);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureDies(f, SIGSEGV);
    look(f, &track, true);
    psFixtureLater(f, PS_UP_SEC);
    WANT(f, look(f, &track, true) == psHealthDown);
    psFixtureFire(f, psEventRestart);
    WANT(f, look(f, &track, false) == psHealthDown);
    psFixtureSpawned(f);
    WANT(f, look(f, &track, false) == psHealthDown && changes == f->now + PS_UP_SEC);
    f->now = changes;
    WANT(f, look(f, &track, false) == psHealthOk);
}

/* Whoever started it; but what is worse comes first. */
static void lateToBeReady_IsNotReady(psFixture *f)
{
    psHealthTrack track = {0};

    psFixtureBring(f, psStateRunning);
    isLate = true;
    WANT(f, look(f, &track, false) == psHealthNotReady);
    psFixtureLater(f, PS_UP_SEC + 1);
    WANT(f, look(f, &track, false) == psHealthNotReady);
    isLate = false;
    WANT(f, look(f, &track, false) == psHealthOk);
    isLate = true;
    for (int i = 0; i < PS_CRASHING_COUNT; i++) {
        psFixtureDies(f, SIGSEGV);
        psFixtureLater(f, 15);
        psFixtureFire(f, psEventTimer);
        psFixtureSpawned(f);
    }
    WANT(f, look(f, &track, false) == psHealthCrashing);
    isLate = false;
}

static const psFixtureTest tests[] = {
    TEST(lateToBeReady_IsNotReady),
    TEST(askedRestarts_NeverAlarm),
    TEST(slowStop_NeverAlarms),
    TEST(stopThatNeedsSigkill_NeverAlarms),
    TEST(killOrSignal_NeverAlarm),
    TEST(modeThatStarts_NeverAlarms),
    TEST(askedStartThatFails_Alarms),
    TEST(askedStartThatHangs_IsDown),
    TEST(askedRestartOfWhatCannotBeKilled_IsDown),
    TEST(crashAfterAskedRestart_IsTransient),
    TEST(askedRestartOfWhatIsDown_KeepsTheAlarm),
    TEST(firstStart_IsOk),
    TEST(startThatHangs_IsDown),
    TEST(oneAutomaticRestart_IsTransientThenOk),
    TEST(hung_IsHungUntilAlive),
    TEST(hungAndRestarted_IsTransient),
    TEST(diesAgainAndAgain_IsDownUntilItStays),
    TEST(manyCrashes_AreCrashingUntilTheWindowIsOver),
    TEST(crashLoop_IsCrashing),
    TEST(notWanted_IsOkUnlessItEndedBadly),
    TEST(operatorsRestart_IsOkAtOnce),
    TEST(longHoldoff_IsDownUntilUp),
};

MAIN(psHealthTest)
{
    testPlan((int)NELEMENTS(tests));
    psFixtureRun(tests, NELEMENTS(tests));
    return testDone();
}
