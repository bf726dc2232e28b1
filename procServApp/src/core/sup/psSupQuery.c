/* SPDX-License-Identifier: EPICS */
/*
 * What callers of other threads may know: copies of published values, and facts that are fixed
 * once a child exists.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "model/psVerb.h"
#include "sup/psSupChildren.h"

int psSupStatus(psSup *sup, const char *name, psStatus *out)
{
    psChild *child = psSupChildrenFind(sup, name);

    if (!child)
        return -ENOENT;
    psFeedNewest(psChildFeed(child), out);
    return 0;
}

int psSupNextTransition(psSup *sup, const char *name, psStatus *out)
{
    psChild *child = psSupChildrenFind(sup, name);

    return child ? psFeedNext(psChildFeed(child), out) : -ENOENT;
}

int psSupSubscribe(psSup *sup, const char *name, void (*fn)(void *ctx), void *ctx)
{
    psChild *child = psSupChildrenFind(sup, name);

    if (!child)
        return -ENOENT;
    psFeedSubscribe(psChildFeed(child), fn, ctx);
    return 0;
}

int psSupFacts(psSup *sup, const char *name, psChildFacts *out)
{
    psChild *child = psSupChildrenFind(sup, name);

    if (!child)
        return -ENOENT;
    *out = *psChildGetFacts(child);
    return 0;
}

int psSupCount(psSup *sup)
{
    return psSupChildrenCount(sup);
}

const char *psSupName(psSup *sup, int index)
{
    psChild *child = psSupChildrenAt(sup, index);

    return child ? psChildName(child) : NULL;
}

double psSupMono(psSup *sup)
{
    return psClockMono(sup->options.clock);
}

int psSupInfo(psSup *sup, const char *name, char *out, size_t size)
{
    psChild *child = psSupChildrenFind(sup, name);
    psText text = PS_TEXT_INIT;

    if (!child)
        return -ENOENT;
    psTextPrintf(&text, "PID=%d", (int)getpid());
    psChildInfo(child, false, &text);
    epicsSnprintf(out, size, "%s", text.failed ? "" : text.data);
    psTextClear(&text);
    return 0;
}

void psSupPrintInfo(psSup *sup, FILE *out)
{
    psChild *child;
    psText text = PS_TEXT_INIT;

    psTextPrintf(&text, "pid:%d\n", (int)getpid());
    for (int i = 0; (child = psSupChildrenAt(sup, i)); i++)
        psChildInfo(child, true, &text);
    if (!text.failed)
        fputs(text.data, out);
    psTextClear(&text);
}

static void reportChild(psChild *child, FILE *out, int level)
{
    const psChildFacts *facts = psChildGetFacts(child);
    psStatus status;

    psFeedNewest(psChildFeed(child), &status);
    fprintf(out, "%-20s %-9s pid %-7d restarts %d  %s\n", psChildName(child),
            psStateName(status.state), status.pid, status.restarts, status.stateMsg);
    if (level < 1)
        return;
    fprintf(out, "    command  %s\n    in       %s\n    consoles %s\n    log      %s\n",
            facts->commandLine, facts->dir, facts->consoles, facts->logFile);
    fprintf(out, "    mode %s, hold-off %g s, grace %g s; %d crashes; last end: %s\n",
            psModeName(status.settings.mode), status.settings.holdoffSec, status.settings.graceSec,
            status.crashes, status.exitMsg[0] ? status.exitMsg : "none");
    if (level < 2)
        return;
    fprintf(out, "    %d users, %d loggers; transition %u; last command %s\n", status.clients,
            status.loggers, (unsigned)status.seq,
            status.cmd.seq ? psVerbName(status.cmd.verb) : "none");
    if (status.cmd.seq)
        fprintf(out, "    of %s: %s\n", status.cmd.by, status.cmd.msg);
}

void psSupReport(psSup *sup, FILE *out, int level)
{
    psChild *child;

    for (int i = 0; (child = psSupChildrenAt(sup, i)); i++)
        reportChild(child, out, level);
}
