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
    dog->triggered = false;
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

void psWatchdogTrigger(psWatchdog *dog)
{
    dog->triggered = dog->limitSec[psWatchNotify] > 0 && psWatchdogRunning(dog);
}

bool psWatchdogSign(psWatchdog *dog, psWatchRule rule, double at)
{
    if (dog->limitSec[rule] <= 0 || !atomic_load_explicit(&dog->running, memory_order_relaxed))
        return false;
    double before = atomic_load_explicit(&dog->seen[rule], memory_order_relaxed);
    atomic_store(&dog->seen[rule], at); /* before the load, see psWatchdogCheck() */
    return before == 0 || atomic_load(&dog->hung);
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
    double seen = atomic_load(&dog->seen[rule]);

    if (rule == psWatchNotify && dog->triggered)
        return -HUGE_VAL;
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

/* A sign is stored first, and then `hung` is read; here it is the other way round.  So one of the
 * two sees the other, and a sign that comes just now is either found here or asks for another look.
 * @return is it hung, by *outRule? */
static bool decide(psWatchdog *dog, double now, psWatchRule *outRule)
{
    bool running = atomic_load(&dog->running);

    if (running && limitOf(dog, nearest(dog)) <= now)
        atomic_store(&dog->hung, true);
    *outRule = nearest(dog);
    bool is = running && limitOf(dog, *outRule) <= now;
    if (!is)
        atomic_store(&dog->hung, false);
    return is;
}

psWatchdogChange psWatchdogCheck(psWatchdog *dog, double now)
{
    bool was = atomic_load(&dog->hung);
    psWatchRule before = dog->hungBy;
    psWatchRule rule;

    if (!decide(dog, now, &rule))
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
