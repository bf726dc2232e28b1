/* SPDX-License-Identifier: EPICS */
#include "sup/psSupSpace.h"

#include "log/psLogFile.h"
#include "sup/psSupChildren.h"

/* The log of a child, then at the end that of the supervisor.  @return false: there are no more */
static bool logAt(struct psSup *sup, int index, psLogFile **out)
{
    psChild *child = psSupAt(sup, index);

    *out = child ? psChildLog(child) : sup->log.file;
    return child || index == psSupCount(sup);
}

void psSupSpaceAsk(struct psSup *sup)
{
    psLogFile *log;
    psLogStats stats;

    for (int i = 0; logAt(sup, i, &log); i++) {
        if (!log)
            continue;
        psLogFileStats(log, &stats);
        if (!stats.looking)
            psLogFileLook(log);
    }
}

bool psSupSpaceTake(struct psSup *sup, bool late, psLogSpace *out)
{
    psLogSpace space = {.known = true, .freePercent = 100};
    psLogFile *log;
    psLogStats stats;

    for (int i = 0; logAt(sup, i, &log); i++) {
        if (!log)
            continue;
        psLogFileStats(log, &stats);
        if (stats.looking)
            space.hangs = true;
        else if (stats.freePercent >= 0 && stats.freePercent < space.freePercent)
            space.freePercent = stats.freePercent;
    }
    if (space.hangs && !late)
        return false;
    *out = space;
    return true;
}
