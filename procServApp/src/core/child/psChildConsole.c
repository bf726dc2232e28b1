/* SPDX-License-Identifier: EPICS */
#include <limits.h>
#include <math.h>
#include <string.h>

#include <epicsStdio.h>

#include "child/psChildConsole.h"

#include "console/psTail.h"

#define PERIOD_SEC 1.0
#define MONITORED_PERIOD_SEC 0.2
#define RATE_SEC 1.0 /* what the rate is measured over, at least */

/* ---- what is published ---- */

/* Cut to @p size, if need be. */
static void copyText(const psText *from, char *out, size_t size)
{
    epicsSnprintf(out, size, "%s", from->len > 0 ? from->data : "");
}

/* Only once there are new lines: the ring may have lost those that are shown, in whole or in part,
 * to output that never ends a line.  @return false without memory */
static bool fillLines(psChild *child, psConsoleStatus *status)
{
    const psConsoleOutput *output = &child->console.output;
    psText all = PS_TEXT_INIT, last = PS_TEXT_INIT;

    if (output->linesEnd == child->consoleLinesEnd || output->linesEnd <= output->plain.ring.tail)
        return true;
    psConsoleTail(&child->console, UINT_MAX, sizeof(status->tail) - 1, &all);
    psConsoleTail(&child->console, 1, sizeof(status->lastLine) - 1, &last);
    bool good = !all.failed && !last.failed;
    if (good) {
        if (all.len > 0)
            memcpy(status->tail, all.data, all.len);
        status->tailBytes = all.len;
        copyText(&last, status->lastLine, sizeof(status->lastLine));
        child->consoleLinesEnd = output->linesEnd;
    }
    psTextClear(&all);
    psTextClear(&last);
    return good;
}

/* @return false without memory */
static bool fillTexts(psChild *child, psConsoleStatus *status)
{
    psText text = PS_TEXT_INIT;

    psClientsPrint(&child->console.clients, &text);
    bool good = !text.failed;
    copyText(&text, status->clientList, sizeof(status->clientList));
    psTextClear(&text);
    status->exitTailBytes = child->exitTail.len;
    if (child->exitTail.len > 0)
        memcpy(status->exitTail, child->exitTail.data, child->exitTail.len);
    return good && fillLines(child, status);
}

static void fillCounts(const psChild *child, psConsoleStatus *status)
{
    const psConsole *console = &child->console;
    psLogStats log;

    status->clients = console->clients.users;
    status->loggers = console->clients.loggers;
    status->lostBytes = psClientsLost(&console->clients);
    status->refused = 0;
    for (int i = 0; i < console->listenerCount; i++)
        status->refused += console->listeners[i].refused;
    psConsoleLogStats(&console->log, &log);
    status->logBytes = log.sizeBytes;
    status->logLostBytes = log.lostBytes;
    status->logError = log.error;
    status->lines = console->output.readLines;
    status->byteRate = child->rate;
}

static void measureRate(psChild *child)
{
    double now = psLoopNow(child->loop);
    uint64_t bytes = child->console.output.readBytes;

    if (child->rateIdle || now - child->rateMono < RATE_SEC)
        return;
    child->rate = (double)(bytes - child->rateBytes) / (now - child->rateMono);
    child->rateIdle = bytes == child->rateBytes;
    child->rateBytes = bytes;
    child->rateMono = now;
}

/* ---- when ---- */

static void publish(void *ctx);

static void scheduleAt(psChild *child, double due)
{
    if (!child->consoleTimer.loop || child->consoleTimer.deadline > due)
        psLoopArm(child->loop, &child->consoleTimer, due, publish, child);
}

static void schedule(psChild *child)
{
    bool monitored = psLoopNow(child->loop) - child->monitoredMono < PS_MONITORED_SEC;
    double period = monitored ? MONITORED_PERIOD_SEC : PERIOD_SEC;

    child->consoleNews = true;
    scheduleAt(child, fmax(child->consoleMono + period, psLoopNow(child->loop)));
}

static void publish(void *ctx)
{
    psChild *child = ctx;
    psConsoleStatus status;

    child->consoleMono = psLoopNow(child->loop);
    child->consoleNews = false;
    measureRate(child);
    if (!child->rateIdle && psFeedWanted(child->feed, psTopicConsole))
        scheduleAt(child, child->rateMono + RATE_SEC); /* once more when it is silent */
    psFeedConsole(child->feed, &status); /* what is shown now, of which some may stay */
    if (!fillTexts(child, &status))
        return; /* what was published before stays, for the time being */
    fillCounts(child, &status);
    psClockWall(psLoopClock(child->loop), &status.time);
    psFeedPublishConsole(child->feed, &status);
}

static void wanted(void *ctx)
{
    schedule(ctx);
}

static void hasten(void *ctx)
{
    psChild *child = ctx;

    if (child->consoleNews)
        schedule(child);
}

void psChildConsoleInit(psChild *child)
{
    child->consoleJob.fn = wanted;
    child->consoleJob.ctx = child;
    child->monitoredJob.fn = hasten;
    child->monitoredJob.ctx = child;
    child->monitoredMono = -HUGE_VAL;
    child->consoleMono = -PERIOD_SEC;
    child->rateIdle = true;
}

void psChildConsoleClear(psChild *child)
{
    psLoopCancel(child->loop, &child->consoleJob);
    psLoopCancel(child->loop, &child->monitoredJob);
    psLoopDisarm(&child->consoleTimer);
    psTextClear(&child->exitTail);
}

void psChildConsolePrinted(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (child->consoleNews || !psFeedWanted(child->feed, psTopicConsole))
        return;
    if (child->rateIdle) {
        child->rateIdle = false;
        child->rateMono = psLoopNow(child->loop);
    }
    schedule(child);
}

void psChildConsoleEnded(psChild *child)
{
    const psConsoleOutput *output = &child->console.output;
    psTailRequest request = {
        .from = output->spawnFrom,
        .to = output->plain.ring.head,
        .lines = UINT_MAX,
        .bytes = PS_EXIT_TAIL_BYTES - 1,
    };

    psLoopAssertInside(child->loop);
    psTextReset(&child->exitTail);
    psTailRead(&output->plain.ring, &request, &child->exitTail);
    if (child->exitTail.failed)
        psTextReset(&child->exitTail);
}

void psChildConsoleCounted(psChild *child)
{
    psLoopAssertInside(child->loop);
    schedule(child);
}

double psChildOutputMono(const psChild *child)
{
    return child->console.output.readMono;
}

void psChildConsoleWanted(psChild *child)
{
    psLoopPost(child->loop, &child->consoleJob);
}

void psChildConsoleMonitored(psChild *child)
{
    double now = psChildNow(child);

    if (now - atomic_exchange(&child->monitoredMono, now) >= PS_MONITORED_SEC)
        psLoopPost(child->loop, &child->monitoredJob);
}
