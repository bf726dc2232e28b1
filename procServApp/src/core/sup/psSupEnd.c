/* SPDX-License-Identifier: EPICS */
#include <epicsStdio.h>

#include "sup/psSupAll.h"
#include "sup/psSupChildren.h"
#include "sup/psSupEnd.h"

#define FLUSH_SEC 2.0 /* for consoles and logs */

/* ---- the last phase ---- */

static void conclude(psSup *sup)
{
    psLoopDisarm(&sup->flushTimer);
    psTerminalRestore(&sup->terminal);
    sup->phase = psPhaseDown;
    psQueueClose(sup->queue);
    if (sup->options.ended)
        sup->options.ended(sup->options.ctx, sup->exitCode);
    psLoopStop(sup->loop);
}

static void flushDue(void *ctx)
{
    psSup *sup = ctx;
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        psChildGiveUp(child);
    conclude(sup);
}

static void beginFlush(psSup *sup)
{
    psChild *child = psSupAt(sup, 0);
    char line[80];

    sup->phase = psPhaseFlush;
    sup->exitCode = child ? psChildExitCode(child) : 0;
    epicsSnprintf(line, sizeof(line), "all children are down; exit code %d", sup->exitCode);
    psSupLogLine(&sup->log, line);
    psSupLogFlush(&sup->log);
    for (int i = 0; (child = psSupAt(sup, i)); i++)
        psChildClose(child);
    psLoopArm(sup->loop, &sup->flushTimer, psLoopNow(sup->loop) + FLUSH_SEC, flushDue, sup);
}

void psSupEndJoin(psSup *sup, psChild *child)
{
    psLoopAssertInside(sup->loop);
    if (sup->phase != psPhaseUp && !psChildEnding(child))
        psChildShutdown(child);
}

/* ---- what leads to what ---- */

static bool all(psSup *sup, bool (*is)(const psChild *child))
{
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        if (!is(child))
            return false;
    return true;
}

static void settled(void *ctx)
{
    psSup *sup = ctx;
    psChild *child;

    if (sup->phase == psPhaseUp && sup->options.endWithOneShot && psSupCount(sup) > 0 &&
        all(sup, psChildFinished))
        psSupEndStart(sup, "all children were oneshot, and are done");
    if (sup->phase == psPhaseChildren) {
        for (int i = 0; (child = psSupAt(sup, i)); i++)
            psSupEndJoin(sup, child);
        if (all(sup, psChildDown))
            beginFlush(sup);
    }
    if (sup->phase == psPhaseFlush && all(sup, psChildClosed) && psSupLogIdle(&sup->log))
        conclude(sup);
}

void psSupEndInit(psSup *sup)
{
    sup->settledJob.fn = settled;
    sup->settledJob.ctx = sup;
}

/* Deferred: the child is still in the middle of its step. */
void psSupEndSettled(psSup *sup)
{
    if (sup->phase != psPhaseUp || sup->options.endWithOneShot)
        psLoopDefer(sup->loop, &sup->settledJob);
}

void psSupEndStart(psSup *sup, const char *why)
{
    psChild *child;
    char line[PS_TEXT_BYTES];

    psLoopAssertInside(sup->loop);
    if (sup->phase == psPhaseFlush || sup->phase == psPhaseDown)
        return;
    epicsSnprintf(line, sizeof(line), "%s: %s", sup->phase == psPhaseUp ? "ending" : "hurrying",
                  why);
    psSupLogLine(&sup->log, line);
    if (sup->phase == psPhaseUp && sup->options.ending)
        sup->options.ending(sup->options.ctx);
    sup->phase = psPhaseChildren;
    psSupAllEnd(sup, "shutting down");
    for (int i = 0; (child = psSupAt(sup, i)); i++)
        psChildShutdown(child);
    psLoopDefer(sup->loop, &sup->settledJob);
}
