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

#include "model/psGoal.h"
#include "psMachineFixture.h"

/* A child as psChild plays it: every step is followed by a check. */
typedef struct psRig {
    psFixture *f;
    psGoals goals;
    int ended; /* calls of the list's own callback */
} psRig;

/* How one command ended. */
typedef struct psEnd {
    int calls;
    psCmdState how;
    char msg[PS_TEXT_BYTES];
} psEnd;

static void done(void *ctx, psCmdState how, const char *msg)
{
    psEnd *end = ctx;

    end->calls++;
    end->how = how;
    snprintf(end->msg, sizeof(end->msg), "%s", msg);
}

static void noteEnded(void *ctx, const psGoal *goal, psCmdState how, const char *msg)
{
    psRig *rig = ctx;

    (void)goal;
    (void)how;
    (void)msg;
    rig->ended++;
}

static void setUp(psRig *rig, psFixture *f, psState state)
{
    psFixtureBring(f, state);
    rig->f = f;
    rig->ended = 0;
    psGoalsInit(&rig->goals, noteEnded, rig);
}

static void check(psRig *rig, unsigned long ended, const char *why)
{
    psGoalsCheck(&rig->goals, &rig->f->m, rig->f->now, ended, why);
    psGoalsDeliver(&rig->goals);
}

/* Ends what is left, so that nothing leaks. */
static void tearDown(psRig *rig)
{
    psGoalsFailAll(&rig->goals, psCmdFailed, "test ends");
    psGoalsDeliver(&rig->goals);
}

static int command(psRig *rig, psVerb verb, psEnd *end)
{
    static const psEvent events[psVerbCount] = {
        [psVerbStart] = psEventStart,     [psVerbStop] = psEventStop,
        [psVerbRestart] = psEventRestart, [psVerbKill] = psEventKill,
        [psVerbReset] = psEventReset,
    };
    int status = 0;

    psGoalsSupersede(&rig->goals, verb, "ops@ws3");
    psFixtureFire(rig->f, events[verb]);
    if (rig->f->out.verdict == psVerdictWait)
        status =
            psGoalsAdd(&rig->goals, verb, 1, rig->f->out.why, &rig->f->m, rig->f->now, done, end);
    check(rig, 0, NULL);
    return status;
}

static void spawned(psRig *rig)
{
    psFixtureSpawned(rig->f);
    check(rig, 0, NULL);
}

static void dies(psRig *rig, int signo)
{
    unsigned long ended = rig->f->m.incarnation;

    psFixtureDies(rig->f, signo);
    check(rig, ended, "killed by a test");
}

static void spawnFails(psRig *rig)
{
    unsigned long ended = rig->f->m.incarnation;

    psFixtureSpawnFailed(rig->f);
    check(rig, ended, "cannot execute /no/such");
}

static void timePasses(psRig *rig, double sec)
{
    psFixtureLater(rig->f, sec);
    check(rig, 0, NULL);
}

static bool is(const psEnd *end, psCmdState how, const char *part)
{
    if (end->calls == 1 && end->how == how && strstr(end->msg, part))
        return true;
    testDiag("  %d calls, state %d, '%s'", end->calls, (int)end->how, end->msg);
    return false;
}

static void start_AtRest_IsDoneWhenRunning(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateStopped);
    WANT(f, command(&rig, psVerbStart, &end) == 0 && end.calls == 0);
    spawned(&rig);
    WANT(f, is(&end, psCmdDone, "running") && rig.ended == 1);
    WANT(f, psGoalsDeadline(&rig.goals) == HUGE_VAL);
    tearDown(&rig);
    WANT(f, end.calls == 1);
}

static void start_WhenItFails_FailsWithTheReason(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateStopped);
    command(&rig, psVerbStart, &end);
    spawnFails(&rig);
    WANT(f, is(&end, psCmdFailed, "/no/such"));
    tearDown(&rig);
}

static void restart_OfRunning_WaitsForTheNextProcess(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateRunning);
    command(&rig, psVerbRestart, &end);
    WANT(f, end.calls == 0);
    dies(&rig, SIGTERM);
    WANT(f, end.calls == 0 && f->m.state == psStateStarting);
    spawned(&rig);
    WANT(f, is(&end, psCmdDone, "running"));
    tearDown(&rig);
}

static void restart_ThenStop_IsSuperseded(psFixture *f)
{
    psRig rig;
    psEnd restart = {0};
    psEnd stop = {0};

    setUp(&rig, f, psStateRunning);
    command(&rig, psVerbRestart, &restart);
    command(&rig, psVerbStop, &stop);
    WANT(f, is(&restart, psCmdFailed, "superseded by Stop of ops@ws3"));
    dies(&rig, SIGTERM);
    WANT(f, is(&stop, psCmdDone, "killed by a test"));
    tearDown(&rig);
}

/* Each command is answered, and says with what it was merged. */
static void commands_OfOneKind_AreMergedAndSaySo(psFixture *f)
{
    psRig rig;
    psEnd ends[5] = {{0}};

    setUp(&rig, f, psStateRunning);
    command(&rig, psVerbRestart, &ends[0]);
    command(&rig, psVerbRestart, &ends[1]); /* stopping */
    dies(&rig, SIGTERM);
    command(&rig, psVerbRestart, &ends[2]); /* starting */
    spawned(&rig);
    WANT(f, f->m.starts == 2);
    WANT(f, is(&ends[0], psCmdDone, "running") && strcmp(ends[0].msg, "running") == 0);
    WANT(f, is(&ends[1], psCmdDone, "running; merged with the start that follows"));
    WANT(f, is(&ends[2], psCmdDone, "running; merged with a start in progress"));
    command(&rig, psVerbStop, &ends[3]);
    command(&rig, psVerbStop, &ends[4]);
    dies(&rig, SIGTERM);
    WANT(f, is(&ends[3], psCmdDone, "killed by a test") && !strstr(ends[3].msg, "merged"));
    WANT(f, is(&ends[4], psCmdDone, "killed by a test; merged with a stop in progress"));
    tearDown(&rig);
}

static void restart_AfterRestart_WaitsForOneMore(psFixture *f)
{
    psRig rig;
    psEnd first = {0};
    psEnd second = {0};

    setUp(&rig, f, psStateRunning);
    command(&rig, psVerbRestart, &first);
    dies(&rig, SIGTERM);
    spawned(&rig);
    WANT(f, is(&first, psCmdDone, "running"));
    command(&rig, psVerbRestart, &second);
    WANT(f, second.calls == 0 && f->m.state == psStateStopping);
    dies(&rig, SIGTERM);
    spawned(&rig);
    WANT(f, is(&second, psCmdDone, "running") && f->m.incarnation == 3);
    tearDown(&rig);
}

static void stop_ThenStart_BothAreDone(psFixture *f)
{
    psRig rig;
    psEnd stop = {0};
    psEnd start = {0};

    setUp(&rig, f, psStateRunning);
    command(&rig, psVerbStop, &stop);
    command(&rig, psVerbStart, &start);
    dies(&rig, SIGTERM);
    WANT(f, is(&stop, psCmdDone, "killed"));
    WANT(f, start.calls == 0);
    spawned(&rig);
    WANT(f, is(&start, psCmdDone, "running"));
    tearDown(&rig);
}

static void start_ThenKill_FailsWithTheEnd(psFixture *f)
{
    psRig rig;
    psEnd start = {0};
    psEnd killed = {0};

    setUp(&rig, f, psStateStopped);
    command(&rig, psVerbStart, &start);
    command(&rig, psVerbKill, &killed);
    WANT(f, f->m.state == psStateKilling && start.calls == 0);
    dies(&rig, SIGKILL);
    WANT(f, is(&start, psCmdFailed, "killed by a test"));
    WANT(f, is(&killed, psCmdDone, "killed by a test"));
    tearDown(&rig);
}

/* The mode starts it again: the process that was there is gone all the same. */
static void kill_OfRunning_IsDoneWhenThatProcessIsGone(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateRunning);
    psFixtureLater(f, 60);
    command(&rig, psVerbKill, &end);
    dies(&rig, SIGTERM);
    WANT(f, f->m.state == psStateStarting && is(&end, psCmdDone, "killed"));
    tearDown(&rig);
}

static void start_AtCrashLoop_Fails(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateStopped);
    command(&rig, psVerbStart, &end);
    f->m.state = psStateCrashLoop;
    check(&rig, 0, NULL);
    WANT(f, is(&end, psCmdFailed, "CrashLoop"));
    tearDown(&rig);
}

static void start_WhenTheModeSaysNo_Fails(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateStopped);
    psFixtureMode(f, psModeNever);
    command(&rig, psVerbStart, &end);
    psFixtureSpawnFailed(f);
    check(&rig, 0, NULL); /* nobody says why */
    WANT(f, f->m.state == psStateStopped && is(&end, psCmdFailed, "mode"));
    tearDown(&rig);
}

static void any_AtShutdown_Fails(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateRunning);
    command(&rig, psVerbRestart, &end);
    psFixtureFire(f, psEventShutdown);
    check(&rig, 0, NULL);
    WANT(f, is(&end, psCmdFailed, "shutting down"));
    tearDown(&rig);
}

static void any_AfterTwiceTheGraceAndFive_TimesOut(psFixture *f)
{
    static const psVerb verbs[] = {psVerbRestart, psVerbStop};

    for (size_t i = 0; i < NELEMENTS(verbs); i++) {
        psRig rig;
        psEnd end = {0};

        setUp(&rig, f, psStateRunning);
        command(&rig, verbs[i], &end);
        WANT(f, psGoalsDeadline(&rig.goals) == f->now + 15);
        timePasses(&rig, 14.9);
        WANT(f, end.calls == 0);
        timePasses(&rig, 0.2);
        WANT(f, is(&end, psCmdTimeout, "in time"));
        tearDown(&rig);
    }
}

static void stop_WhenItCannotBeKilled_TimesOut(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateRunning);
    f->m.killSignal = SIGKILL;
    command(&rig, psVerbStop, &end);
    while (!f->m.cannotKill && f->now < 2000)
        psFixtureDue(f);
    check(&rig, 0, NULL);
    WANT(f, is(&end, psCmdTimeout, "the process cannot be killed"));
    tearDown(&rig);
}

static void anyEnd_IsToldAtOnceAndDeliveredLater(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateStarting);
    command(&rig, psVerbStart, &end);
    psFixtureSpawned(f);
    psGoalsCheck(&rig.goals, &f->m, f->now, 0, NULL);
    WANT(f, rig.ended == 1 && end.calls == 0);
    psGoalsDeliver(&rig.goals);
    WANT(f, is(&end, psCmdDone, "running"));
    psGoalsDeliver(&rig.goals);
    WANT(f, end.calls == 1);
    tearDown(&rig);
}

static void staleEnd_ReachesNoGoal(psFixture *f)
{
    psRig rig;
    psEnd end = {0};

    setUp(&rig, f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    dies(&rig, SIGTERM);
    spawned(&rig);
    command(&rig, psVerbStop, &end);
    check(&rig, 1, "the process before");
    WANT(f, f->m.incarnation == 2 && end.calls == 0);
    dies(&rig, SIGTERM);
    WANT(f, end.calls == 1);
    tearDown(&rig);
}

/* A log is reopened by another thread: only its word ends the command. */
static void rotateLog_EndsByWordOnly(psFixture *f)
{
    psRig rig;
    psEnd ends[3] = {{0}};

    setUp(&rig, f, psStateRunning);
    for (int i = 0; i < 3; i++)
        WANT(f, psGoalsAdd(&rig.goals, psVerbRotateLog, 10 + i, NULL, &f->m, f->now, done,
                           &ends[i]) == 0);
    psGoalsSupersede(&rig.goals, psVerbStop, "ops@ws3");
    dies(&rig, SIGTERM);
    WANT(f, ends[0].calls == 0 && ends[1].calls == 0);
    psGoalsEnd(&rig.goals, psVerbRotateLog, 11, psCmdFailed, "no such folder");
    psGoalsDeliver(&rig.goals);
    WANT(f, is(&ends[0], psCmdFailed, "no such folder"));
    WANT(f, is(&ends[1], psCmdFailed, "no such folder"));
    WANT(f, ends[2].calls == 0);
    timePasses(&rig, 14.9);
    WANT(f, ends[2].calls == 0);
    timePasses(&rig, 0.2);
    WANT(f, is(&ends[2], psCmdTimeout, "in time"));
    tearDown(&rig);
}

static void add_BeyondTheLimit_IsRefused(psFixture *f)
{
    psRig rig;
    psEnd ends[PS_GOALS + 1] = {{0}};
    int single = 0;

    setUp(&rig, f, psStateStarting);
    for (int i = 0; i < PS_GOALS; i++)
        WANT(f, command(&rig, psVerbStart, &ends[i]) == 0);
    WANT(f, command(&rig, psVerbStart, &ends[PS_GOALS]) == -ENOSPC);
    spawned(&rig);
    for (int i = 0; i < PS_GOALS; i++)
        single += ends[i].calls == 1 && ends[i].how == psCmdDone;
    WANT(f, single == PS_GOALS && ends[PS_GOALS].calls == 0 && rig.ended == PS_GOALS);
    tearDown(&rig);
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
