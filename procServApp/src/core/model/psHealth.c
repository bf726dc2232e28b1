/* SPDX-License-Identifier: EPICS */
#include <math.h>

#include "model/psHealth.h"

/* Nobody wants it up: it is well, unless it ended badly by itself. */
static psHealth restingHealth(psHealthTrack *track, const psMachine *m, bool exitAlarm)
{
    bool running = !psMachineAtRest(m);

    track->notUpSince = 0;
    track->down = false;
    return exitAlarm && !running ? psHealthDown : psHealthOk;
}

psHealth psHealthEvaluate(psHealthTrack *track, const psMachine *m, bool exitAlarm, double now,
                          double *outNext)
{
    bool running = m->state == psStateRunning;
    double upAt = m->startMono + PS_UP_SEC;

    *outNext = HUGE_VAL;
    if (!m->desiredUp)
        return restingHealth(track, m, exitAlarm);
    if (m->state == psStateCrashLoop || psMachineWindowCrashes(m, now) >= PS_CRASHING_COUNT) {
        *outNext = psMachineWindowChange(m, now);
        return psHealthCrashing;
    }
    if (running && now >= upAt) {
        track->notUpSince = 0;
        track->down = false;
        return psHealthOk;
    }
    if (track->notUpSince == 0)
        track->notUpSince = now;
    if (!running && now >= track->notUpSince + PS_UP_SEC) /* as the deadline is computed */
        track->down = true;
    if (track->down) {
        *outNext = running ? upAt : HUGE_VAL;
        return psHealthDown;
    }
    *outNext = running ? upAt : track->notUpSince + PS_UP_SEC;
    if (running && m->startReason != psReasonAutoRestart)
        return psHealthOk;
    return m->starts <= 1 && !exitAlarm ? psHealthOk : psHealthTransient;
}
