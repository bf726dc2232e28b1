/* SPDX-License-Identifier: EPICS */
/*
 * What follows the end of a process, or of a start that failed: as planned by a command, else as
 * the mode and the restart policy say.
 */
#include <math.h>
#include <signal.h>

#include "model/psMachinePvt.h"

/* ---- automatic starts ---- */

double psMachineStartDue(const psMachine *m)
{
    return psRestartPolicyDue(&m->policy, &m->settings, m->startMono);
}

/* An automatic start: at once if nothing is left to wait for, else Holdoff. */
void psMachineAutoStart(psMachine *m, double due, double now, psOutput *out)
{
    due = psRestartPolicyTake(&m->policy, due, now);
    if (due > now) {
        m->stage = psStageNone;
        psMachineTo(m, psStateHoldoff, due, out);
        return;
    }
    psMachineToStarting(m, m->autoReason, now, out);
}

static void restByPolicy(psMachine *m, psOutput *out)
{
    m->desiredUp = false;
    m->byPolicy = true;
    m->autoReason = psReasonAutoRestart;
    if (m->settings.mode == psModeOneShot)
        out->actions |= PS_DO_FINISHED;
    psMachineToStopped(m, out);
}

/* What the mode says after an end; @clean: exit status 0. */
static void byMode(psMachine *m, bool clean, double now, psOutput *out)
{
    psMode mode = m->settings.mode;
    bool unasked = !out->asked;

    if (m->ending || !m->desiredUp) {
        psMachineToStopped(m, out);
        return;
    }
    if (mode == psModeNever || mode == psModeOneShot || (mode == psModeOnFailure && clean)) {
        restByPolicy(m, out);
        return;
    }
    if (unasked && !psRestartPolicyAdmit(&m->policy, &m->settings, now)) {
        m->stage = psStageNone;
        out->actions |= PS_DO_GAVE_UP;
        psMachineTo(m, psStateCrashLoop, HUGE_VAL, out);
        return;
    }
    psMachineAutoStart(m, psMachineStartDue(m), now, out);
}

/* What was planned for after this end happens; false: the mode has to say. */
static bool asPlanned(psMachine *m, double now, psOutput *out)
{
    psAfterExit plan = m->ending ? psAfterExitStop : m->afterExit;

    if (plan == psAfterExitStart) {
        psRestartPolicyForget(&m->policy);
        psMachineToStarting(m, m->nextReason, now, out);
    } else if (plan == psAfterExitStop) {
        psMachineToStopped(m, out);
    }
    return plan != psAfterExitByMode;
}

/* ---- ends ---- */

PS_MACHINE_HANDLER(psMachineStartFailed)
{
    out->exitClass = psExitExecFail;
    psRestartPolicyStartFailed(&m->policy, now);
    m->lastClean = false;
    m->lastUnasked = true;
    m->crashes++;
    m->startMono = now;
    byMode(m, false, now, out);
}

PS_MACHINE_HANDLER(psMachineStartCalledOff)
{
    out->exitClass = psExitKilled;
    out->asked = true;
    m->lastClean = false;
    m->lastUnasked = false;
    if (!asPlanned(m, now, out))
        byMode(m, false, now, out);
}

static psExitClass classOf(const psMachine *m, const psInputEvent *event)
{
    if (event->lost)
        return psExitLost;
    if (m->graceRanOut && event->exitSignal == SIGKILL)
        return psExitTimeout;
    if (event->exitCode == 0)
        return psExitClean;
    if (m->asked || (!m->unfit && (m->signalsSent & psMachineSignalBit(event->exitSignal))))
        return psExitKilled;
    return event->exitSignal > 0 ? psExitSignal : psExitError;
}

PS_MACHINE_HANDLER(psMachineEnded)
{
    out->exitClass = classOf(m, event);
    out->asked = m->asked || out->exitClass == psExitKilled;
    m->lastClean = out->exitClass == psExitClean && !m->unfit;
    m->lastUnasked = !out->asked;
    out->hung = psMachineIsHungEnd(m);
    psRestartPolicyEnded(&m->policy, &m->settings, now - m->startMono, out->asked, m->lastClean,
                         now);
    if (!out->asked && !m->lastClean)
        m->crashes++;
    if (!asPlanned(m, now, out))
        byMode(m, m->lastClean, now, out);
}
