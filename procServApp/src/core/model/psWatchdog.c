/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <string.h>

#include "model/psWatchdog.h"

void psWatchdogInit(psWatchdog *dog, const double limitSec[psWatchRuleCount])
{
    memset(dog, 0, sizeof(*dog));
    for (int rule = 0; rule < psWatchRuleCount; rule++)
        dog->limitSec[rule] = limitSec[rule];
}

bool psWatchdogIsSet(const psWatchdog *dog)
{
    for (int rule = 0; rule < psWatchRuleCount; rule++)
        if (dog->limitSec[rule] > 0)
            return true;
    return false;
}

static void reset(psWatchdog *dog, bool running)
{
    atomic_store(&dog->running, false); /* first: a sign must not count for the next process */
    atomic_store(&dog->hung, false);
    for (int rule = 0; rule < psWatchRuleCount; rule++)
        atomic_store(&dog->seen[rule], 0);
    atomic_store(&dog->running, running);
}

void psWatchdogStart(psWatchdog *dog)
{
    reset(dog, psWatchdogIsSet(dog));
}

void psWatchdogStop(psWatchdog *dog)
{
    reset(dog, false);
}

bool psWatchdogSign(psWatchdog *dog, psWatchRule rule, double at)
{
    if (dog->limitSec[rule] <= 0 || !atomic_load_explicit(&dog->running, memory_order_relaxed))
        return false;
    double before = atomic_load_explicit(&dog->seen[rule], memory_order_relaxed);
    atomic_store_explicit(&dog->seen[rule], at, memory_order_relaxed);
    return before == 0 || atomic_load_explicit(&dog->hung, memory_order_relaxed);
}

unsigned psWatchdogCounting(const psWatchdog *dog)
{
    unsigned count = 0;

    for (int rule = 0; rule < psWatchRuleCount; rule++)
        count += psWatchdogCounts(dog, (psWatchRule)rule);
    return count;
}

/* When @p rule is over its limit; HUGE_VAL: never, as it does not count. */
static double limitOf(const psWatchdog *dog, int rule)
{
    double seen = atomic_load_explicit(&dog->seen[rule], memory_order_relaxed);

    return seen > 0 && dog->limitSec[rule] > 0 ? seen + dog->limitSec[rule] : HUGE_VAL;
}

/* The rule that is nearest to its limit, or furthest beyond it. */
static psWatchRule nearest(const psWatchdog *dog)
{
    psWatchRule best = psWatchSilent;

    for (int rule = 1; rule < psWatchRuleCount; rule++)
        if (limitOf(dog, rule) < limitOf(dog, best))
            best = (psWatchRule)rule;
    return best;
}

psWatchdogChange psWatchdogCheck(psWatchdog *dog, double now)
{
    psWatchRule rule = nearest(dog);
    bool was = atomic_load(&dog->hung);
    bool is = atomic_load(&dog->running) && limitOf(dog, rule) <= now;
    psWatchRule before = dog->hungBy;

    atomic_store(&dog->hung, is);
    if (!is)
        return was ? psWatchdogRecovered : psWatchdogSame;
    dog->hungBy = rule;
    if (!was)
        return psWatchdogHung;
    return rule == before ? psWatchdogSame : psWatchdogOther;
}

double psWatchdogDeadline(const psWatchdog *dog)
{
    if (!atomic_load(&dog->running) || atomic_load(&dog->hung))
        return HUGE_VAL;
    return limitOf(dog, nearest(dog));
}

double psWatchdogAge(const psWatchdog *dog, double now)
{
    double seen = atomic_load_explicit(&dog->seen[nearest(dog)], memory_order_relaxed);

    return seen > 0 && now > seen ? now - seen : 0;
}
