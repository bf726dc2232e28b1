/* SPDX-License-Identifier: EPICS */
/*
 * The table's cells for a process that runs, but does not do its work: hung, alive, unfit.
 */
#include <signal.h>

#include "psMachineFixture.h"

static void wantIgnored(psFixture *f, psEvent event)
{
    psMachine before = f->m;

    psFixtureFire(f, event);
    WANT(f, f->m.state == before.state && f->m.deadline == before.deadline);
    WANT(f, f->out.actions == 0 && !f->out.moved && !f->m.hung && !f->m.unfit);
}

static void hung_WithoutAProcessThatRuns_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventHung);
}

static void alive_WithoutAProcessThatRuns_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventAlive);
}

static void unfit_WithoutAProcessThatRuns_IsIgnored(psFixture *f)
{
    wantIgnored(f, psEventUnfit);
}

static void hung_WhenRunning_IsShownUntilAlive(psFixture *f)
{
    psFixtureHung(f, false);
    WANT(f, f->m.state == psStateRunning && f->m.hung && !f->m.unfit && f->out.moved);
    WANT(f, f->out.actions == 0);
    psFixtureHung(f, true);
    WANT(f, f->m.hung && f->m.unfit);
}

static void hung_WhenRunning_IsForgottenAtTheNextStart(psFixture *f)
{
    psFixtureHung(f, false);
    psFixtureFire(f, psEventRestart);
    WANT(f, f->m.state == psStateStopping && !f->m.hung);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->out.asked && f->out.exitClass == psExitKilled && f->m.crashes == 0);
    psFixtureSpawned(f);
    WANT(f, f->m.state == psStateRunning && !f->m.hung);
}

static void alive_WhenRunning_CallsTheRestartOff(psFixture *f)
{
    psFixtureHung(f, true);
    psFixtureReady(f);
    psFixtureFire(f, psEventAlive);
    WANT(f, f->m.state == psStateRunning && !f->m.hung && !f->m.unfit && f->out.moved);
}

static void unfit_WhenRunning_IsACrashThatStartsAgain(psFixture *f)
{
    psFixtureLater(f, 100);
    psFixtureUnfit(f);
    WANT(f, f->m.state == psStateStopping && f->out.actions == PS_DO_KILL_SIGNAL);
    WANT(f, f->m.desiredUp && !f->m.asked);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->out.exitClass == psExitSignal && !f->out.asked && f->out.hung);
    WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonWatchdog);
    WANT(f, f->m.autoRestarts == 1 && f->m.crashes == 1 && f->m.lastUnasked);
    psFixtureSpawned(f);
    WANT(f, !f->m.unfit && f->m.autoReason == psReasonAutoRestart);
}

static void unfit_WhenRunningAndItEndsWell_IsACrashAllTheSame(psFixture *f)
{
    psFixtureMode(f, psModeOnFailure);
    psFixtureReady(f);
    psFixtureLater(f, 100);
    psFixtureUnfit(f);
    psFixtureExits(f, 0);
    WANT(f, f->out.exitClass == psExitClean && f->m.state == psStateStarting);
    WANT(f, f->m.crashes == 1);
}

static void unfit_WhenRunningAndYoung_HoldsOff(psFixture *f)
{
    psFixtureUnfit(f);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateHoldoff);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonWatchdog);
}

static void unfit_WhenRunning_CountsForMaxRestarts(psFixture *f)
{
    f->m.settings.maxRestarts = 1;
    psFixtureLater(f, 100);
    psFixtureUnfit(f);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStarting);
    psFixtureSpawned(f);
    psFixtureLater(f, 100);
    psFixtureUnfit(f);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateCrashLoop);
}

static void unfit_WhenRunning_TakesSigkillAfterTheGrace(psFixture *f)
{
    psFixtureLater(f, 100);
    psFixtureUnfit(f);
    psFixtureDue(f);
    WANT(f, f->m.state == psStateKilling && f->out.actions == PS_DO_SIGKILL && !f->m.asked);
    psFixtureDies(f, SIGKILL);
    WANT(f, f->out.exitClass == psExitTimeout && f->m.state == psStateStarting);
}

static void unfit_WhenRunningThenRestart_IsAsked(psFixture *f)
{
    psFixtureUnfit(f);
    psFixtureFire(f, psEventRestart);
    WANT(f, f->m.asked && !f->m.unfit);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->out.asked && f->out.exitClass == psExitKilled && f->m.crashes == 0);
    WANT(f, f->m.state == psStateStarting && f->m.startReason == psReasonOperator);
}

static void unfit_WhenRunningThenStop_IsStopped(psFixture *f)
{
    psFixtureUnfit(f);
    psFixtureFire(f, psEventStop);
    psFixtureDies(f, SIGTERM);
    WANT(f, f->m.state == psStateStopped && f->out.asked && f->m.crashes == 0);
}

static void unfit_WhenRunning_LeavesTheStopInputOut(psFixture *f)
{
    psSettings settings = psFixtureSettings();

    psFixtureInitWith(f, &settings, SIGTERM, true);
    psFixtureBoot(f, false);
    psFixtureSpawned(f);
    psFixtureReady(f);
    psFixtureUnfit(f);
    WANT(f, f->m.stage == psStageSignal);
}

#define AWAY(event, fn)                                                                            \
    CELL(event, psStateStopped, fn), CELL(event, psStateWaiting, fn),                              \
        CELL(event, psStateHoldoff, fn), CELL(event, psStateCrashLoop, fn),                        \
        CELL(event, psStateStarting, fn), CELL(event, psStateStopping, fn),                        \
        CELL(event, psStateKilling, fn)

const psCellTest psUnfitCells[] = {
    AWAY(psEventHung, hung_WithoutAProcessThatRuns_IsIgnored),
    AWAY(psEventAlive, alive_WithoutAProcessThatRuns_IsIgnored),
    AWAY(psEventUnfit, unfit_WithoutAProcessThatRuns_IsIgnored),
    CELL(psEventHung, psStateRunning, hung_WhenRunning_IsShownUntilAlive),
    CELL(psEventHung, psStateRunning, hung_WhenRunning_IsForgottenAtTheNextStart),
    CELL(psEventAlive, psStateRunning, alive_WhenRunning_CallsTheRestartOff),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunning_IsACrashThatStartsAgain),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunningAndItEndsWell_IsACrashAllTheSame),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunningAndYoung_HoldsOff),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunning_CountsForMaxRestarts),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunning_TakesSigkillAfterTheGrace),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunningThenRestart_IsAsked),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunningThenStop_IsStopped),
    CELL(psEventUnfit, psStateRunning, unfit_WhenRunning_LeavesTheStopInputOut),
    {NULL, psEventStart, psStateStopped, NULL},
};
