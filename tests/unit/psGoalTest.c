/* SPDX-License-Identifier: EPICS */
/*
 * Commands in progress, beside a machine that goes through what they wait for.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psGoalFixture.h"

static void start_AtRest_IsDoneWhenRunning(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateStopped);
    WANT(f, psGoalCommand(&rig, psVerbStart, &end) == 0 && end.calls == 0);
    psGoalSpawned(&rig);
    WANT(f, psGoalIs(&end, psCmdDone, "running") && rig.ended == 1);
    WANT(f, psGoalsDeadline(&rig.goals) == HUGE_VAL);
    psGoalTearDown(&rig);
    WANT(f, end.calls == 1);
}

static void start_WhenItFails_FailsWithTheReason(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateStopped);
    psGoalCommand(&rig, psVerbStart, &end);
    psGoalSpawnFails(&rig);
    WANT(f, psGoalIs(&end, psCmdFailed, "/no/such"));
    psGoalTearDown(&rig);
}

static void restart_OfRunning_WaitsForTheNextProcess(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbRestart, &end);
    WANT(f, end.calls == 0);
    psGoalDies(&rig, SIGTERM);
    WANT(f, end.calls == 0 && f->m.state == psStateStarting);
    psGoalSpawned(&rig);
    WANT(f, psGoalIs(&end, psCmdDone, "running"));
    psGoalTearDown(&rig);
}

static void restart_ThenStop_IsSuperseded(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd restart = {0};
    psGoalEnd stop = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbRestart, &restart);
    psGoalCommand(&rig, psVerbStop, &stop);
    WANT(f, psGoalIs(&restart, psCmdFailed, "superseded by Stop of ops@ws3"));
    psGoalDies(&rig, SIGTERM);
    WANT(f, psGoalIs(&stop, psCmdDone, "killed by a test"));
    psGoalTearDown(&rig);
}

/* Each command is answered, and says with what it was merged. */
static void commands_OfOneKind_AreMergedAndSaySo(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd ends[5] = {{0}};

    psGoalSetUp(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbRestart, &ends[0]);
    psGoalCommand(&rig, psVerbRestart, &ends[1]); /* stopping */
    psGoalDies(&rig, SIGTERM);
    psGoalCommand(&rig, psVerbRestart, &ends[2]); /* starting */
    psGoalSpawned(&rig);
    WANT(f, f->m.starts == 2);
    WANT(f, psGoalIs(&ends[0], psCmdDone, "running") && strcmp(ends[0].msg, "running") == 0);
    WANT(f, psGoalIs(&ends[1], psCmdDone, "running; merged with the start that follows"));
    WANT(f, psGoalIs(&ends[2], psCmdDone, "running; merged with a start in progress"));
    psGoalCommand(&rig, psVerbStop, &ends[3]);
    psGoalCommand(&rig, psVerbStop, &ends[4]);
    psGoalDies(&rig, SIGTERM);
    WANT(f, psGoalIs(&ends[3], psCmdDone, "killed by a test") && !strstr(ends[3].msg, "merged"));
    WANT(f, psGoalIs(&ends[4], psCmdDone, "killed by a test; merged with a stop in progress"));
    psGoalTearDown(&rig);
}

static void restart_AfterRestart_WaitsForOneMore(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd first = {0};
    psGoalEnd second = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbRestart, &first);
    psGoalDies(&rig, SIGTERM);
    psGoalSpawned(&rig);
    WANT(f, psGoalIs(&first, psCmdDone, "running"));
    psGoalCommand(&rig, psVerbRestart, &second);
    WANT(f, second.calls == 0 && f->m.state == psStateStopping);
    psGoalDies(&rig, SIGTERM);
    psGoalSpawned(&rig);
    WANT(f, psGoalIs(&second, psCmdDone, "running") && f->m.incarnation == 3);
    psGoalTearDown(&rig);
}

static void stop_ThenStart_BothAreDone(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd stop = {0};
    psGoalEnd start = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbStop, &stop);
    psGoalCommand(&rig, psVerbStart, &start);
    psGoalDies(&rig, SIGTERM);
    WANT(f, psGoalIs(&stop, psCmdDone, "killed"));
    WANT(f, start.calls == 0);
    psGoalSpawned(&rig);
    WANT(f, psGoalIs(&start, psCmdDone, "running"));
    psGoalTearDown(&rig);
}

static void start_ThenKill_FailsWithTheEnd(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd start = {0};
    psGoalEnd killed = {0};

    psGoalSetUp(&rig, f, psStateStopped);
    psGoalCommand(&rig, psVerbStart, &start);
    psGoalCommand(&rig, psVerbKill, &killed);
    WANT(f, f->m.state == psStateKilling && start.calls == 0);
    psGoalDies(&rig, SIGKILL);
    WANT(f, psGoalIs(&start, psCmdFailed, "killed by a test"));
    WANT(f, psGoalIs(&killed, psCmdDone, "killed by a test"));
    psGoalTearDown(&rig);
}

/* The mode starts it again: the process that was there is gone all the same. */
static void kill_OfRunning_IsDoneWhenThatProcessIsGone(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psFixtureLater(f, 60);
    psGoalCommand(&rig, psVerbKill, &end);
    psGoalDies(&rig, SIGTERM);
    WANT(f, f->m.state == psStateStarting && psGoalIs(&end, psCmdDone, "killed"));
    psGoalTearDown(&rig);
}

static void start_AtCrashLoop_Fails(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateStopped);
    psGoalCommand(&rig, psVerbStart, &end);
    f->m.state = psStateCrashLoop;
    psGoalCheck(&rig, 0, NULL);
    WANT(f, psGoalIs(&end, psCmdFailed, "CrashLoop"));
    psGoalTearDown(&rig);
}

static void start_WhenTheModeSaysNo_Fails(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateStopped);
    psFixtureMode(f, psModeNever);
    psGoalCommand(&rig, psVerbStart, &end);
    psFixtureSpawnFailed(f);
    psGoalCheck(&rig, 0, NULL); /* nobody says why */
    WANT(f, f->m.state == psStateStopped && psGoalIs(&end, psCmdFailed, "mode"));
    psGoalTearDown(&rig);
}

static void any_AtShutdown_Fails(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psGoalCommand(&rig, psVerbRestart, &end);
    psFixtureFire(f, psEventShutdown);
    psGoalCheck(&rig, 0, NULL);
    WANT(f, psGoalIs(&end, psCmdFailed, "shutting down"));
    psGoalTearDown(&rig);
}

static void any_AfterTwiceTheGraceAndFive_TimesOut(psFixture *f)
{
    static const psVerb verbs[] = {psVerbRestart, psVerbStop};

    for (size_t i = 0; i < NELEMENTS(verbs); i++) {
        psGoalRig rig;
        psGoalEnd end = {0};

        psGoalSetUp(&rig, f, psStateRunning);
        psGoalCommand(&rig, verbs[i], &end);
        WANT(f, psGoalsDeadline(&rig.goals) == f->now + 15);
        psGoalTimePasses(&rig, 14.9);
        WANT(f, end.calls == 0);
        psGoalTimePasses(&rig, 0.2);
        WANT(f, psGoalIs(&end, psCmdTimeout, "in time"));
        psGoalTearDown(&rig);
    }
}

static void stop_WhenItCannotBeKilled_TimesOut(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    f->m.killSignal = SIGKILL;
    psGoalCommand(&rig, psVerbStop, &end);
    while (!f->m.cannotKill && f->now < 2000)
        psFixtureDue(f);
    psGoalCheck(&rig, 0, NULL);
    WANT(f, psGoalIs(&end, psCmdTimeout, "the process cannot be killed"));
    psGoalTearDown(&rig);
}

static void anyEnd_IsToldAtOnceAndDeliveredLater(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateStarting);
    psGoalCommand(&rig, psVerbStart, &end);
    psFixtureSpawned(f);
    psGoalFollowReadiness(&rig);
    psGoalsCheck(&rig.goals, &f->m, f->now, 0, NULL);
    WANT(f, rig.ended == 1 && end.calls == 0);
    psGoalsDeliver(&rig.goals);
    WANT(f, psGoalIs(&end, psCmdDone, "running"));
    psGoalsDeliver(&rig.goals);
    WANT(f, end.calls == 1);
    psGoalTearDown(&rig);
}

static void staleEnd_ReachesNoGoal(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd end = {0};

    psGoalSetUp(&rig, f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    psGoalDies(&rig, SIGTERM);
    psGoalSpawned(&rig);
    psGoalCommand(&rig, psVerbStop, &end);
    psGoalCheck(&rig, 1, "the process before");
    WANT(f, f->m.incarnation == 2 && end.calls == 0);
    psGoalDies(&rig, SIGTERM);
    WANT(f, end.calls == 1);
    psGoalTearDown(&rig);
}

/* A log is reopened by another thread: only its word ends the command. */
static void rotateLog_EndsByWordOnly(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd ends[3] = {{0}};

    psGoalSetUp(&rig, f, psStateRunning);
    for (int i = 0; i < 3; i++)
        WANT(f, psGoalsAdd(&rig.goals, psVerbRotateLog, 10 + i, NULL, &f->m, f->now, psGoalDone,
                           &ends[i]) == 0);
    psGoalsSupersede(&rig.goals, psVerbStop, "ops@ws3");
    psGoalDies(&rig, SIGTERM);
    WANT(f, ends[0].calls == 0 && ends[1].calls == 0);
    psGoalsEnd(&rig.goals, psVerbRotateLog, 11, psCmdFailed, "no such folder");
    psGoalsDeliver(&rig.goals);
    WANT(f, psGoalIs(&ends[0], psCmdFailed, "no such folder"));
    WANT(f, psGoalIs(&ends[1], psCmdFailed, "no such folder"));
    WANT(f, ends[2].calls == 0);
    psGoalTimePasses(&rig, 14.9);
    WANT(f, ends[2].calls == 0);
    psGoalTimePasses(&rig, 0.2);
    WANT(f, psGoalIs(&ends[2], psCmdTimeout, "in time"));
    psGoalTearDown(&rig);
}

static void add_BeyondTheLimit_IsRefused(psFixture *f)
{
    psGoalRig rig;
    psGoalEnd ends[PS_GOALS + 1] = {{0}};
    int single = 0;

    psGoalSetUp(&rig, f, psStateStarting);
    for (int i = 0; i < PS_GOALS; i++)
        WANT(f, psGoalCommand(&rig, psVerbStart, &ends[i]) == 0);
    WANT(f, psGoalCommand(&rig, psVerbStart, &ends[PS_GOALS]) == -ENOSPC);
    psGoalSpawned(&rig);
    for (int i = 0; i < PS_GOALS; i++)
        single += ends[i].calls == 1 && ends[i].how == psCmdDone;
    WANT(f, single == PS_GOALS && ends[PS_GOALS].calls == 0 && rig.ended == PS_GOALS);
    psGoalTearDown(&rig);
}

static const psFixtureTest tests[] = {
    TEST(start_AtRest_IsDoneWhenRunning),
    TEST(start_WhenItFails_FailsWithTheReason),
    TEST(restart_OfRunning_WaitsForTheNextProcess),
    TEST(restart_ThenStop_IsSuperseded),
    TEST(commands_OfOneKind_AreMergedAndSaySo),
    TEST(restart_AfterRestart_WaitsForOneMore),
    TEST(stop_ThenStart_BothAreDone),
    TEST(start_ThenKill_FailsWithTheEnd),
    TEST(kill_OfRunning_IsDoneWhenThatProcessIsGone),
    TEST(start_AtCrashLoop_Fails),
    TEST(start_WhenTheModeSaysNo_Fails),
    TEST(any_AtShutdown_Fails),
    TEST(any_AfterTwiceTheGraceAndFive_TimesOut),
    TEST(stop_WhenItCannotBeKilled_TimesOut),
    TEST(anyEnd_IsToldAtOnceAndDeliveredLater),
    TEST(staleEnd_ReachesNoGoal),
    TEST(rotateLog_EndsByWordOnly),
    TEST(add_BeyondTheLimit_IsRefused),
};

MAIN(psGoalTest)
{
    testPlan((int)NELEMENTS(tests));
    psFixtureRun(tests, NELEMENTS(tests));
    return testDone();
}
