/* SPDX-License-Identifier: EPICS */
#include <limits.h>
#include <math.h>
#include <string.h>

#include <epicsStdio.h>

#include "child/psChildConsole.h"

#define PERIOD_SEC 1.0
#define MONITORED_PERIOD_SEC 0.2

/* ---- what is published ---- */

/* Without memory what was published before stays, for the time being. */
static bool fillTexts(const psChild *child, psConsoleStatus *status)
{
    psText text = PS_TEXT_INIT;

    psConsoleTail(&child->console, UINT_MAX, sizeof(status->tail), &text);
    bool failed = text.failed;
    if (!failed && text.len > 0)
        memcpy(status->tail, text.data, text.len);
    status->tailBytes = text.len;
    psTextReset(&text);
    psConsoleTail(&child->console, 1, sizeof(status->lastLine) - 1, &text);
    failed |= text.failed;
    epicsSnprintf(status->lastLine, sizeof(status->lastLine), "%s", text.len > 0 ? text.data : "");
    psTextClear(&text);
    return !failed;
}

static void publish(void *ctx)
{
    psChild *child = ctx;
    const psClients *clients = &child->console.clients;
    psConsoleStatus status;

    child->consoleMono = psLoopNow(child->loop);
    if (!fillTexts(child, &status))
        return;
    psClockWall(psLoopClock(child->loop), &status.time);
    status.clients = clients->users;
    status.loggers = clients->loggers;
    psFeedPublishConsole(child->feed, &status);
}

/* ---- when ---- */

static void schedule(psChild *child)
{
    double period = child->consoleMonitored ? MONITORED_PERIOD_SEC : PERIOD_SEC;
    double due = fmax(child->consoleMono + period, psLoopNow(child->loop));

    if (!child->consoleTimer.loop || child->consoleTimer.deadline > due)
        psLoopArm(child->loop, &child->consoleTimer, due, publish, child);
}

static void wanted(void *ctx)
{
    schedule(ctx);
}

void psChildConsoleInit(psChild *child)
{
    child->consoleJob.fn = wanted;
    child->consoleJob.ctx = child;
    child->consoleMono = -PERIOD_SEC;
}

void psChildConsoleClear(psChild *child)
{
    psLoopCancel(child->loop, &child->consoleJob);
    psLoopDisarm(&child->consoleTimer);
}

void psChildConsolePrinted(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (!child->consoleTimer.loop && psFeedWanted(child->feed, psTopicConsole))
        schedule(child);
}

void psChildConsoleCounted(psChild *child)
{
    psLoopAssertInside(child->loop);
    schedule(child);
}

void psChildConsoleWanted(psChild *child)
{
    psLoopPost(child->loop, &child->consoleJob);
}

void psChildConsoleMonitor(psChild *child, bool monitored)
{
    if (atomic_exchange(&child->consoleMonitored, monitored) != monitored && monitored)
        psLoopPost(child->loop, &child->consoleJob);
}
