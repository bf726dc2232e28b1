/* SPDX-License-Identifier: EPICS */
#include "psIocCompat.h"

static const char notRunning[] = "it does not run";

psCompatState psCompatStateOf(const psStatus *now)
{
    switch (now->state) {
    case psStateStarting:
    case psStateRunning:
    case psStateStopping:
    case psStateKilling:
        return psCompatRunning;
    case psStateUnknown:
        return psCompatInvalid;
    default:
        return psCompatShutdown;
    }
}

bool psCompatAutoRestarts(const psStatus *now)
{
    return now->settings.mode == psModeAlways || now->settings.mode == psModeOnFailure;
}

/* It stays down, also if somebody ends a later run.  One that is to be started again soon is
 * stopped, too: procServControl lets a process in a crash loop go on. */
void psCompatStop(const psStatus *now, psTargetPlan *out)
{
    out->setsMode = now->desiredUp && psCompatAutoRestarts(now);
    out->mode = psModeNever;
}

void psCompatRestart(const psStatus *now, psTargetPlan *out)
{
    if (psCompatStateOf(now) != psCompatRunning)
        out->refusal = notRunning;
    out->setsMode = !psCompatAutoRestarts(now);
    out->mode = psModeAlways;
}

void psCompatToggle(const psStatus *now, psTargetPlan *out)
{
    if (psCompatStateOf(now) != psCompatRunning)
        out->refusal = notRunning;
    out->value = psCompatAutoRestarts(now) ? psModeNever : psModeAlways;
}
