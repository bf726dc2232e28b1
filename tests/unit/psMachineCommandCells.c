/* SPDX-License-Identifier: EPICS */
/*
 * The table's cells for what somebody asks: start, restart, stop, kill, signal, mode, reset.
 */
#include <math.h>
#include <signal.h>

#include "psMachineFixture.h"

static bool isUntouched(const psFixture *f, psState state)
{
    return f->m.state == state && f->out.actions == 0 && !f->out.moved;
}

static bool nothingCounts(const psMachine *m)
{
    return m->policy.shortRuns == 0 && m->policy.failedStarts == 0 &&
           m->policy.autoStarts.count == 0 && m->policy.crashes.count == 0;
}

/* ---- start ---- */

static void wantStart(psFixture *f, psEvent event)
{
    unsigned long before = f->m.incarnation;

    f->m.policy.shortRuns = f->m.policy.failedStarts = 7;
    psFixtureFire(f, event);
    WANT(f, f->m.state == psStateStarting);
    WANT(f, f->out.actions == (PS_DO_SPAWN | PS_DO_CLEAR_ALARM));
    WANT(f, f->out.verdict == psVerdictWait);
    WANT(f, f->m.desiredUp && f->m.incarnation == before + 1);
    WANT(f, f->m.startReason == psReasonOperator);
    WANT(f, nothingCounts(&f->m));
}

static void start_AtRest_StartsAndForgetsFailures(psFixture *f)
{
    wantStart(f, psEventStart);
}

static void start_WhenStarting_WaitsForThisStart(psFixture *f)
{
    psFixtureFire(f, psEventStart);
    WANT(f, isUntouched(f, psStateStarting));
    WANT(f, f->out.verdict == psVerdictWait && f->m.desiredUp && f->m.incarnation == 1);
}

static void start_WhenRunning_IsDone(psFixture *f)
{
    psFixtureFire(f, psEventStart);
    WANT(f, isUntouched(f, psStateRunning));
    WANT(f, f->out.verdict == psVerdictDone && f->m.desiredUp && f->m.incarnation == 1);
}

/* Asked during a stop: waits for the exit, then starts at once. */
static void wantStartAfterExit(psFixture *f, psEvent event)
{
    psState state = f->m.state;

    psFixtureFire(f, event);
    WANT(f, isUntouched(f, state));
    WANT(f, f->out.verdict == psVerdictWait && f->m.desiredUp);
    psFixtureDies(f, state == psStateKilling ? SIGKILL : SIGTERM);
    WANT(f, f->m.state == psStateStarting && (f->out.actions & PS_DO_SPAWN));
    WANT(f, f->m.startReason == psReasonOperator && f->m.incarnation == 2);
    WANT(f, f->m.autoRestarts == 0 && f->m.crashes == 0);
}

static void start_WhenStopping_StartsAfterExit(psFixture *f)
{
    wantStartAfterExit(f, psEventStart);
}

static void start_WhenKilling_StartsAfterExit(psFixture *f)
{
    wantStartAfterExit(f, psEventStart);
}

/* ---- restart ---- */

static void restart_AtRest_StartsAndForgetsFailures(psFixture *f)
{
    wantStart(f, psEventRestart);
}

static void restart_WhenStarting_CountsAsThisStart(psFixture *f)
{
    psFixtureFire(f, psEventRestart);
    WANT(f, isUntouched(f, psStateStarting));
    WANT(f, f->out.verdict == psVerdictWait && f->m.incarnation == 1 && f->out.why != NULL);
}

static void restart_WhenRunning_StopsThenStartsAtOnce(psFixture *f)
{
    psFixtureLater(f, 0.1); /* the hold-off is far from over */
    psFixtureFire(f, psEventRestart);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    WANT(f, f->out.verdict == psVerdictWait && f->m.desiredUp);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonOperator);
    WANT(f, f->out.exitClass == psExitKilled && f->out.asked);
    WANT(f, f->m.crashes == 0 && f->m.autoRestarts == 0 && f->m.starts == 2);
}

static void restart_WhenStopping_StartsAfterExit(psFixture *f)
{
    wantStartAfterExit(f, psEventRestart);
}

static void restart_WhenKilling_StartsAfterExit(psFixture *f)
{
    wantStartAfterExit(f, psEventRestart);
}

/* ---- stop ---- */

static void stop_AtRest_IsStoppedAndDone(psFixture *f)
{
    psFixtureFire(f, psEventStop);
    WANT(f, f->m.state == psStateStopped && f->m.deadline == HUGE_VAL);
    WANT(f, f->out.verdict == psVerdictDone && f->out.actions == 0 && !f->m.desiredUp);
    psFixtureMode(f, psModeOneShot);
    WANT(f, f->m.state == psStateStopped); /* not stopped by policy: a mode starts nothing */
}

static void stop_WhenStoppedByPolicy_IsNoMoreByPolicy(psFixture *f)
{
    psFixtureBring(f, psStateHoldoff);
    psFixtureMode(f, psModeNever);
    WANT(f, f->m.state == psStateStopped && f->m.byPolicy);
    psFixtureReady(f);
    psFixtureFire(f, psEventStop);
    psFixtureMode(f, psModeAlways);
    WANT(f, f->m.state == psStateStopped);
}

static void stop_WhenStarting_Kills(psFixture *f)
{
    psFixtureFire(f, psEventStop);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->out.verdict == psVerdictWait && !f->m.desiredUp);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateStopped && f->out.exitClass == psExitKilled);
}

static void stop_WhenRunning_BeginsStageOne(psFixture *f)
{
    psFixtureFire(f, psEventStop);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    WANT(f, f->m.deadline == f->now + 5);
    WANT(f, f->out.verdict == psVerdictWait && !f->m.desiredUp);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStopped && f->out.actions == 0);
}

static void stop_WhenStopping_CancelsPendingStart(psFixture *f)
{
    psFixtureFire(f, psEventStart);
    psFixtureReady(f);
    psFixtureFire(f, psEventStop);
    WANT(f, isUntouched(f, psStateStopping) && f->out.verdict == psVerdictWait);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStopped && !f->m.desiredUp);
}

static void stop_WhenKilling_CancelsPendingStart(psFixture *f)
{
    psFixtureFire(f, psEventStart);
    psFixtureReady(f);
    psFixtureFire(f, psEventStop);
    WANT(f, isUntouched(f, psStateKilling) && f->out.verdict == psVerdictWait);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStopped && !f->m.desiredUp);
}

/* ---- kill ---- */

static void kill_AtRest_FailsNoProcess(psFixture *f)
{
    psState state = f->m.state;
    double deadline = f->m.deadline;

    psFixtureFire(f, psEventKill);
    WANT(f, isUntouched(f, state) && f->m.deadline == deadline);
    WANT(f, f->out.verdict == psVerdictFail && f->out.why != NULL);
}

static void kill_WhenStarting_KillsThenAsModeSays(psFixture *f)
{
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->out.verdict == psVerdictWait && f->m.desiredUp);
    psFixtureSpawnFailed(f);
    WANT(f, f->m.state == psStateHoldoff && f->m.crashes == 0);
}

static void kill_WhenRunning_SendsKillSignalThenAsModeSays(psFixture *f)
{
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    WANT(f, f->out.verdict == psVerdictWait && f->m.desiredUp);
    psFixtureLater(f, 0.5);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateHoldoff && f->out.exitClass == psExitKilled);
    WANT(f, f->m.crashes == 0);
}

static void kill_WhenRunningAndSignal9_GoesToKilling(psFixture *f)
{
    f->m.killSignal = SIGKILL;
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateHoldoff && f->out.exitClass == psExitKilled);
}

static void kill_WhenStopping_GoesToNextStage(psFixture *f)
{
    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->out.verdict == psVerdictWait && !f->m.desiredUp);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->m.state == psStateStopped);
    WANT(f, f->out.exitClass == psExitKilled); /* no grace ran out: it was asked for */
}

static void kill_WhenKilling_KillsAgain(psFixture *f)
{
    double deadline = f->m.deadline;

    psFixtureFire(f, psEventKill);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL);
    WANT(f, f->out.verdict == psVerdictWait && f->m.deadline == deadline);
}

/* ---- signal ---- */

static void signal_AtRest_Fails(psFixture *f)
{
    psState state = f->m.state;

    psFixtureSignal(f, SIGHUP);
    WANT(f, isUntouched(f, state) && f->out.verdict == psVerdictFail && f->out.why != NULL);
}

static void signal_WhenStarting_Fails(psFixture *f)
{
    psFixtureSignal(f, SIGHUP);
    WANT(f, isUntouched(f, psStateStarting));
    WANT(f, f->out.verdict == psVerdictFail && f->out.why != NULL);
}

static void wantSignal(psFixture *f)
{
    psState state = f->m.state;
    double deadline = f->m.deadline;

    psFixtureSignal(f, SIGUSR1);
    WANT(f, f->m.state == state && f->m.deadline == deadline);
    WANT(f, f->out.actions == PS_DO_SIGNAL && f->out.signo == SIGUSR1);
    WANT(f, f->out.verdict == psVerdictDone);
}

static void signal_WhenRunning_IsSentAndEndByItIsKilled(psFixture *f)
{
    wantSignal(f);
    psFixtureDies(f, SIGUSR1);
    WANT(f, f->out.exitClass == psExitKilled && f->out.asked && f->m.crashes == 0);
    WANT(f, f->m.state == psStateHoldoff);
}

static void signal_WhenRunning_OtherSignalIsACrash(psFixture *f)
{
    wantSignal(f);
    psFixtureDies(f, SIGSEGV);
    WANT(f, f->out.exitClass == psExitSignal && !f->out.asked && f->m.crashes == 1);
}

static void signal_WhenRunning_EarlierOneIsRemembered(psFixture *f)
{
    psFixtureSignal(f, SIGTERM);
    psFixtureSignal(f, SIGCONT);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->out.exitClass == psExitKilled && f->m.crashes == 0);
}

static void signal_WhenStopping_IsSent(psFixture *f)
{
    wantSignal(f);
}

static void signal_WhenKilling_IsSent(psFixture *f)
{
    wantSignal(f);
}

/* ---- mode ---- */

static void wantModeNoted(psFixture *f, psMode mode)
{
    psState state = f->m.state;
    bool up = f->m.desiredUp;
    double deadline = f->m.deadline;

    psFixtureMode(f, mode);
    WANT(f, isUntouched(f, state) && f->m.deadline == deadline);
    WANT(f, f->m.settings.mode == mode && f->m.desiredUp == up);
    WANT(f, f->out.verdict == psVerdictDone);
}

static void mode_AnyWhenStoppedByHand_IsNoted(psFixture *f)
{
    wantModeNoted(f, psModeAlways);
    wantModeNoted(f, psModeOneShot);
    wantModeNoted(f, psModeOnFailure);
    wantModeNoted(f, psModeNever);
}

static void stopByPolicy(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    psFixtureMode(f, psModeNever);
    psFixtureExits(f, 0);
    WANT(f, f->m.state == psStateStopped && f->m.byPolicy && !f->m.desiredUp);
    psFixtureReady(f);
}

static void mode_AlwaysWhenStoppedByPolicy_Starts(psFixture *f)
{
    stopByPolicy(f);
    psFixtureLater(f, 20); /* no hold-off is left */
    psFixtureMode(f, psModeAlways);
    WANT(f, f->m.state == psStateStarting && f->m.desiredUp && (f->out.actions & PS_DO_SPAWN));
    WANT(f, f->out.verdict == psVerdictDone);
}

static void mode_OneShotWhenStoppedByPolicy_StartsAfterHoldoff(psFixture *f)
{
    stopByPolicy(f);
    double started = f->m.startMono;
    psFixtureLater(f, 5);
    psFixtureMode(f, psModeOneShot);
    WANT(f, f->m.state == psStateHoldoff && f->m.desiredUp && f->m.deadline == started + 15);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStarting);
}

static void mode_OnFailureWhenStoppedByPolicy_IsNoted(psFixture *f)
{
    stopByPolicy(f);
    wantModeNoted(f, psModeOnFailure);
}

static void mode_WhenWaiting_IsNoted(psFixture *f)
{
    wantModeNoted(f, psModeOneShot);
}

static void mode_NeverWhenHoldoff_GoesToStopped(psFixture *f)
{
    psFixtureMode(f, psModeNever);
    WANT(f, f->m.state == psStateStopped && f->m.deadline == HUGE_VAL && !f->m.desiredUp);
    psFixtureMode(f, psModeAlways);
    WANT(f, f->m.state == psStateHoldoff && f->m.desiredUp); /* it was by policy */
}

static void mode_OnFailureWhenHoldoffAfterCleanEnd_GoesToStopped(psFixture *f)
{
    psFixtureBring(f, psStateRunning);
    psFixtureExits(f, 0);
    psFixtureReady(f);
    WANT(f, f->m.state == psStateHoldoff);
    psFixtureMode(f, psModeOnFailure);
    WANT(f, f->m.state == psStateStopped && !f->m.desiredUp && f->m.byPolicy);
}

static void mode_OnFailureWhenHoldoffAfterFailure_IsNoted(psFixture *f)
{
    wantModeNoted(f, psModeOnFailure);
}

static void mode_OneShotWhenHoldoff_IsNoted(psFixture *f)
{
    wantModeNoted(f, psModeOneShot);
}

static void mode_WhenCrashLoop_IsNoted(psFixture *f)
{
    wantModeNoted(f, psModeNever);
    wantModeNoted(f, psModeAlways);
}

static void mode_WithProcess_IsNoted(psFixture *f)
{
    wantModeNoted(f, psModeNever);
    wantModeNoted(f, psModeOnFailure);
}

/* ---- reset ---- */

static void wantReset(psFixture *f, psState state)
{
    f->m.policy.shortRuns = f->m.policy.failedStarts = 7;
    psFixtureFire(f, psEventReset);
    WANT(f, f->m.state == state && f->out.verdict == psVerdictDone);
    WANT(f, f->out.actions == PS_DO_CLEAR_ALARM && nothingCounts(&f->m));
}

static void reset_WhenStopped_ClearsAlarmAndWindow(psFixture *f)
{
    wantReset(f, psStateStopped);
}

static void reset_WhenWaiting_ClearsAlarmAndWindow(psFixture *f)
{
    wantReset(f, psStateWaiting);
}

static void reset_WhenHoldoff_EndsTheDoublingOfThisDelay(psFixture *f)
{
    double started = f->m.startMono;

    f->m.deadline = f->now + 1000; /* as after many short runs */
    wantReset(f, psStateHoldoff);
    WANT(f, f->m.deadline == started + 15);
}

static void reset_WhenCrashLoop_StartsSinceUpIsDesired(psFixture *f)
{
    psFixtureFire(f, psEventReset);
    WANT(f, f->m.state == psStateStarting && f->out.verdict == psVerdictDone);
    WANT(f, f->out.actions == (PS_DO_SPAWN | PS_DO_CLEAR_ALARM) && nothingCounts(&f->m));
    WANT(f, f->m.startReason == psReasonOperator);
}

static void reset_WithProcess_ClearsAlarmAndWindow(psFixture *f)
{
    wantReset(f, f->m.state);
}

const psCellTest psCommandCells[] = {
    CELL(psEventStart, psStateStopped, start_AtRest_StartsAndForgetsFailures),
    CELL(psEventStart, psStateWaiting, start_AtRest_StartsAndForgetsFailures),
    CELL(psEventStart, psStateHoldoff, start_AtRest_StartsAndForgetsFailures),
    CELL(psEventStart, psStateCrashLoop, start_AtRest_StartsAndForgetsFailures),
    CELL(psEventStart, psStateStarting, start_WhenStarting_WaitsForThisStart),
    CELL(psEventStart, psStateRunning, start_WhenRunning_IsDone),
    CELL(psEventStart, psStateStopping, start_WhenStopping_StartsAfterExit),
    CELL(psEventStart, psStateKilling, start_WhenKilling_StartsAfterExit),

    CELL(psEventRestart, psStateStopped, restart_AtRest_StartsAndForgetsFailures),
    CELL(psEventRestart, psStateWaiting, restart_AtRest_StartsAndForgetsFailures),
    CELL(psEventRestart, psStateHoldoff, restart_AtRest_StartsAndForgetsFailures),
    CELL(psEventRestart, psStateCrashLoop, restart_AtRest_StartsAndForgetsFailures),
    CELL(psEventRestart, psStateStarting, restart_WhenStarting_CountsAsThisStart),
    CELL(psEventRestart, psStateRunning, restart_WhenRunning_StopsThenStartsAtOnce),
    CELL(psEventRestart, psStateStopping, restart_WhenStopping_StartsAfterExit),
    CELL(psEventRestart, psStateKilling, restart_WhenKilling_StartsAfterExit),

    CELL(psEventStop, psStateStopped, stop_AtRest_IsStoppedAndDone),
    CELL(psEventStop, psStateStopped, stop_WhenStoppedByPolicy_IsNoMoreByPolicy),
    CELL(psEventStop, psStateWaiting, stop_AtRest_IsStoppedAndDone),
    CELL(psEventStop, psStateHoldoff, stop_AtRest_IsStoppedAndDone),
    CELL(psEventStop, psStateCrashLoop, stop_AtRest_IsStoppedAndDone),
    CELL(psEventStop, psStateStarting, stop_WhenStarting_Kills),
    CELL(psEventStop, psStateRunning, stop_WhenRunning_BeginsStageOne),
    CELL(psEventStop, psStateStopping, stop_WhenStopping_CancelsPendingStart),
    CELL(psEventStop, psStateKilling, stop_WhenKilling_CancelsPendingStart),

    CELL(psEventKill, psStateStopped, kill_AtRest_FailsNoProcess),
    CELL(psEventKill, psStateWaiting, kill_AtRest_FailsNoProcess),
    CELL(psEventKill, psStateHoldoff, kill_AtRest_FailsNoProcess),
    CELL(psEventKill, psStateCrashLoop, kill_AtRest_FailsNoProcess),
    CELL(psEventKill, psStateStarting, kill_WhenStarting_KillsThenAsModeSays),
    CELL(psEventKill, psStateRunning, kill_WhenRunning_SendsKillSignalThenAsModeSays),
    CELL(psEventKill, psStateRunning, kill_WhenRunningAndSignal9_GoesToKilling),
    CELL(psEventKill, psStateStopping, kill_WhenStopping_GoesToNextStage),
    CELL(psEventKill, psStateKilling, kill_WhenKilling_KillsAgain),

    CELL(psEventSignal, psStateStopped, signal_AtRest_Fails),
    CELL(psEventSignal, psStateWaiting, signal_AtRest_Fails),
    CELL(psEventSignal, psStateHoldoff, signal_AtRest_Fails),
    CELL(psEventSignal, psStateCrashLoop, signal_AtRest_Fails),
    CELL(psEventSignal, psStateStarting, signal_WhenStarting_Fails),
    CELL(psEventSignal, psStateRunning, signal_WhenRunning_IsSentAndEndByItIsKilled),
    CELL(psEventSignal, psStateRunning, signal_WhenRunning_OtherSignalIsACrash),
    CELL(psEventSignal, psStateRunning, signal_WhenRunning_EarlierOneIsRemembered),
    CELL(psEventSignal, psStateStopping, signal_WhenStopping_IsSent),
    CELL(psEventSignal, psStateKilling, signal_WhenKilling_IsSent),

    CELL(psEventMode, psStateStopped, mode_AnyWhenStoppedByHand_IsNoted),
    CELL(psEventMode, psStateStopped, mode_AlwaysWhenStoppedByPolicy_Starts),
    CELL(psEventMode, psStateStopped, mode_OneShotWhenStoppedByPolicy_StartsAfterHoldoff),
    CELL(psEventMode, psStateStopped, mode_OnFailureWhenStoppedByPolicy_IsNoted),
    CELL(psEventMode, psStateWaiting, mode_WhenWaiting_IsNoted),
    CELL(psEventMode, psStateHoldoff, mode_NeverWhenHoldoff_GoesToStopped),
    CELL(psEventMode, psStateHoldoff, mode_OnFailureWhenHoldoffAfterCleanEnd_GoesToStopped),
    CELL(psEventMode, psStateHoldoff, mode_OnFailureWhenHoldoffAfterFailure_IsNoted),
    CELL(psEventMode, psStateHoldoff, mode_OneShotWhenHoldoff_IsNoted),
    CELL(psEventMode, psStateCrashLoop, mode_WhenCrashLoop_IsNoted),
    CELL(psEventMode, psStateStarting, mode_WithProcess_IsNoted),
    CELL(psEventMode, psStateRunning, mode_WithProcess_IsNoted),
    CELL(psEventMode, psStateStopping, mode_WithProcess_IsNoted),
    CELL(psEventMode, psStateKilling, mode_WithProcess_IsNoted),

    CELL(psEventReset, psStateStopped, reset_WhenStopped_ClearsAlarmAndWindow),
    CELL(psEventReset, psStateWaiting, reset_WhenWaiting_ClearsAlarmAndWindow),
    CELL(psEventReset, psStateHoldoff, reset_WhenHoldoff_EndsTheDoublingOfThisDelay),
    CELL(psEventReset, psStateCrashLoop, reset_WhenCrashLoop_StartsSinceUpIsDesired),
    CELL(psEventReset, psStateStarting, reset_WithProcess_ClearsAlarmAndWindow),
    CELL(psEventReset, psStateRunning, reset_WithProcess_ClearsAlarmAndWindow),
    CELL(psEventReset, psStateStopping, reset_WithProcess_ClearsAlarmAndWindow),
    CELL(psEventReset, psStateKilling, reset_WithProcess_ClearsAlarmAndWindow),
    {NULL, psEventStart, psStateStopped, NULL},
};
