/* SPDX-License-Identifier: EPICS */
/*
 * The table's cells for what happens by itself: spawned, spawn failed, exited, timer; and
 * shutdown.
 */
#include <math.h>
#include <signal.h>

#include "psMachineFixture.h"

/* Nothing of the kind is expected here. */
static void wantIgnored(psFixture *f, psEvent event)
{
    psInputEvent input = {.event = event, .incarnation = f->m.incarnation, .exitCode = 1};
    psMachine before = f->m;

    psFixtureStep(f, &input);
    WANT(f, f->m.state == before.state && f->m.deadline == before.deadline);
    WANT(f, f->m.incarnation == before.incarnation && f->m.starts == before.starts);
    WANT(f, f->m.crashes == before.crashes && f->m.desiredUp == before.desiredUp);
    WANT(f, f->m.stage == before.stage && f->m.afterExit == before.afterExit);
    WANT(f, f->out.actions == 0 && !f->out.moved && f->out.verdict == psVerdictNone);
    WANT(f, f->out.exitClass == psExitNone);
}

/* ---- spawned ---- */

static void spawned_AtRest_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventSpawned);
}

static void spawned_WhenStarting_IsRunning(psFixture *f)
{
    psFixtureLater(f, 2);
    psFixtureSpawned(f);
    WANT(f, f->m.state == psStateRunning && f->out.actions == 0 && f->out.moved);
    WANT(f, f->m.startMono == f->now && f->m.deadline == HUGE_VAL);
}

static void spawned_WithProcess_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventSpawned);
}

static void spawned_WhenKilling_IsKilledAgain(psFixture *f)
{
    psFixtureBring(f, psStateStarting);
    psFixtureFire(f, psEventKill);
    psFixtureReady(f);
    psFixtureSpawned(f);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->out.moved);
}

/* ---- spawn failed ---- */

static void spawnFailed_AtRest_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventSpawnFailed);
}

static void spawnFailed_WhenStarting_HoldsOff(psFixture *f)
{
    psFixtureLater(f, 3);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateHoldoff && f->out.exitClass == psExitExecFail);
    WANT(f, f->m.deadline == f->now + 15); /* from the failure */
    WANT(f, f->m.policy.failedStarts == 1 && f->m.desiredUp && !f->out.asked);
}

static void spawnFailed_WhenStartingAndMaxRestarts_GivesUp(psFixture *f)
{
    f->m.settings.maxRestarts = 1;
    psFixtureSpawnFailed(f);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStarting);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateCrashLoop && f->out.actions == PS_DO_GAVE_UP);
    WANT(f, f->m.deadline == HUGE_VAL);
}

static void spawnFailed_WhenStartingAndModeNever_IsStopped(psFixture *f)
{
    psFixtureMode(f, psModeNever);
    psFixtureReady(f);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStopped && f->m.byPolicy && !f->m.desiredUp);
}

static void spawnFailed_WithProcess_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventSpawnFailed);
}

static void spawnFailed_WhenKilling_EndsAsPlanned(psFixture *f)
{
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStopped && f->out.exitClass == psExitKilled);
    WANT(f, f->m.crashes == 0 && f->m.policy.failedStarts == 0);
    psFixtureBring(f, psStateStarting);
    psFixtureFire(f, psEventStop);
    psFixtureFire(f, psEventStart);
    psFixtureReady(f);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStarting && (f->out.actions & PS_DO_SPAWN));
}

/* ---- exited ---- */

static void exited_AtRest_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventExited);
}

static void exited_WhenStarting_CountsAsARun(psFixture *f)
{
    psFixtureLater(f, 2);
    psFixtureExits(f, 1);
    WANT(f, f->m.state == psStateHoldoff && f->out.exitClass == psExitError);
    WANT(f, f->m.deadline == f->now + 15 && f->m.crashes == 1 && f->m.policy.failedStarts == 0);
}

static void exited_WhenRunning_HoldsOffFromItsStart(psFixture *f)
{
    double started = f->m.startMono;

    psFixtureLater(f, 4);
    psFixtureExits(f, 1);
    WANT(f, f->m.state == psStateHoldoff && f->m.deadline == started + 15);
    WANT(f, f->out.exitClass == psExitError && !f->out.asked && f->m.crashes == 1);
}

static void exited_WhenRunningAndNoDelayLeft_StartsAtOnce(psFixture *f)
{
    psFixtureLater(f, 16);
    psFixtureDies(f, SIGSEGV);
    WANT(f, f->m.state == psStateStarting && f->out.actions == PS_DO_SPAWN);
    WANT(f, f->m.startReason == psReasonAutoRestart && f->m.autoRestarts == 1);
    WANT(f, f->out.exitClass == psExitSignal && f->m.crashes == 1);
}

static void exited_WhenStoppingAfterStop_IsStopped(psFixture *f)
{
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStopped && !f->m.byPolicy && f->m.deadline == HUGE_VAL);
    WANT(f, f->out.exitClass == psExitKilled && f->out.asked && f->m.crashes == 0);
}

static void exited_WhenStoppingAfterKill_AsModeSays(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateStopping);
    psFixtureReady(f);
    psFixtureLater(f, 20);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonAutoRestart);
}

static void exited_WhenStoppingAfterRestart_Starts(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    psFixtureFire(f, psEventRestart);
    psFixtureReady(f);
    psFixtureExits(f, 0);
    WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonOperator);
    WANT(f, f->out.exitClass == psExitClean);
}

static void exited_WhenKillingAfterGrace_IsTimeout(psFixture *f)
{
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStopped && f->out.exitClass == psExitTimeout && f->out.asked);
}

static void exited_WhenKillingAtOnce_IsKilled(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    f->m.killSignal = SIGKILL;
    psFixtureFire(f, psEventStop);
    WANT(f, f->m.state == psStateKilling);
    psFixtureReady(f);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStopped && f->out.exitClass == psExitKilled);
}

/* ---- timer ---- */

static void timer_AtRest_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventTimer);
}

static void timer_WhenHoldoff_Starts(psFixture *f)
{
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStarting && f->out.actions == PS_DO_SPAWN);
    WANT(f, f->m.startReason == psReasonAutoRestart && f->m.autoRestarts == 1);
}

static void timer_WhenStarting_TellsThatExecHangs(psFixture *f)
{
    WANT(f, f->m.deadline == f->now + PS_EXEC_HANGS_SEC);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStarting && f->out.actions == PS_DO_EXEC_HANGS);
    WANT(f, f->m.deadline == HUGE_VAL); /* once */
}

static void timer_WhenRunning_IsIgnored(psFixture *f)
{
    WANT(f, f->m.deadline == HUGE_VAL);
    wantIgnored(f, psEventTimer);
}

static void timer_WhenStopping_GoesToNextStage(psFixture *f)
{
    psFixtureDue(f);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->m.deadline == f->now + PS_KILL_REPEAT_SEC);
}

static void timer_WhenKilling_KillsEachSecondAndTellsAfterFive(psFixture *f)
{
    double since = f->now;

    for (int i = 1; i <= 8; i++) {
        unsigned tells = i == 5 ? PS_DO_CANNOT_KILL : 0;

        psFixtureDue(f);
        WANT(f, fabs(f->now - (since + i)) < 1e-6);
        WANT(f, f->m.state == psStateKilling && f->out.actions == (PS_DO_SIGKILL | tells));
        WANT(f, f->m.cannotKill == (i >= 5));
    }
}

static void timer_WhenKillingAtTheEnd_GivesUpAfterOneSecond(psFixture *f)
{
    psFixtureFire(f, psEventShutdown);
    psFixtureReady(f);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStopped && f->out.actions == PS_DO_ABANDON);
}

/* ---- shutdown ---- */

/* Nothing but stop, kill and signal is obeyed from now on. */
static void wantOnlyEndings(psFixture *f)
{
    static const psEvent refused[] = {psEventStart, psEventRestart, psEventMode, psEventReset};
    psState state = f->m.state;

    WANT(f, f->m.ending && !f->m.desiredUp);
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        psFixtureFire(f, refused[i]);
        WANT(f, f->out.verdict == psVerdictFail && f->out.why && f->out.actions == 0);
        WANT(f, f->m.state == state && !f->m.desiredUp);
    }
    psFixtureFire(f, psEventStop);
    WANT(f, f->out.verdict == (state == psStateStopped ? psVerdictDone : psVerdictWait));
    psFixtureSignal(f, SIGUSR1);
    WANT(f, state == psStateStopped || f->out.actions == PS_DO_SIGNAL);
}

static void shutdown_AtRest_IsDone(psFixture *f)
{
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateStopped && f->out.actions == 0 && f->m.deadline == HUGE_VAL);
    WANT(f, f->out.verdict == psVerdictDone);
    wantOnlyEndings(f);
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateStopped && f->out.actions == 0);
}

static void shutdown_WhenStarting_Kills(psFixture *f)
{
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->m.ending && !f->m.desiredUp);
    psFixtureSpawned(f);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStopped && !(f->out.actions & PS_DO_SPAWN));
}

static void shutdown_WhenStartingAndStartFails_IsStopped(psFixture *f)
{
    psFixtureFire(f, psEventShutdown);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStopped && f->out.actions == 0);
}

static void shutdown_WhenRunning_StopsInStages(psFixture *f)
{
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    wantOnlyEndings(f);
    psFixtureExits(f, 0);
    WANT(f, f->m.state == psStateStopped && f->out.exitClass == psExitClean);
}

static void shutdown_WhenStopping_DropsThePendingStart(psFixture *f)
{
    double deadline = f->m.deadline;

    psFixtureFire(f, psEventStart);
    psFixtureReady(f);
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateStopping && f->out.actions == 0 && f->m.deadline == deadline);
    wantOnlyEndings(f);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStopped && f->out.actions == 0);
}

static void shutdown_TwiceWhenStopping_Kills(psFixture *f)
{
    psFixtureFire(f, psEventShutdown);
    psFixtureLater(f, 1);
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStopped && f->out.actions == PS_DO_ABANDON);
}

static void shutdown_WhenKilling_GivesUpAfterOneSecond(psFixture *f)
{
    psFixtureLater(f, 0.7);
    double asked = f->now;
    psFixtureFire(f, psEventShutdown);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    wantOnlyEndings(f);
    psFixtureLater(f, 0.2);
    psFixtureFire(f, psEventShutdown); /* a second one does not begin the second anew */
    while (f->m.state == psStateKilling && f->now < asked + 10)
        psFixtureDue(f);
    WANT(f, f->out.actions == PS_DO_ABANDON && fabs(f->now - (asked + 1)) < 1e-6);
    wantIgnored(f, psEventExited); /* too late */
}

const psCellTest psProcessCells[] = {
    CELL(psEventSpawned, psStateStopped, spawned_AtRest_IsIgnored),
    CELL(psEventSpawned, psStateWaiting, spawned_AtRest_IsIgnored),
    CELL(psEventSpawned, psStateHoldoff, spawned_AtRest_IsIgnored),
    CELL(psEventSpawned, psStateCrashLoop, spawned_AtRest_IsIgnored),
    CELL(psEventSpawned, psStateStarting, spawned_WhenStarting_IsRunning),
    CELL(psEventSpawned, psStateRunning, spawned_WithProcess_IsIgnored),
    CELL(psEventSpawned, psStateStopping, spawned_WithProcess_IsIgnored),
    CELL(psEventSpawned, psStateKilling, spawned_WhenKilling_IsKilledAgain),

    CELL(psEventSpawnFailed, psStateStopped, spawnFailed_AtRest_IsIgnored),
    CELL(psEventSpawnFailed, psStateWaiting, spawnFailed_AtRest_IsIgnored),
    CELL(psEventSpawnFailed, psStateHoldoff, spawnFailed_AtRest_IsIgnored),
    CELL(psEventSpawnFailed, psStateCrashLoop, spawnFailed_AtRest_IsIgnored),
    CELL(psEventSpawnFailed, psStateStarting, spawnFailed_WhenStarting_HoldsOff),
    CELL(psEventSpawnFailed, psStateStarting, spawnFailed_WhenStartingAndMaxRestarts_GivesUp),
    CELL(psEventSpawnFailed, psStateStarting, spawnFailed_WhenStartingAndModeNever_IsStopped),
    CELL(psEventSpawnFailed, psStateRunning, spawnFailed_WithProcess_IsIgnored),
    CELL(psEventSpawnFailed, psStateStopping, spawnFailed_WithProcess_IsIgnored),
    CELL(psEventSpawnFailed, psStateKilling, spawnFailed_WhenKilling_EndsAsPlanned),

    CELL(psEventExited, psStateStopped, exited_AtRest_IsIgnored),
    CELL(psEventExited, psStateWaiting, exited_AtRest_IsIgnored),
    CELL(psEventExited, psStateHoldoff, exited_AtRest_IsIgnored),
    CELL(psEventExited, psStateCrashLoop, exited_AtRest_IsIgnored),
    CELL(psEventExited, psStateStarting, exited_WhenStarting_CountsAsARun),
    CELL(psEventExited, psStateRunning, exited_WhenRunning_HoldsOffFromItsStart),
    CELL(psEventExited, psStateRunning, exited_WhenRunningAndNoDelayLeft_StartsAtOnce),
    CELL(psEventExited, psStateStopping, exited_WhenStoppingAfterStop_IsStopped),
    CELL(psEventExited, psStateStopping, exited_WhenStoppingAfterKill_AsModeSays),
    CELL(psEventExited, psStateStopping, exited_WhenStoppingAfterRestart_Starts),
    CELL(psEventExited, psStateKilling, exited_WhenKillingAfterGrace_IsTimeout),
    CELL(psEventExited, psStateKilling, exited_WhenKillingAtOnce_IsKilled),

    CELL(psEventTimer, psStateStopped, timer_AtRest_IsIgnored),
    CELL(psEventTimer, psStateWaiting, timer_AtRest_IsIgnored),
    CELL(psEventTimer, psStateHoldoff, timer_WhenHoldoff_Starts),
    CELL(psEventTimer, psStateCrashLoop, timer_AtRest_IsIgnored),
    CELL(psEventTimer, psStateStarting, timer_WhenStarting_TellsThatExecHangs),
    CELL(psEventTimer, psStateRunning, timer_WhenRunning_IsIgnored),
    CELL(psEventTimer, psStateStopping, timer_WhenStopping_GoesToNextStage),
    CELL(psEventTimer, psStateKilling, timer_WhenKilling_KillsEachSecondAndTellsAfterFive),
    CELL(psEventTimer, psStateKilling, timer_WhenKillingAtTheEnd_GivesUpAfterOneSecond),

    CELL(psEventShutdown, psStateStopped, shutdown_AtRest_IsDone),
    CELL(psEventShutdown, psStateWaiting, shutdown_AtRest_IsDone),
    CELL(psEventShutdown, psStateHoldoff, shutdown_AtRest_IsDone),
    CELL(psEventShutdown, psStateCrashLoop, shutdown_AtRest_IsDone),
    CELL(psEventShutdown, psStateStarting, shutdown_WhenStarting_Kills),
    CELL(psEventShutdown, psStateStarting, shutdown_WhenStartingAndStartFails_IsStopped),
    CELL(psEventShutdown, psStateRunning, shutdown_WhenRunning_StopsInStages),
    CELL(psEventShutdown, psStateStopping, shutdown_WhenStopping_DropsThePendingStart),
    CELL(psEventShutdown, psStateStopping, shutdown_TwiceWhenStopping_Kills),
    CELL(psEventShutdown, psStateKilling, shutdown_WhenKilling_GivesUpAfterOneSecond),
    {NULL, psEventStart, psStateStopped, NULL},
};
