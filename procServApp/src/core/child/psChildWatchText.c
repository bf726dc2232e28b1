/* SPDX-License-Identifier: EPICS */
#include <epicsStdio.h>

#include "base/psText.h"
#include "child/psChildText.h"
#include "child/psChildWatchText.h"

/* What the sign of life is that @p rule waits for. */
static const char *signOf(const psChild *child, psWatchRule rule)
{
    switch (rule) {
    case psWatchPv:
        return child->cfg->watchPv;
    case psWatchNotify:
        return "WATCHDOG=1";
    default:
        return "output";
    }
}

void psChildWatchTextReason(const psChild *child, char *out, size_t size)
{
    const psWatchdog *dog = &child->watchdog;
    psWatchRule rule = dog->hungBy;
    char since[32];

    if (rule == psWatchNotify && dog->triggered) {
        epicsSnprintf(out, size, "it said so itself (WATCHDOG=trigger)");
        return;
    }
    psChildTextTimeOfDay(child, dog->seen[rule], since, sizeof(since));
    epicsSnprintf(out, size, "no %s%s since %s, limit %g s", rule == psWatchPv ? "update of " : "",
                  signOf(child, rule), since, dog->limitSec[rule]);
}

/* "watched: output within 60 s, IOC1:HB within 10 s (no update yet)" */
static void watched(const psChild *child, char *out, size_t size)
{
    const psWatchdog *dog = &child->watchdog;
    size_t used = 0;

    for (int rule = 0; rule < psWatchRuleCount && used < size; rule++) {
        if (dog->limitSec[rule] <= 0)
            continue;
        used += (size_t)epicsSnprintf(
            out + used, size - used, "%s%s within %g s%s",
            used ? ", " : "watched: ", signOf(child, (psWatchRule)rule), dog->limitSec[rule],
            psWatchdogCounts(dog, (psWatchRule)rule) ? "" : " (none yet)");
    }
}

void psChildWatchText(const psChild *child, char *out, size_t size)
{
    const psWatchdog *dog = &child->watchdog;

    if (child->machine.hung)
        psChildWatchTextReason(child, out, size);
    else if (!psWatchdogIsSet(dog))
        epicsSnprintf(out, size, "no watchdog is set");
    else if (child->paused)
        epicsSnprintf(out, size, "not watched: stopped by a signal given here");
    else if (!psWatchdogRunning(dog))
        epicsSnprintf(out, size, "not watched: not running");
    else
        watched(child, out, size);
    psTextEndWhole(out, size);
}
