/* SPDX-License-Identifier: EPICS */
/*
 * What callers of other threads may know: copies of published values, and facts that are fixed
 * once a child exists.
 */
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "sup/psSupChildren.h"
#include "sup/psSupStat.h"

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

void psSupResources(psChild *child, psResources *out)
{
    psFeedResources(psChildFeed(child), out);
}

void psSupSubscribe(psChild *child, psTopic topic, void (*fn)(void *ctx), void *ctx)
{
    psFeedSubscribe(psChildFeed(child), topic, fn, ctx);
    if (fn && topic == psTopicConsole)
        psChildConsoleWanted(child);
}

double psSupOutputMono(const psChild *child)
{
    return psChildOutputMono(child);
}

void psSupConsoleMonitored(psChild *child)
{
    psChildConsoleMonitored(child);
}

const psChildFacts *psSupFacts(const psChild *child)
{
    return psChildGetFacts(child);
}

void psSupReadyPv(psChild *child, psReadyPvState state)
{
    psChildReadyPvIs(child, state);
}

unsigned psSupPvUpdated(psChild *child)
{
    return psChildPvUpdated(child);
}

double psSupAliveAge(const psChild *child, double mono)
{
    return psChildAliveAge(child, mono);
}

double psSupMono(psSup *sup)
{
    return psClockMono(sup->options.clock);
}

static bool isMajor(psHealth health)
{
    return health == psHealthCrashing || health == psHealthDown || health == psHealthHung;
}

void psSupSummary(psSup *sup, psSummary *out)
{
    psStatus status;
    psChild *child;

    *out = (psSummary){.upSec = psSupMono(sup) - sup->startMono};
    if (sup->stat)
        psSupStatGet(sup->stat, &out->self, &out->logSpace);
    out->heartbeat = psSupBeatCount(&sup->beat, &out->loopMaxSec);
    for (; (child = psSupAt(sup, out->children)); out->children++) {
        psFeedNewest(psChildFeed(child), &status);
        out->running += status.running;
        out->notOk += status.health != psHealthOk;
        out->major += isMajor(status.health);
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
