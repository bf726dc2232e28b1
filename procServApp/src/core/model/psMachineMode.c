/* SPDX-License-Identifier: EPICS */
/* The commands Mode and Reset: what they change, and when that starts or stops something. */
#include <math.h>

#include "model/psMachinePvt.h"

PS_MACHINE_HANDLER(psMachineModeNoted)
{
    m->settings.mode = event->mode;
    out->verdict = psVerdictDone;
}

PS_MACHINE_HANDLER(psMachineModeAtRest)
{
    psMode mode = event->mode;

    m->settings.mode = mode;
    out->verdict = psVerdictDone;
    if (m->state == psStateHoldoff) {
        if (mode == psModeNever || (mode == psModeOnFailure && m->lastClean)) {
            m->desiredUp = false;
            m->byPolicy = true;
            psMachineToStopped(m, out);
        }
    } else if (m->state == psStateStopped && m->byPolicy &&
               (mode == psModeAlways || mode == psModeOneShot)) {
        m->desiredUp = true;
        m->lastUnasked = false; /* whoever gave the mode asked for this start */
        psMachineAutoStart(m, psMachineStartDue(m), now, out);
    }
}

PS_MACHINE_HANDLER(psMachineResetNoted)
{
    psRestartPolicyForget(&m->policy);
    out->actions |= PS_DO_CLEAR_ALARM;
    out->verdict = psVerdictDone;
}

PS_MACHINE_HANDLER(psMachineResetAtRest)
{
    psMachineResetNoted(m, event, now, out);
    if (m->state == psStateHoldoff)
        m->deadline = fmax(now, psMachineStartDue(m));
    if (m->state != psStateCrashLoop)
        return;
    if (m->desiredUp)
        psMachineToStarting(m, event->reason, now, out);
    else
        psMachineToStopped(m, out);
}
