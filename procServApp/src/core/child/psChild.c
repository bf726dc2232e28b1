/* SPDX-License-Identifier: EPICS */
/*
 * The life of a child as an object, and what the supervisor may ask of it.  Its parts are listed
 * in psChildPvt.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "child/psChildCommand.h"
#include "child/psChildHook.h"
#include "child/psChildConsole.h"
#include "child/psChildKeys.h"
#include "child/psChildNotify.h"
#include "child/psChildPty.h"
#include "child/psChildReady.h"
#include "child/psChildStatus.h"
#include "child/psChildStep.h"
#include "child/psChildText.h"
#include "child/psChildTyped.h"
#include "child/psChildWatch.h"

#define LOG_WAIT_SEC 1.0 /* for a log still being written when the child is freed */

/* ---- what its parts report ---- */

static void goalEnded(void *ctx, const psGoal *goal, psCmdState how, const char *msg)
{
    psChildStatusCommandEnded(ctx, goal->seq, how, msg);
}

static void happened(psChild *child, const psInputEvent *event, const char *why)
{
    psOutput out;

    psChildStep(child, event, &out, why);
}

static void readyChanged(void *ctx)
{
    psChildStepReady(ctx);
}

static void banner(void *ctx, psText *out, bool readOnly)
{
    psChildTextBanner(ctx, out, readOnly);
}

static size_t room(void *ctx, psClient *client)
{
    return psChildTypedRoom(ctx, client);
}

static void ptyResume(void *ctx)
{
    psChildPtyWatch(ctx, true);
}

static int admit(void *ctx)
{
    psChild *child = ctx;

    return child->ops->admit(child->ctx);
}

static void counted(void *ctx)
{
    psChild *child = ctx;

    psChildConsoleCounted(child);
    if (child->machine.ending)
        child->ops->settled(child->ctx);
}

static void printed(void *ctx)
{
    psChildConsolePrinted(ctx);
}

static void logNews(void *ctx)
{
    psChildStepPublish(ctx); /* StateMsg mentions it */
}

static void consoleEnded(void *ctx)
{
    psChild *child = ctx;

    child->ops->settled(child->ctx);
}

static const psConsoleOps consoleOps = {
    .room = room,
    .typed = psChildKeysTyped,
    .size = psChildKeysSized,
    .banner = banner,
    .admit = admit,
    .counted = counted,
    .printed = printed,
    .logNews = logNews,
    .resume = ptyResume,
    .rotated = psChildCommandRotated,
    .ended = consoleEnded,
};

/* ---- life ---- */

static bool prepare(psChild *child, const psConfig *cfg)
{
    char started[128];
    epicsTimeStamp wall;

    child->cfg = psConfigCopy(cfg);
    if (!child->cfg)
        return false;
    child->name = psConfigName(child->cfg);
    child->serverDir = getcwd(NULL, 0);
    psClockWall(psLoopClock(child->loop), &wall);
    psClockFormat(&wall, cfg->timeFormat, started, sizeof(started));
    child->serverStarted = strdup(started);
    psMachineInit(&child->machine, &cfg->settings, cfg->killSignal, cfg->stopInputLen > 0,
                  psChildNow(child));
    psGoalsInit(&child->goals, &child->readiness, goalEnded, child);
    psChildWatchInit(child);
    psChildStatusInit(child);
    psChildConsoleInit(child);
    child->feed = psFeedCreate(&child->status);
    return child->feed && child->serverStarted && !psChildReadyInit(child) &&
           !psConsoleInit(&child->console, child->loop, child->cfg, &consoleOps, child);
}

static void collectFacts(psChild *child)
{
    const psConfig *cfg = child->cfg;

    child->commandLine = psConfigCommandLine(cfg);
    psConsoleInfo(&child->console, false, &child->consoles);
    child->facts.name = child->name;
    child->facts.commandLine = child->commandLine ? child->commandLine : "";
    child->facts.dir = cfg->dir ? cfg->dir : child->serverDir ? child->serverDir : "";
    child->facts.consoles = child->consoles.data ? child->consoles.data + 1 : ""; /* no ';' */
    child->facts.logFile = cfg->logFile ? cfg->logFile : "";
    child->facts.readyPv = cfg->readyRule == psReadyPv ? cfg->readyWhat : "";
    child->facts.watchPv = cfg->watchPv ? cfg->watchPv : "";
}

/* What every start needs, once the endpoints are open, which PROCSERV_INFO names: so that a start
 * allocates nothing but its thread. */
static int prepareStarts(psChild *child, const psChildSetup *setup)
{
    psText info = PS_TEXT_INIT;

    psTextPrintf(&info, "PID=%d", (int)getpid());
    psConsoleInfo(&child->console, false, &info);
    int status = info.failed
                     ? -ENOMEM
                     : psChildLaunchInit(&child->launch, child->cfg, setup->environ, info.data,
                                         child->notify.fd >= 0 ? child->notify.name : NULL);
    psTextClear(&info);
    if (status)
        return status;
    child->request = (psSpawnRequest){
        .file = child->launch.file,
        .argv = child->launch.argv,
        .envp = child->launch.envp,
        .dir = child->cfg->dir,
        .coreSizeBytes = child->cfg->coreSizeBytes,
        .inherit = setup->inherit,
    };
    child->spawn = psSpawnCreate(child->loop, &child->request);
    return child->spawn ? psChildHookInit(child, setup->inherit) : -ENOMEM;
}

psChild *psChildCreate(const psChildSetup *setup, const psConfig *cfg, int *outStatus, char *msg,
                       size_t msgSize)
{
    static const psPty closed = PS_PTY_INIT;
    static const psReap idle = PS_REAP_INIT;
    static const psNotify silent = PS_NOTIFY_INIT;
    psChild *child = calloc(1, sizeof(*child));
    int status = -ENOMEM;

    epicsSnprintf(msg, msgSize, "%s: out of memory", psConfigName(cfg));
    if (child) {
        child->ops = setup->ops;
        child->ctx = setup->ctx;
        child->loop = setup->loop;
        child->argv0 = setup->argv0;
        child->banner = setup->banner;
        child->happened = happened;
        child->readyJob = (psJob){.fn = readyChanged, .ctx = child};
        child->pty = closed;
        child->reap = idle;
        child->notify = silent;
        if (prepare(child, cfg))
            status = psConsoleOpen(&child->console, child->argv0, msg, msgSize);
        if (status == 0)
            status = psChildNotifyInit(child, msg, msgSize);
        if (status == 0)
            status = prepareStarts(child, setup);
    }
    if (status) {
        psChildFree(child);
        *outStatus = status;
        return NULL;
    }
    collectFacts(child);
    return child;
}

void psChildFree(psChild *child)
{
    if (!child)
        return;
    psChildStepClear(child);
    psLoopDisarm(&child->sessionTimer);
    psChildTypedClear(child);
    psChildConsoleClear(child);
    psChildReadyClear(child);
    psChildNotifyClear(child);
    psLoopCancel(child->loop, &child->failedJob);
    psChildHookFree(child);
    psSpawnFree(child->spawn); /* waits for a start that hangs: everything else was awaited */
    psChildLaunchClear(&child->launch);
    psConsoleClear(&child->console, LOG_WAIT_SEC);
    psChildPtyClose(child);
    free(child->serverDir);
    free(child->serverStarted);
    free(child->pvs);
    free(child->prefix);
    free(child->commandLine);
    psTextClear(&child->consoles);
    psFeedFree(child->feed);
    psConfigFree(child->cfg);
    free(child);
}

void psChildStart(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (child->begun)
        return;
    child->begun = true;
    psConsoleStart(&child->console);
    if (child->machine.incarnation == 0 && !child->machine.ending) /* else a command came before */
        psChildStepBoot(child);
}

void psChildShutdown(psChild *child)
{
    psInputEvent event = {.event = psEventShutdown};
    psOutput out;

    psLoopAssertInside(child->loop);
    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psChildHookEnd(child);
    psChildStep(child, &event, &out, NULL);
}

bool psChildDown(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return child->machine.ending && child->machine.state == psStateStopped;
}

void psChildClose(psChild *child)
{
    psLoopAssertInside(child->loop);
    psChildStepClear(child);
    psConsoleEnd(&child->console);
}

bool psChildClosed(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return psConsoleIdle(&child->console) && !psChildHookBusy(child);
}

void psChildGiveUp(psChild *child)
{
    psLoopAssertInside(child->loop);
    psChildHookGiveUp(child);
    psConsoleGiveUp(&child->console);
}

int psChildExitCode(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return child->exitCode;
}

bool psChildHangs(const psChild *child)
{
    return psSpawnBusy(child->spawn);
}

/* ---- what the supervisor may ask ---- */

bool psChildEnding(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return child->machine.ending;
}

bool psChildLockedOut(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return child->status.lockout.on;
}

bool psChildAtRest(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return psMachineAtRest(&child->machine);
}

bool psChildFinished(const psChild *child)
{
    psLoopAssertInside(child->loop);
    return child->finished;
}

void psChildNotice(psChild *child, const char *text)
{
    psLoopAssertInside(child->loop);
    psChildTextNotice(child, "%s", text);
}

static void replaceText(psChild *child, char **target, const char *text)
{
    char *copy = strdup(text);

    psLoopAssertInside(child->loop);
    if (!copy)
        return;
    free(*target);
    *target = copy;
}

void psChildSetPvs(psChild *child, const char *text)
{
    replaceText(child, &child->pvs, text);
}

void psChildSetPrefix(psChild *child, const char *prefix)
{
    replaceText(child, &child->prefix, prefix);
}

int psChildAddTerminal(psChild *child, int fd)
{
    psLoopAssertInside(child->loop);
    return psConsoleAddClient(&child->console, fd, psClientTerminal, false, "terminal") ? 0
                                                                                        : -ENOMEM;
}

void psChildSizeTerminal(psChild *child, unsigned cols, unsigned rows)
{
    psLoopAssertInside(child->loop);
    for (ELLNODE *node = ellFirst(&child->console.clients.list); node; node = ellNext(node)) {
        psClient *client = CONTAINER(node, psClient, node);

        if (client->kind == psClientTerminal)
            psClientSetSize(client, cols, rows);
    }
}

void psChildReopenLog(psChild *child)
{
    psLoopAssertInside(child->loop);
    psConsoleRotateLog(&child->console, 0); /* not every child has one */
}

int psChildConnections(const psChild *child)
{
    const psClients *clients = &child->console.clients;

    psLoopAssertInside(child->loop);
    return psClientsCount(clients) - clients->terminals;
}

bool psChildStalled(psChild *child, double *outSince)
{
    psLoopAssertInside(child->loop);
    return psClientsMostStalled(&child->console.clients, outSince) != NULL;
}

void psChildDropStalled(psChild *child)
{
    double since;

    psLoopAssertInside(child->loop);
    psClient *client = psClientsMostStalled(&child->console.clients, &since);
    if (client)
        psClientClose(client, false);
}

const char *psChildName(const psChild *child)
{
    return child->name;
}

const psChildFacts *psChildGetFacts(const psChild *child)
{
    return &child->facts;
}

void psChildInfo(const psChild *child, bool asFile, psText *out)
{
    psConsoleInfo(&child->console, asFile, out);
}

psLogFile *psChildLog(const psChild *child)
{
    return child->console.log.file;
}

psFeed *psChildFeed(psChild *child)
{
    return child->feed;
}

void psChildReadyPvIs(psChild *child, psReadyPvState state)
{
    psChildReadyPv(child, state);
}

unsigned psChildPvUpdated(psChild *child)
{
    return psChildWatchPv(child);
}

double psChildAliveAge(const psChild *child, double mono)
{
    return psWatchdogAge(&child->watchdog, mono);
}
