/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <string.h>

#include "model/psRestartPolicy.h"

/* ---- windows of recent times ---- */

static void windowAdd(psWindow *window, double *times, int capacity, double now)
{
    if (window->count == capacity) {
        window->first = (window->first + 1) % capacity;
        window->count--;
    }
    times[(window->first + window->count) % capacity] = now;
    window->count++;
}

static int windowCount(const psWindow *window, const double *times, int capacity, double since)
{
    int count = 0;

    for (int i = 0; i < window->count; i++)
        if (times[(window->first + i) % capacity] > since)
            count++;
    return count;
}

/* Oldest time still inside the window; HUGE_VAL if there is none. */
static double windowOldest(const psWindow *window, const double *times, int capacity, double since)
{
    for (int i = 0; i < window->count; i++) {
        double at = times[(window->first + i) % capacity];

        if (at > since)
            return at;
    }
    return HUGE_VAL;
}

static void addCrash(psRestartPolicy *policy, double now)
{
    windowAdd(&policy->crashes, policy->crashTimes, PS_WINDOW_CRASHES, now);
}

/* ---- what happened ---- */

void psRestartPolicyInit(psRestartPolicy *policy, double now)
{
    memset(policy, 0, sizeof(*policy));
    policy->credit = PS_CREDIT_MAX;
    policy->creditMono = now;
}

void psRestartPolicyForget(psRestartPolicy *policy)
{
    policy->shortRuns = 0;
    policy->failedStarts = 0;
    policy->autoStarts.count = 0;
    policy->crashes.count = 0;
}

void psRestartPolicySpawned(psRestartPolicy *policy)
{
    policy->failedStarts = 0;
}

void psRestartPolicyStartFailed(psRestartPolicy *policy, double now)
{
    policy->failedStarts++;
    addCrash(policy, now);
}

void psRestartPolicyEnded(psRestartPolicy *policy, const psSettings *settings, double ranSec,
                          bool asked, bool clean, double now)
{
    if (ranSec >= fmax(settings->holdoffSec, PS_SHORT_RUN_SEC))
        policy->shortRuns = 0;
    else if (!asked)
        policy->shortRuns++;
    if (!asked && !clean)
        addCrash(policy, now);
}

/* ---- what follows ---- */

bool psRestartPolicyAdmit(psRestartPolicy *policy, const psSettings *settings, double now)
{
    double since = now - settings->restartWindowSec;

    if (settings->maxRestarts > 0 && windowCount(&policy->autoStarts, policy->startTimes,
                                                 PS_WINDOW_STARTS, since) >= settings->maxRestarts)
        return false;
    windowAdd(&policy->autoStarts, policy->startTimes, PS_WINDOW_STARTS, now);
    return true;
}

/* Doubling of @base by the n-th repetition (n from 1), bounded. */
static double doubled(double base, int n, double max)
{
    double value = base;

    while (--n > 0 && value < max)
        value *= 2.0;
    return value > max ? max : value;
}

static double holdoffNow(const psRestartPolicy *policy, const psSettings *settings)
{
    double holdoff = settings->holdoffSec;
    double max = settings->holdoffMaxSec;

    if (policy->shortRuns < 2 || max <= holdoff)
        return holdoff;
    if (holdoff > 0)
        return doubled(holdoff, policy->shortRuns, max);
    return doubled(1.0, policy->shortRuns - 1, max); /* doubling nothing: 0, 1, 2, 4 ... */
}

double psRestartPolicyDue(const psRestartPolicy *policy, const psSettings *settings,
                          double startMono)
{
    double wait = holdoffNow(policy, settings);

    if (policy->failedStarts > 0)
        wait =
            fmax(wait, doubled(PS_FAILED_START_SEC, policy->failedStarts, PS_FAILED_START_MAX_SEC));
    return startMono + wait;
}

double psRestartPolicyTake(psRestartPolicy *policy, double due, double now)
{
    policy->credit =
        fmin(PS_CREDIT_MAX, policy->credit + (now - policy->creditMono) * PS_CREDIT_PER_SEC);
    policy->creditMono = now;
    if (due <= now && policy->credit < 1.0)
        due = now + (1.0 - policy->credit) / PS_CREDIT_PER_SEC;
    if (due > now) /* what is missing may be too little to be a later time */
        return due;
    policy->credit -= 1.0;
    return now;
}

int psRestartPolicyCrashes(const psRestartPolicy *policy, const psSettings *settings, double now)
{
    return windowCount(&policy->crashes, policy->crashTimes, PS_WINDOW_CRASHES,
                       now - settings->restartWindowSec);
}

double psRestartPolicyCrashesChange(const psRestartPolicy *policy, const psSettings *settings,
                                    double now)
{
    double window = settings->restartWindowSec;

    return windowOldest(&policy->crashes, policy->crashTimes, PS_WINDOW_CRASHES, now - window) +
           window;
}
