/* SPDX-License-Identifier: EPICS */
/* Options of a child: its watchdogs, and what is done when one finds it hung. */
#include <errno.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "model/psConfigPvt.h"

/* clang-format off */
#define AT(m) offsetof(psConfig, m)
static const psConfigRow rows[] = {
    {PS_OPTION("silent-after", 0, 150, Required, Watch, "<s>",
               "hung when it prints nothing for <s> seconds [no limit]"),
     psConfigSetLimit, AT(silentAfterSec)},
    {PS_OPTION("watch-pv", 0, 151, Required, Watch, "<pv>",
               "hung when this PV is no longer updated; with --watch-after [none]"),
     psConfigSetPv, AT(watchPv)},
    {PS_OPTION("watch-after", 0, 152, Required, Watch, "<s>",
               "hung when that PV is not updated for <s> seconds [no limit]"),
     psConfigSetLimit, AT(watchAfterSec)},
    {PS_OPTION("watchdog-sec", 0, 153, Required, Watch, "<s>",
               "hung when it sends no WATCHDOG=1 for <s> seconds [no limit]"),
     psConfigSetLimit, AT(watchdogSec)},
    {PS_OPTION("hung-action", 0, 154, Required, Watch, "<action>",
               "what to do with a hung child: alarm or restart [alarm]"),
     psConfigSetAction, AT(hungRestarts)},
    {PS_OPTION("hung-command", 0, 155, Required, Watch, "<command>",
               "shell command that runs before such a restart, 30 s at most [none]"),
     psConfigSetTextOrNone, AT(hungCommand)},
    {PS_OPTION("event-command", 0, 160, Required, Watch, "<command>",
               "shell command that runs on a crash and when a child is hung [none]"),
     psConfigSetTextOrNone, AT(eventCommand)},
};
/* clang-format on */

const psConfigRow *psConfigWatchRow(unsigned index)
{
    return index < NELEMENTS(rows) ? &rows[index] : NULL;
}

int psConfigCheckWatch(const psConfig *cfg, char *msg, size_t msgSize)
{
    if (cfg->watchAfterSec > 0 && !cfg->watchPv) {
        epicsSnprintf(msg, msgSize, "watch-after: of which PV? Give --watch-pv, too");
        return -EINVAL;
    }
    if (cfg->watchPv && cfg->watchAfterSec <= 0) {
        epicsSnprintf(
            msg, msgSize,
            "watch-pv: give --watch-after, too: the time within which the next update must come");
        return -EINVAL;
    }
    if (cfg->hungRestarts && cfg->silentAfterSec <= 0 && cfg->watchAfterSec <= 0 &&
        cfg->watchdogSec <= 0) {
        epicsSnprintf(msg, msgSize,
                      "hung-action: nothing finds out that it is hung; give --silent-after, "
                      "--watch-pv or --watchdog-sec, too");
        return -EINVAL;
    }
    if (cfg->hungCommand && !cfg->hungRestarts) {
        epicsSnprintf(msg, msgSize,
                      "hung-command: it runs before a restart; give --hung-action restart, too");
        return -EINVAL;
    }
    return 0;
}
