/* SPDX-License-Identifier: EPICS */
#include <epicsStdio.h>

#include "base/psText.h"
#include "child/psChildText.h"
#include "child/psChildWatchText.h"

void psChildWatchTextReason(const psChild *child, char *out, size_t size)
{
    const psWatchdog *dog = &child->watchdog;
    psWatchRule rule = dog->hungBy;
    char since[32];

    psChildTextTimeOfDay(child, dog->seen[rule], since, sizeof(since));
    epicsSnprintf(out, size, "no output since %s, limit %g s", since, dog->limitSec[rule]);
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
        epicsSnprintf(out, size, "watched: output within %g s", dog->limitSec[psWatchSilent]);
}
