/* SPDX-License-Identifier: EPICS */
/*
 * The life of the supervisor: the loop thread, its children, and what those ask of it.
 *
 * Whatever another thread asks for becomes an item of the queue and runs on the loop thread
 * (psSupCommand.c); what it wants to know it reads from the feeds (psSupQuery.c).
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "base/psLog.h"
#include "base/psThread.h"
#include "log/psLogSink.h"
#include "process/psExec.h"
#include "sup/psSupChildren.h"
#include "sup/psSupEnd.h"
#include "sup/psSupStat.h"

extern char **environ;

#define SPARE_DESCRIPTORS 64 /* of our own, beside consoles */
#define OWN_DESCRIPTORS 24   /* of these, what is in use in any case */
#define MIN_CONSOLES 8       /* where the limit leaves none */
#define STAT_WAIT_SEC 1.0    /* for /proc, which answers at once but where the kernel hangs */
#define LOG_WAIT_SEC 1.0     /* for an own log that is still being written */
#define CHILD_DESCRIPTORS 8  /* per child: pty, pidfd, log, listeners */

/* ---- what a child asks of us (loop thread) ---- */

static int consoleLimit(psSup *sup)
{
    int left = sup->descriptorLimit - SPARE_DESCRIPTORS - CHILD_DESCRIPTORS * psSupCount(sup) -
               sup->options.reservedDescriptors;

    return left > MIN_CONSOLES ? left : MIN_CONSOLES;
}

/* At the limit the client that made no progress for the longest makes room. */
static int admit(void *ctx)
{
    psSup *sup = ctx;
    psChild *stalled = NULL; /* the child whose client it is */
    double since = HUGE_VAL;
    int limit = consoleLimit(sup);
    int count = 0;
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++) {
        double at = HUGE_VAL;

        count += psChildConnections(child);
        if (psChildStalled(child, &at) && at < since) {
            since = at;
            stalled = child;
        }
    }
    if (count < limit)
        return 0;
    if (!stalled)
        return limit;
    psChildDropStalled(stalled);
    return 0;
}

static void settled(void *ctx)
{
    psSupEndSettled(ctx);
}

static bool quit(void *ctx, const psChild *asking, const char **outWhyNot)
{
    psSup *sup = ctx;
    psChild *child;

    if (!sup->options.endWithOneShot) {
        *outWhyNot = "this console is part of an IOC and ends with it: ^Q does nothing here";
        return false;
    }
    for (int i = 0; (child = psSupAt(sup, i)); i++) {
        if (child != asking && psChildLockedOut(child)) {
            *outWhyNot = "another child is locked out: ^Q would end its supervision";
            return false;
        }
        if (child != asking && !psChildAtRest(child)) {
            *outWhyNot = "another child is running: stop it first, then ^Q ends the server";
            return false;
        }
    }
    psSupEndStart(sup, "^Q on a console");
    return true;
}

static const psChildOps childOps = {.admit = admit, .settled = settled, .quit = quit};

/* ---- what the program asks of it (loop thread) ---- */

bool psSupExplainDescriptors(int children, int reserved, int limit, char *line, size_t lineSize)
{
    int needed = OWN_DESCRIPTORS + reserved + CHILD_DESCRIPTORS * children;

    if (needed <= limit)
        return false;
    epicsSnprintf(line, lineSize,
                  "%d %s %d descriptors, and the limit is %d: raise LimitNOFILE= or ulimit -n",
                  children, children == 1 ? "child needs" : "children need", needed, limit);
    return true;
}

static void warnOfDescriptors(psSup *sup)
{
    char line[PS_TEXT_BYTES];

    if (sup->warnedDescriptors ||
        !psSupExplainDescriptors(psSupCount(sup), sup->options.reservedDescriptors,
                                 sup->descriptorLimit, line, sizeof(line)))
        return;
    sup->warnedDescriptors = true;
    psLogPrintfAs(sup->options.argv0, "%s", line);
}

static void startAllJob(void *ctx)
{
    psSup *sup = ctx;
    psChild *child;

    warnOfDescriptors(sup);
    for (int i = 0; sup->phase == psPhaseUp && (child = psSupAt(sup, i)); i++)
        psChildStart(child);
}

/* The second one hurries the first. */
static void shutdownJob(void *ctx)
{
    psSup *sup = ctx;
    int asked = atomic_exchange(&sup->shutdownsAsked, 0);

    while (asked-- > 0)
        psSupEndStart(sup, "the program asks for it");
}

static void reopenLogs(psSup *sup)
{
    psChild *child;

    psSupLogReopen(&sup->log);
    for (int i = 0; (child = psSupAt(sup, i)); i++)
        psChildReopenLog(child);
}

static void raised(void *ctx, int signo)
{
    psSup *sup = ctx;

    if (signo == SIGHUP)
        reopenLogs(sup);
    else if (signo == SIGWINCH)
        psSupFitTerminal(sup);
    else if (signo == SIGTERM || signo == SIGINT || signo == SIGQUIT)
        psSupEndStart(sup, psSignalName(signo));
}

static void ownLogIdle(void *ctx)
{
    psSup *sup = ctx;

    psLoopDefer(sup->loop, &sup->settledJob);
}

/* ---- life ---- */

void psSupOptionsDefault(psSupOptions *out)
{
    memset(out, 0, sizeof(*out));
    out->argv0 = "procServ";
    out->statPeriodSec = PS_STAT_PERIOD_SEC;
}

const struct psInherit *psSupSaveInherit(void)
{
    static psInherit saved;

    psInheritSave(&saved);
    return &saved;
}

void psSupSetStandardOutput(int fd)
{
    psLogSinkSetStandardOutput(fd);
}

void psSupWatch(psSup *sup, bool on)
{
    psSupBeatWant(&sup->beat, on);
    if (on && !sup->stat) {
        sup->stat = psSupStatStart(sup, sup->options.statPeriodSec);
        if (!sup->stat)
            psLogPrintf("no memory or thread to read /proc: what the children use is not known");
    }
    if (sup->stat)
        psSupStatWant(sup->stat, on);
}

void psSupWriteLog(psSup *sup, const char *line)
{
    psSupLogLine(&sup->log, line);
}

void psSupCloseDescriptors(int first)
{
    psExecCloseFrom(first, true);
}

static void freeStrings(char **strings)
{
    for (size_t i = 0; strings && strings[i]; i++)
        free(strings[i]);
    free(strings);
}

static char **copyStrings(char *const *from)
{
    size_t count = 0;

    while (from[count])
        count++;
    char **copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(from[i]);
        if (!copy[i]) {
            freeStrings(copy);
            return NULL;
        }
    }
    return copy;
}

static bool init(psSup *sup, const psSupOptions *options)
{
    struct rlimit limit;

    sup->options = *options;
    sup->staggerSec = options->staggerSec;
    if (!sup->options.clock)
        sup->options.clock = psClockSystem();
    sup->terminal.fd = -1;
    psSupEndInit(sup);
    sup->shutdownJob.fn = shutdownJob;
    sup->shutdownJob.ctx = sup;
    sup->startAllJob.fn = startAllJob;
    sup->startAllJob.ctx = sup;
    sup->descriptorLimit = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1000000
                               ? (int)limit.rlim_cur
                               : 1000000;
    sup->envp = copyStrings(options->environ ? options->environ : environ);
    sup->addLock = epicsMutexCreate();
    sup->lock = epicsMutexCreate();
    sup->downEvent = epicsEventCreate(epicsEventEmpty);
    sup->loop = psLoopCreate(sup->options.clock);
    if (sup->loop)
        sup->queue = psQueueCreate(sup->loop, PS_QUEUE_LENGTH);
    sup->setup = (psChildSetup){.loop = sup->loop,
                                .ops = &childOps,
                                .ctx = sup,
                                .inherit = options->inherit,
                                .environ = sup->envp,
                                .argv0 = options->argv0,
                                .banner = options->banner};
    if (!sup->envp || !sup->addLock || !sup->lock || !sup->downEvent || !sup->loop || !sup->queue)
        return false;
    if (psSupLogOpen(&sup->log, sup->loop, options->ownLog, options->argv0, ownLogIdle, sup))
        return false;
    if (psSupBeatInit(&sup->beat, sup->loop))
        return false;
    sup->startMono = psClockMono(sup->options.clock);
    psLoopOnRaise(sup->loop, raised, sup);
    return true;
}

psSup *psSupCreate(const psSupOptions *options)
{
    psSup *sup = calloc(1, sizeof(*sup));

    if (sup && init(sup, options))
        return sup;
    psLogPrintf("the supervisor cannot be created: out of memory or file descriptors");
    psSupFree(sup);
    return NULL;
}

/* With addLock held: between the check of the name and the entry nobody else adds it. */
static int addChild(psSup *sup, const psConfig *cfg, char *msg, size_t msgSize)
{
    const char *name = psConfigName(cfg);
    int status;

    if (psSupFind(sup, name)) {
        epicsSnprintf(msg, msgSize, "a child named \"%s\" already exists", name);
        return -EEXIST;
    }
    if (psSupCount(sup) >= PS_CHILDREN) {
        epicsSnprintf(msg, msgSize, "%s: more than %d children", name, PS_CHILDREN);
        return -ENOSPC;
    }
    psChild *child = psChildCreate(&sup->setup, cfg, &status, msg, msgSize);
    if (!child)
        return status;
    psSupChildrenAdd(sup, child);
    return 0;
}

int psSupAddChild(psSup *sup, const psConfig *cfg, char *msg, size_t msgSize)
{
    if (psConfigCheck(cfg, msg, msgSize))
        return -EINVAL;
    epicsMutexMustLock(sup->addLock);
    int status = addChild(sup, cfg, msg, msgSize);
    epicsMutexUnlock(sup->addLock);
    return status;
}

static void loopThread(void *arg)
{
    psSup *sup = arg;

    psInheritSchedule(sup->options.inherit);
    psLoopRun(sup->loop);
    epicsEventMustTrigger(sup->downEvent);
}

void psSupStartAll(psSup *sup)
{
    psLoopPost(sup->loop, &sup->startAllJob); /* needs neither memory nor room in the queue */
}

int psSupStart(psSup *sup)
{
    psSupStartAll(sup);
    sup->thread =
        psThreadCreate("psLoop", epicsThreadPriorityHigh, epicsThreadStackMedium, loopThread, sup);
    if (!sup->thread)
        return -EAGAIN;
    sup->started = true;
    return 0;
}

int psSupWait(psSup *sup, double timeoutSec)
{
    epicsEventStatus status;

    if (!sup->started)
        return 0;
    if (timeoutSec < 0)
        status = epicsEventWait(sup->downEvent);
    else
        status = epicsEventWaitWithTimeout(sup->downEvent, timeoutSec);
    if (status != epicsEventOK)
        return -ETIMEDOUT;
    epicsEventMustTrigger(sup->downEvent); /* for the next caller */
    return sup->exitCode;
}

/* The thread of an abandoned start may come back to its child and to the loop. */
static bool startHangs(psSup *sup)
{
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        if (psChildHangs(child))
            return true;
    return false;
}

void psSupFree(psSup *sup)
{
    if (!sup)
        return;
    if (sup->started)
        epicsThreadMustJoin(sup->thread);
    psTerminalRestore(&sup->terminal);
    if (sup->queue)
        psQueueClose(sup->queue);
    if (!psSupStatStop(sup->stat, STAT_WAIT_SEC) || (sup->lock && startHangs(sup)))
        return;
    for (int i = 0; i < sup->childCount; i++)
        psChildFree(sup->children[i]);
    psSupLogClear(&sup->log, LOG_WAIT_SEC);
    psSupBeatClear(&sup->beat);
    psQueueFree(sup->queue);
    psLoopFree(sup->loop);
    if (sup->downEvent)
        epicsEventDestroy(sup->downEvent);
    if (sup->lock)
        epicsMutexDestroy(sup->lock);
    if (sup->addLock)
        epicsMutexDestroy(sup->addLock);
    freeStrings(sup->envp);
    free(sup);
}
