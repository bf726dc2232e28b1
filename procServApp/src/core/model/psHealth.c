/* SPDX-License-Identifier: EPICS */
#include <math.h>

#include "model/psHealth.h"

static void forget(psHealthTrack *track)
{
    track->notUpSince = 0;
    track->down = false;
}

/* That it is not up yet is what somebody asked for. */
static bool isAsked(const psMachine *m)
{
    if (m->cannotKill || m->unfit)
        return false; /* it will not be what was asked for, or nobody asked */
    return m->state == psStateStopping || m->state == psStateKilling || !m->lastUnasked;
}

/* Since when it has been a problem that it is not up; 0: it is none. */
static double problemSince(const psHealthTrack *track, const psMachine *m, bool asked, double now)
{
    if (asked)
        return m->state == psStateStarting ? m->startMono : 0;
    return track->notUpSince > 0 ? track->notUpSince : now;
}

psHealth psHealthEvaluate(psHealthTrack *track, const psMachine *m, bool exitAlarm, bool late,
                          double now, double *outNext)
{
    bool running = m->state == psStateRunning;
    double upAt = m->startMono + PS_UP_SEC;
    bool asked = isAsked(m);

    *outNext = HUGE_VAL;
    if (!m->desiredUp) {
        forget(track);
        return exitAlarm && m->lastUnasked && psMachineAtRest(m) ? psHealthDown : psHealthOk;
    }
    if (m->state == psStateCrashLoop || psMachineWindowCrashes(m, now) >= PS_CRASHING_COUNT) {
        *outNext = psMachineWindowChange(m, now);
        return psHealthCrashing;
    }
    if (m->hung && !m->unfit)
        return psHealthHung;
    if (running && !m->unfit && now >= upAt) {
        forget(track);
        return late ? psHealthNotReady : psHealthOk;
    }
    track->notUpSince = problemSince(track, m, asked, now);
    double downAt = track->notUpSince > 0 ? track->notUpSince + PS_UP_SEC : HUGE_VAL;
    if (!running && now >= downAt)
        track->down = true;
    if (track->down) {
        *outNext = running ? upAt : HUGE_VAL;
        return psHealthDown;
    }
    *outNext = !running ? downAt : asked || m->unfit ? HUGE_VAL : upAt;
    if (late)
        return psHealthNotReady;
    return asked ? psHealthOk : psHealthTransient;
}
