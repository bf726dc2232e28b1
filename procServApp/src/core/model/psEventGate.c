/* SPDX-License-Identifier: EPICS */
#include <math.h>

#include <dbDefs.h>

#include "model/psEventGate.h"

const char *psNewsName(psNews news)
{
    static const char *const names[] = {
        [psNewsNone] = "",     [psNewsCrash] = "crash",         [psNewsCrashLoop] = "CrashLoop",
        [psNewsHung] = "hung", [psNewsRecovered] = "recovered",
    };
    _Static_assert(NELEMENTS(names) == psNewsCount, "an event has no name");

    return (unsigned)news < psNewsCount ? names[news] : "?";
}

static void skipWaiting(psEventGate *gate)
{
    if (gate->waiting != psNewsNone)
        gate->skipped++;
    gate->waiting = psNewsNone;
}

bool psEventGateOffer(psEventGate *gate, psNews news, double now)
{
    bool unheard = news == psNewsRecovered && gate->waiting == psNewsHung;

    if (!gate->busy && now >= gate->nextMono) {
        skipWaiting(gate);
        return true;
    }
    if (news == psNewsCrash || unheard)
        gate->skipped++; /* of a hang that nobody has heard of, nobody needs to hear the end */
    if (news == psNewsCrash)
        return false;
    skipWaiting(gate);
    if (!unheard)
        gate->waiting = news;
    return false;
}

void psEventGateStarted(psEventGate *gate, double now)
{
    gate->busy = true;
    gate->nextMono = now + PS_EVENT_GAP_SEC;
}

void psEventGateEnded(psEventGate *gate)
{
    gate->busy = false;
}

double psEventGateDue(const psEventGate *gate)
{
    bool waits = gate->waiting != psNewsNone && !gate->busy;

    return waits || gate->skipped > 0 ? gate->nextMono : HUGE_VAL;
}

psNews psEventGateTake(psEventGate *gate, double now, unsigned *outSkipped)
{
    psNews news = psNewsNone;

    *outSkipped = 0;
    if (now < gate->nextMono)
        return news;
    *outSkipped = gate->skipped;
    gate->skipped = 0;
    if (!gate->busy) {
        news = gate->waiting;
        gate->waiting = psNewsNone;
    }
    return news;
}
