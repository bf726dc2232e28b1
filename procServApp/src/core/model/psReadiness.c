/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <string.h>

#include <epicsStdio.h>

#include "base/psText.h"
#include "model/psReadiness.h"

void psReadinessInit(psReadiness *readiness, psReadyRule rule, const char *what, double timeoutSec)
{
    memset(readiness, 0, sizeof(*readiness));
    readiness->rule = rule;
    readiness->what = what;
    readiness->timeoutSec = timeoutSec;
    readiness->deadline = HUGE_VAL;
}

/* @return true: it is new */
static bool become(psReadiness *r, bool met, double now)
{
    if (r->met == met)
        return false;
    r->met = met;
    r->missingSec = met && r->once ? now - r->sinceMono : 0;
    r->sinceMono = now;
    r->late = false;
    r->deadline = met ? HUGE_VAL : now + r->timeoutSec;
    if (met && !r->once)
        r->tookSec = now - r->startMono;
    r->once = r->once || met;
    return true;
}

void psReadinessBegin(psReadiness *r, double now)
{
    psReadinessEnd(r);
    r->running = true;
    r->once = false;
    r->missingSec = 0;
    r->startMono = now;
    r->sinceMono = now;
    r->deadline = now + r->timeoutSec;
    r->pvOld = r->pv == psReadyPvGood;
    r->said[0] = '\0';
    if (r->rule != psReadyNone)
        return;
    r->met = true;
    r->deadline = HUGE_VAL;
}

void psReadinessEnd(psReadiness *r)
{
    r->running = false;
    r->met = false;
    r->stopping = false;
    r->reloading = false;
    r->late = false;
    r->deadline = HUGE_VAL;
}

bool psReadinessMatched(psReadiness *r, double now)
{
    return r->running && r->rule == psReadyMatch && become(r, true, now);
}

bool psReadinessSaid(psReadiness *r, psReadySay say, double now)
{
    if (!r->running || r->rule != psReadyNotify)
        return false;
    bool reloading = say == psReadySaysReloading;
    bool stopping = say == psReadySaysStopping;
    bool isNew = r->reloading != reloading || r->stopping != stopping;
    r->reloading = reloading;
    r->stopping = stopping;
    return become(r, say == psReadySaysReady, now) || isNew;
}

bool psReadinessStatus(psReadiness *r, const char *text)
{
    if (!r->running || strncmp(r->said, text, sizeof(r->said) - 1) == 0)
        return false;
    epicsSnprintf(r->said, sizeof(r->said), "%s", text);
    psTextEndWhole(r->said, sizeof(r->said));
    return true;
}

bool psReadinessExtend(psReadiness *r, double sec, double now)
{
    if (!r->running || r->met || r->late || now + sec <= r->deadline)
        return false;
    r->deadline = now + sec;
    return true;
}

bool psReadinessPv(psReadiness *r, psReadyPvState state, double now)
{
    bool isNew = r->pv != state;

    r->pv = state;
    if (state != psReadyPvGood)
        r->pvOld = false;
    if (!r->running || r->rule != psReadyPv)
        return false;
    return become(r, state == psReadyPvGood && !r->pvOld, now) || isNew;
}

bool psReadinessTick(psReadiness *r, double now)
{
    if (r->late || now < r->deadline)
        return false;
    r->late = true;
    r->deadline = HUGE_VAL;
    return true;
}

double psReadinessDeadline(const psReadiness *r)
{
    return r->deadline;
}

bool psReadinessIsMet(const psReadiness *r)
{
    return r->met;
}

static const char *pvProblem(const psReadiness *r)
{
    switch (r->pv) {
    case psReadyPvUnknown:
        return "which no record follows";
    case psReadyPvBad:
        return "which is not connected or invalid";
    case psReadyPvZero:
        return "which is 0";
    default:
        return "which is still as before the start";
    }
}

void psReadinessExplain(const psReadiness *r, char *out, size_t size)
{
    if (r->met)
        epicsSnprintf(out, size, "ready");
    else if (r->stopping)
        epicsSnprintf(out, size, "the process says that it is stopping");
    else if (r->reloading)
        epicsSnprintf(out, size, "the process says that it is reloading");
    else if (r->rule == psReadyMatch)
        epicsSnprintf(out, size, "waits for a line that matches '%s'", r->what);
    else if (r->rule == psReadyPv)
        epicsSnprintf(out, size, "waits for the PV %s, %s", r->what, pvProblem(r));
    else
        epicsSnprintf(out, size, "waits for READY=1");
}
