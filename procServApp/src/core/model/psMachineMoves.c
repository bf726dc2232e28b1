/* SPDX-License-Identifier: EPICS */
/* Moves of the state machine: each enters one state and asks for what belongs to it. */
#include <math.h>
#include <signal.h>

#include "model/psMachinePvt.h"

void psMachineTo(psMachine *m, psState state, double deadline, psOutput *out)
{
    m->state = state;
    m->hung = false;
    m->deadline = deadline;
    out->moved = true;
}

void psMachineToStopped(psMachine *m, psOutput *out)
{
    m->stage = psStageNone;
    m->afterExit = psAfterExitByMode;
    psMachineTo(m, psStateStopped, HUGE_VAL, out);
}

void psMachineToStarting(psMachine *m, psStartReason reason, double now, psOutput *out)
{
    m->incarnation++;
    m->starts++;
    if (reason == psReasonAutoRestart || reason == psReasonWatchdog)
        m->autoRestarts++;
    else
        m->lastUnasked = false;
    m->startMono = now;
    m->startReason = reason;
    m->signalsSent = 0;
    m->asked = false;
    m->unfit = false;
    m->autoReason = psReasonAutoRestart;
    m->graceRanOut = false;
    m->cannotKill = false;
    m->byPolicy = false;
    m->stage = psStageNone;
    m->afterExit = psAfterExitByMode;
    out->actions |= PS_DO_SPAWN;
    psMachineTo(m, psStateStarting, now + PS_EXEC_HANGS_SEC, out);
}

void psMachineToKilling(psMachine *m, double now, psOutput *out)
{
    m->stage = psStageKill;
    m->asked = !m->unfit;
    m->killingSince = now;
    out->actions |= PS_DO_SIGKILL;
    psMachineTo(m, psStateKilling, now + PS_KILL_REPEAT_SEC, out);
}

void psMachineToSignalStage(psMachine *m, double now, psOutput *out)
{
    if (m->killSignal == SIGKILL) {
        psMachineToKilling(m, now, out);
        return;
    }
    m->stage = psStageSignal;
    m->asked = !m->unfit;
    out->actions |= PS_DO_KILL_SIGNAL;
    psMachineTo(m, psStateStopping, now + m->settings.graceSec, out);
}

/* The first stage of a stop. */
void psMachineToStopping(psMachine *m, double now, psOutput *out)
{
    if (!m->hasStopInput) {
        psMachineToSignalStage(m, now, out);
        return;
    }
    m->stage = psStageInput;
    m->asked = true;
    out->actions |= PS_DO_STOP_INPUT;
    psMachineTo(m, psStateStopping, now + m->settings.graceSec, out);
}

void psMachineToNextStage(psMachine *m, double now, psOutput *out)
{
    if (m->stage == psStageInput)
        psMachineToSignalStage(m, now, out);
    else
        psMachineToKilling(m, now, out);
}
