/* SPDX-License-Identifier: EPICS */
/* Commands of a child with a rule that says when it is ready. */
#include <math.h>
#include <signal.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psGoalFixture.h"

static void setUpRule(psGoalRig *rig, psFixture *f, psState state)
{
    psGoalSetUp(rig, f, state);
    psReadinessInit(&rig->ready, psReadyMatch, "up", 60);
    psGoalCheck(rig, 0, NULL);
}

static void matched(psGoalRig *rig)
{
    psReadinessMatched(&rig->ready, rig->f->now);
    psGoalCheck(rig, 0, NULL);
}

static void late(psGoalRig *rig)
{
    psReadinessTick(&rig->ready, rig->f->now);
    psGoalCheck(rig, 0, NULL);
}

static void restart_WithARule_IsDoneWhenReady(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    setUpRule(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbRestart, &end);
    psGoalDies(&rig, SIGTERM);
    psGoalSpawned(&rig);
    WANT(f, end.calls == 0 && psGoalsDeadline(&rig.goals) == HUGE_VAL);
    psGoalTimePasses(&rig, 59);
    WANT(f, end.calls == 0);
    matched(&rig);
    WANT(f, psGoalIs(&end, psCmdDone, "ready after 59.0 s"));
    psGoalTearDown(&rig);
}

static void start_ThatIsLateToBeReady_Fails(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    setUpRule(&rig, f, psStateStopped);
    psGoalCommand(&rig, psVerbStart, &end);
    psGoalSpawned(&rig);
    psGoalTimePasses(&rig, 61);
    WANT(f, end.calls == 0);
    late(&rig);
    WANT(f,
         psGoalIs(&end, psCmdFailed, "not ready within 60 s: waits for a line that matches 'up'"));
    psGoalTearDown(&rig);
}

static void start_ThatEndsBeforeItIsReady_Fails(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    setUpRule(&rig, f, psStateStopped);
    psGoalCommand(&rig, psVerbStart, &end);
    psGoalSpawned(&rig);
    psGoalDies(&rig, SIGSEGV);
    WANT(f, psGoalIs(&end, psCmdFailed, "killed by a test"));
    psGoalTearDown(&rig);
}

/* Each ends the process that the first one waits for. */
static void whatWaitsForReady_IsSupersededByWhatEndsTheProcess(psFixture *f)
{
    static const psVerb verbs[] = {psVerbRestart, psVerbKill, psVerbStop};

    for (size_t i = 0; i < NELEMENTS(verbs); i++) {
        psGoalRig rig;
        psGoalEnd first = {0}, second = {0};

        setUpRule(&rig, f, psStateStopped);
        psGoalCommand(&rig, psVerbStart, &first);
        psGoalSpawned(&rig);
        psGoalCommand(&rig, verbs[i], &second);
        WANT(f, psGoalIs(&first, psCmdFailed, "superseded by") && second.calls == 0);
        psGoalTearDown(&rig);
    }
}

static void readyWaits_WhenItCannotBeKilled_TimesOut(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    setUpRule(&rig, f, psStateStopped);
    psGoalCommand(&rig, psVerbStart, &end);
    psGoalSpawned(&rig);
    psFixtureFire(f, psEventKill); /* by a mode of its own, not by a command */
    for (int i = 0; i < 20 && end.calls == 0; i++) {
        psFixtureLater(f, 5);
        psFixtureFire(f, psEventTimer);
        psGoalCheck(&rig, 0, NULL);
    }
    WANT(f, psGoalIs(&end, psCmdTimeout, "cannot be killed"));
    psGoalTearDown(&rig);
}

static const psFixtureTest tests[] = {
    TEST(restart_WithARule_IsDoneWhenReady),
    TEST(start_ThatIsLateToBeReady_Fails),
    TEST(start_ThatEndsBeforeItIsReady_Fails),
    TEST(whatWaitsForReady_IsSupersededByWhatEndsTheProcess),
    TEST(readyWaits_WhenItCannotBeKilled_TimesOut),
};

MAIN(psGoalReadyTest)
{
    testPlan((int)NELEMENTS(tests));
    psFixtureRun(tests, NELEMENTS(tests));
    return testDone();
}
