/* SPDX-License-Identifier: EPICS */
/*
 * What callers of other threads may know: copies of published values, and facts that are fixed
 * once a child exists.
 */
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "model/psVerb.h"
#include "sup/psSupChildren.h"

void psSupStatus(psChild *child, psStatus *out)
{
    psFeedNewest(psChildFeed(child), out);
}

int psSupNextTransition(psChild *child, psStatus *out)
{
    return psFeedNext(psChildFeed(child), out);
}

void psSupConsole(psChild *child, psConsoleStatus *out)
{
    psFeedConsole(psChildFeed(child), out);
}

void psSupSubscribe(psChild *child, psTopic topic, void (*fn)(void *ctx), void *ctx)
{
    psFeedSubscribe(psChildFeed(child), topic, fn, ctx);
    if (fn && topic == psTopicConsole)
        psChildConsoleWanted(child);
}

void psSupMonitorConsole(psChild *child, bool monitored)
{
    psChildConsoleMonitor(child, monitored);
}

const psChildFacts *psSupFacts(const psChild *child)
{
    return psChildGetFacts(child);
}

double psSupAliveAge(const psChild *child, double mono)
{
    return psChildAliveAge(child, mono);
}

double psSupMono(psSup *sup)
{
    return psClockMono(sup->options.clock);
}

void psSupSummary(psSup *sup, psSummary *out)
{
    psStatus status;
    psChild *child;

    *out = (psSummary){.upSec = psSupMono(sup) - sup->startMono};
    out->heartbeat = psSupBeatCount(&sup->beat, &out->loopMaxSec);
    for (; (child = psSupAt(sup, out->children)); out->children++) {
        psFeedNewest(psChildFeed(child), &status);
        out->running += status.running;
        out->notOk += status.health != psHealthOk;
        out->down += status.health == psHealthCrashing || status.health == psHealthDown;
    }
}

void psSupPrintInfo(psSup *sup, FILE *out)
{
    psChild *child;
    psText text = PS_TEXT_INIT;

    psTextPrintf(&text, "pid:%d\n", (int)getpid());
    for (int i = 0; (child = psSupAt(sup, i)); i++)
        psChildInfo(child, true, &text);
    if (!text.failed)
        fputs(text.data, out);
    psTextClear(&text);
}

static void reportChild(psChild *child, FILE *out, int level)
{
    const psChildFacts *facts = psChildGetFacts(child);
    psConsoleStatus console;
    psStatus status;

    psFeedNewest(psChildFeed(child), &status);
    psFeedConsole(psChildFeed(child), &console);
    fprintf(out, "%-20s %-9s pid %-7d restarts %d  %s\n", psChildName(child),
            psStateName(status.state), status.pid, status.restarts, status.stateMsg);
    if (level < 1)
        return;
    fprintf(out, "    command  %s\n    in       %s\n    consoles %s\n    log      %s\n",
            facts->commandLine, facts->dir, facts->consoles, facts->logFile);
    fprintf(out, "    mode %s, hold-off %g s, grace %g s; %d crashes; last exit: %s\n",
            psModeName(status.settings.mode), status.settings.holdoffSec, status.settings.graceSec,
            status.crashes, status.exitMsg[0] ? status.exitMsg : "none");
    if (level < 2)
        return;
    fprintf(out, "    %d users, %d loggers; transition %u; last command %s\n", console.clients,
            console.loggers, (unsigned)status.seq,
            status.cmd.seq ? psVerbName(status.cmd.verb) : "none");
    if (status.cmd.seq)
        fprintf(out, "    of %s: %s\n", status.cmd.by, status.cmd.msg);
}

void psSupReport(psSup *sup, FILE *out, int level)
{
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        reportChild(child, out, level);
}
