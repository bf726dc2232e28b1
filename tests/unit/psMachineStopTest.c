/* SPDX-License-Identifier: EPICS */
/*
 * How the state machine ends a process: the stages of a stop, quick restarts, classes of an
 * end, stale events.  Single cells are psMachineTest's.
 */
#include <math.h>
#include <signal.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psMachineFixture.h"

#define NEAR(a, b) (fabs((a) - (b)) < 1e-6)

/* ---- a stop in stages ---- */

static void stages(psFixture *f, int killSignal, bool hasStopInput, double graceSec)
{
    psSettings settings = psFixtureSettings();

    settings.graceSec = graceSec;
    psFixtureInitWith(f, &settings, killSignal, hasStopInput);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureFire(f, psEventStop);
}

static void stop_AllStages_InOrderEachForItsGrace(psFixture *f)
{
    stages(f, SIGINT, true, 5);
    double began = f->now;
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_STOP_INPUT);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    WANT(f, NEAR(f->now, began + 5));
    psFixtureDue(f);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, NEAR(f->now, began + 10));
    psFixtureDies(f, SIGKILL);
    WANT(f, f->out.exitClass == psExitTimeout);
}

static void stop_KillSignal9_SkipsTheSecondStage(psFixture *f)
{
    stages(f, SIGKILL, true, 5);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_STOP_INPUT);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->out.exitClass == psExitTimeout);
    stages(f, SIGKILL, false, 5);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->out.exitClass == psExitKilled);
}

static void stop_WithoutGrace_TakesNoTime(psFixture *f)
{
    stages(f, SIGTERM, true, 0);
    double began = f->now;
    WANT(f, f->out.actions == PS_DO_STOP_INPUT && f->m.deadline == began);
    psFixtureDue(f);
    WANT(f, f->out.actions == PS_DO_KILL_SIGNAL && f->m.deadline == began);
    psFixtureDue(f);
    WANT(f, f->out.actions == PS_DO_SIGKILL && f->now == began);
}

static void kill_WhileStopping_AdvancesEachStage(psFixture *f)
{
    stages(f, SIGTERM, true, 5);
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    WANT(f, NEAR(f->m.deadline, f->now + 5));
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStopped && f->out.exitClass == psExitKilled);
}

static void killAfterFirstGrace_IsKilled(psFixture *f)
{
    stages(f, SIGTERM, true, 5);
    psFixtureDue(f);
    psFixtureFire(f, psEventKill);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->out.exitClass == psExitKilled);
}

/* The kill key sends the kill signal; the stop input is for a stop. */
static void kill_WhenRunning_SkipsTheStopInput(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    psFixtureInitWith(f, &settings, SIGTERM, true);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateKilling);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStarting || f->m.state == psStateHoldoff);
    WANT(f, f->out.exitClass == psExitTimeout);
}

static void restart_RightAfterARestart_RestartsOnceMore(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    psFixtureDies(f, SIGTERM);
    psFixtureSpawned(f);
    psFixtureFire(f, psEventRestart);
    WANT(f, f->m.state == psStateStopping && f->out.verdict == psVerdictWait);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStarting && f->m.incarnation == 3);
}

/* ---- classes, counters, incarnations ---- */

static void exit_WithoutRequest_HasItsClass(psFixture *f)
{
    static const struct {
        int code, signo;
        bool lost;
        psExitClass cls;
        int crashes;
    } cases[] = {
        {0, -1, false, psExitClean, 0},        {1, -1, false, psExitError, 1},
        {255, -1, false, psExitError, 1},      {-1, SIGSEGV, false, psExitSignal, 1},
        {-1, SIGKILL, false, psExitSignal, 1}, {-1, -1, true, psExitLost, 1},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {

        psFixtureBring(f, psStateRunning);
        if (cases[i].lost)
            psFixtureIsLost(f);
        else if (cases[i].signo > 0)
            psFixtureDies(f, cases[i].signo);
        else
            psFixtureExits(f, cases[i].code);
        WANT(f, f->out.exitClass == cases[i].cls && !f->out.asked);
        WANT(f, f->m.crashes == cases[i].crashes);
    }
}

static void exit_WhenAsked_HasItsClass(psFixture *f)
{
    psFixtureBring(f, psStateStopping);
    psFixtureExits(f, 0);
    WANT(f, f->out.exitClass == psExitClean && f->out.asked);
    psFixtureBring(f, psStateStopping);
    psFixtureExits(f, 143);
    WANT(f, f->out.exitClass == psExitKilled && f->out.asked && f->m.crashes == 0);
    psFixtureBring(f, psStateKilling); /* the grace ran out, yet it went by itself */
    psFixtureExits(f, 0);
    WANT(f, f->out.exitClass == psExitClean);
    psFixtureBring(f, psStateStopping);
    psFixtureIsLost(f);
    WANT(f, f->out.exitClass == psExitLost && f->m.state == psStateStopped);
}

static void staleEvents_AreIgnoredAndCounted(psFixture *f)
{
    static const psEvent events[] = {psEventSpawned, psEventSpawnFailed, psEventExited};

    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStarting && f->m.incarnation == 2);
    for (size_t i = 0; i < NELEMENTS(events); i++) {
        psInputEvent old = {.event = events[i], .incarnation = 1};

        psFixtureStep(f, &old);
        WANT(f, f->m.state == psStateStarting && f->out.actions == 0 && !f->out.moved);
        WANT(f, f->m.stale == i + 1);
    }
}

static const psFixtureTest tests[] = {
    TEST(stop_AllStages_InOrderEachForItsGrace),
    TEST(stop_KillSignal9_SkipsTheSecondStage),
    TEST(stop_WithoutGrace_TakesNoTime),
    TEST(kill_WhileStopping_AdvancesEachStage),
    TEST(killAfterFirstGrace_IsKilled),
    TEST(kill_WhenRunning_SkipsTheStopInput),
    TEST(restart_RightAfterARestart_RestartsOnceMore),
    TEST(exit_WithoutRequest_HasItsClass),
    TEST(exit_WhenAsked_HasItsClass),
    TEST(staleEvents_AreIgnoredAndCounted),
};

MAIN(psMachineStopTest)
{
    testPlan((int)NELEMENTS(tests));
    psFixtureRun(tests, NELEMENTS(tests));
    return testDone();
}
