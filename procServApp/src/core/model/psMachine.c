/* SPDX-License-Identifier: EPICS */
/*
 * The state machine of one child: the public face.  What happens is in psMachineTable.c, the
 * moves between states in psMachineMoves.c, delays and limits in psRestartPolicy.c.
 */
#include <math.h>
#include <string.h>

#include "model/psMachinePvt.h"

void psMachineInit(psMachine *m, const psSettings *settings, int killSignal, bool hasStopInput,
                   double now)
{
    memset(m, 0, sizeof(*m));
    m->settings = *settings;
    m->killSignal = killSignal;
    m->hasStopInput = hasStopInput;
    m->state = psStateStopped;
    m->deadline = HUGE_VAL;
    m->autoReason = psReasonAutoRestart;
    psRestartPolicyInit(&m->policy, now);
}

void psMachineBoot(psMachine *m, bool wait, double now, psOutput *out)
{
    memset(out, 0, sizeof(*out));
    if (wait) {
        psMachineTo(m, psStateWaiting, HUGE_VAL, out);
        return;
    }
    m->desiredUp = true;
    psMachineToStarting(m, psReasonBoot, now, out);
}

static bool isStale(psMachine *m, const psInputEvent *event)
{
    bool ofProcess = event->event == psEventSpawned || event->event == psEventSpawnFailed ||
                     event->event == psEventExited;

    if (!ofProcess || event->incarnation == m->incarnation)
        return false;
    m->stale++;
    return true;
}

void psMachineStep(psMachine *m, const psInputEvent *event, double now, psOutput *out)
{
    const psMachineRow *row = psMachineRowOf(event->event);

    memset(out, 0, sizeof(*out));
    if (isStale(m, event))
        return;
    if (m->ending && row->refusedWhenEnding) {
        out->verdict = psVerdictFail;
        out->why = "shutting down";
        return;
    }
    row->cell[psMachineColumnOf(m->state)].handler(m, event, now, out);
}

void psMachineSettings(psMachine *m, const psSettings *settings, double now)
{
    psMode mode = m->settings.mode; /* changes by psEventMode only */
    bool holdoffChanged = settings->holdoffSec != m->settings.holdoffSec ||
                          settings->holdoffMaxSec != m->settings.holdoffMaxSec;

    m->settings = *settings;
    m->settings.mode = mode;
    if (m->state == psStateHoldoff && holdoffChanged)
        m->deadline = fmax(now, psMachineStartDue(m));
}

void psMachineResetCounters(psMachine *m)
{
    if (m->starts > 0)
        m->restartsBase = 1;
    m->starts = 0;
    m->autoRestarts = 0;
    m->crashes = 0;
}

int psMachineWindowCrashes(const psMachine *m, double now)
{
    return psRestartPolicyCrashes(&m->policy, &m->settings, now);
}

double psMachineWindowChange(const psMachine *m, double now)
{
    return psRestartPolicyCrashesChange(&m->policy, &m->settings, now);
}

/* ---- the table, for others ---- */

const char *psEventName(psEvent event)
{
    const psMachineRow *row = psMachineRowOf(event);

    return row ? row->name : "?";
}

const char *psMachineCell(psState state, psEvent event)
{
    const psMachineRow *row = psMachineRowOf(event);

    return row ? row->cell[psMachineColumnOf(state)].text : "?";
}

bool psMachineEventOf(psVerb verb, psEvent *outEvent)
{
    for (int event = 0; event < psEventCount && verb != psVerbNone; event++) {
        if (psMachineRowOf((psEvent)event)->verb == verb) {
            *outEvent = (psEvent)event;
            return true;
        }
    }
    return false;
}
