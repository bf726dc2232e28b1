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
    if (cfg->hungRestarts && cfg->silentAfterSec <= 0) {
        epicsSnprintf(msg, msgSize,
                      "hung-action: nothing finds out that it is hung; give --silent-after, too");
        return -EINVAL;
    }
    if (cfg->hungCommand && !cfg->hungRestarts) {
        epicsSnprintf(msg, msgSize,
                      "hung-command: it runs before a restart; give --hung-action restart, too");
        return -EINVAL;
    }
    return 0;
}
