/* SPDX-License-Identifier: EPICS */
/*
 * The supervisor: the loop thread, the children, and the way in from other threads.
 *
 * Everything a caller asks for becomes an item of the queue and runs on the loop thread; what
 * he wants to know he reads from the feeds.  The end comes in three steps, all of the loop's:
 * every child goes through its stages; consoles get what was printed and logs are written; the
 * caller is told (`ended`) and the loop stops.
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
#include "sup/psSupPvt.h"

extern char **environ;

#define FLUSH_SEC 2.0        /* for consoles and logs at the end */
#define SPARE_DESCRIPTORS 64 /* of our own, beside consoles */
#define MIN_CONSOLES 8       /* where the limit leaves none */
#define CHILD_DESCRIPTORS 8  /* per child: pty, pidfd, log, listeners */

/* ---- names ---- */

psChild *psSupFind(psSup *sup, const char *name)
{
    psChild *found = NULL;

    epicsMutexMustLock(sup->lock);
    for (ELLNODE *node = ellFirst(&sup->children); node && !found; node = ellNext(node)) {
        psChild *child = CONTAINER(node, psChild, node);

        if (strcmp(child->name, name) == 0)
            found = child;
    }
    epicsMutexUnlock(sup->lock);
    return found;
}

psChild *psSupFirst(psSup *sup)
{
    epicsMutexMustLock(sup->lock);
    ELLNODE *node = ellFirst(&sup->children);
    epicsMutexUnlock(sup->lock);
    return node ? CONTAINER(node, psChild, node) : NULL;
}

psChild *psSupNext(psSup *sup, psChild *child)
{
    ELLNODE *node;

    epicsMutexMustLock(sup->lock);
    node = ellNext(&child->node);
    epicsMutexUnlock(sup->lock);
    return node ? CONTAINER(node, psChild, node) : NULL;
}

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
    psClient *stalled = NULL;
    double since = HUGE_VAL;
    int limit = consoleLimit(sup);
    int count = 0;

    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child)) {
        double at = HUGE_VAL;
        psClient *client = psConsoleMostStalled(&child->console, &at);

        count += child->console.users + child->console.loggers - child->console.terminals;
        if (client && at < since) {
            since = at;
            stalled = client;
        }
    }
    if (count < limit)
        return 0;
    if (!stalled)
        return limit;
    psClientClose(stalled, false);
    return 0;
}

static bool allFinished(psSup *sup)
{
    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
        if (!child->finished)
            return false;
    return true;
}

static void settled(void *ctx)
{
    psSup *sup = ctx;

    /* Deferred: the child is still in the middle of its step. */
    if (sup->phase != psPhaseUp || sup->options.endWithOneShot)
        psLoopDefer(sup->loop, &sup->flushJob);
}

static bool quit(void *ctx, const char **outWhyNot)
{
    psSup *sup = ctx;

    if (!sup->options.endWithOneShot) {
        *outWhyNot = "this console is part of an IOC and ends with it: ^Q does nothing here";
        return false;
    }
    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child)) {
        if (!psMachineAtRest(&child->machine)) {
            *outWhyNot = "another child is running: stop it first, then ^Q ends the server";
            return false;
        }
    }
    psSupBeginEnd(sup);
    return true;
}

static const psChildOps childOps = {.admit = admit, .settled = settled, .quit = quit};

/* ---- the end (loop thread) ---- */

static void finish(psSup *sup)
{
    psChild *child = psSupFirst(sup);

    psLoopDisarm(&sup->flushTimer);
    psTerminalRestore(&sup->terminal);
    sup->phase = psPhaseDown;
    sup->exitCode = child ? child->exitCode : 0;
    psQueueClose(sup->queue);
    if (sup->options.ended)
        sup->options.ended(sup->options.ctx, sup->exitCode);
    psLoopStop(sup->loop);
}

static void flushDue(void *ctx)
{
    psSup *sup = ctx;

    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
        psConsoleGiveUp(&child->console);
    finish(sup);
}

static void beginFlush(psSup *sup)
{
    sup->phase = psPhaseFlush;
    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
        psChildEnd(child);
    psLoopArm(sup->loop, &sup->flushTimer, psLoopNow(sup->loop) + FLUSH_SEC, flushDue, sup);
}

void psSupEndLate(psSup *sup, psChild *child)
{
    if (sup->phase != psPhaseUp && !child->machine.ending)
        psChildShutdown(child);
}

/* Runs whenever something may have come to rest. */
static void flushJob(void *ctx)
{
    psSup *sup = ctx;
    bool done = true;

    if (sup->phase == psPhaseUp && sup->options.endWithOneShot && psSupFirst(sup) &&
        allFinished(sup))
        psSupBeginEnd(sup);
    if (sup->phase == psPhaseChildren) {
        for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child)) {
            psSupEndLate(sup, child);
            done = done && psChildDown(child);
        }
        if (done)
            beginFlush(sup);
    }
    if (sup->phase == psPhaseFlush) {
        for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
            done = done && psConsoleIdle(&child->console);
        if (done)
            finish(sup);
    }
}

void psSupBeginEnd(psSup *sup)
{
    if (sup->phase > psPhaseChildren)
        return;
    sup->phase = psPhaseChildren;
    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
        psChildShutdown(child);
    psLoopDefer(sup->loop, &sup->flushJob);
}

/* The second one hurries the first. */
static void shutdownJob(void *ctx)
{
    psSup *sup = ctx;
    int asked = atomic_exchange(&sup->shutdownsAsked, 0);

    while (asked-- > 0)
        psSupBeginEnd(sup);
}

/* ---- signals of the program (loop thread) ---- */

static void reopenLogs(psSup *sup)
{
    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
        psConsoleRotateLog(&child->console, 0); /* not every child has a log */
}

static void raised(void *ctx, int signo)
{
    psSup *sup = ctx;

    if (signo == SIGHUP)
        reopenLogs(sup);
    else if (signo == SIGTERM || signo == SIGINT || signo == SIGQUIT)
        psSupBeginEnd(sup);
}

/* ---- life ---- */

void psSupOptionsDefault(psSupOptions *out)
{
    memset(out, 0, sizeof(*out));
    out->argv0 = "procServ";
}

const struct psInherit *psSupSaveInherit(void)
{
    static psInherit saved;

    psInheritSave(&saved);
    return &saved;
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
    if (!sup->options.clock)
        sup->options.clock = psClockSystem();
    ellInit(&sup->children);
    sup->terminal.fd = -1;
    sup->flushJob.fn = flushJob;
    sup->flushJob.ctx = sup;
    sup->shutdownJob.fn = shutdownJob;
    sup->shutdownJob.ctx = sup;
    sup->descriptorLimit = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1000000
                               ? (int)limit.rlim_cur
                               : 1000000;
    sup->envp = copyStrings(options->environ ? options->environ : environ);
    sup->lock = epicsMutexCreate();
    sup->downEvent = epicsEventCreate(epicsEventEmpty);
    sup->loop = psLoopCreate(sup->options.clock);
    if (sup->loop)
        sup->queue = psQueueCreate(sup->loop, PS_QUEUE_LENGTH);
    if (!sup->envp || !sup->lock || !sup->downEvent || !sup->loop || !sup->queue)
        return false;
    psLoopOnRaise(sup->loop, raised, sup);
    return true;
}

psSup *psSupCreate(const psSupOptions *options)
{
    psSup *sup = calloc(1, sizeof(*sup));

    if (sup && init(sup, options))
        return sup;
    psLogPrintf("the supervisor cannot be created: out of memory or descriptors");
    psSupFree(sup);
    return NULL;
}

int psSupAddChild(psSup *sup, const psConfig *cfg, char *msg, size_t msgSize)
{
    int error = psConfigCheck(cfg, msg, msgSize);

    if (error)
        return error;
    if (psSupFind(sup, psConfigName(cfg))) {
        epicsSnprintf(msg, msgSize, "a child named \"%s\" exists already", psConfigName(cfg));
        return -EEXIST;
    }
    if (psSupCount(sup) >= PS_CHILDREN) {
        epicsSnprintf(msg, msgSize, "%s: more than %d children", psConfigName(cfg), PS_CHILDREN);
        return -ENOSPC;
    }
    psChild *child = psChildCreate(sup->loop, cfg, &childOps, sup, sup->options.inherit, sup->envp,
                                   sup->options.argv0, sup->options.banner, &error, msg, msgSize);
    if (!child)
        return error;
    epicsMutexMustLock(sup->lock);
    ellAdd(&sup->children, &child->node);
    epicsMutexUnlock(sup->lock);
    return 0;
}

static void loopThread(void *arg)
{
    psSup *sup = arg;

    psInheritSchedule(sup->options.inherit);
    psLoopRun(sup->loop);
    epicsEventMustTrigger(sup->downEvent);
}

int psSupStart(psSup *sup)
{
    int error = psSupBegin(sup, NULL);

    if (error)
        return error;
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
    epicsEventMustTrigger(sup->downEvent); /* for the next who asks */
    return sup->exitCode;
}

/* The thread of a start that was left behind may come back to its child and to the loop. */
static bool startHangs(psSup *sup)
{
    for (psChild *child = psSupFirst(sup); child; child = psSupNext(sup, child))
        if (child->spawn)
            return true;
    return false;
}

void psSupFree(psSup *sup)
{
    ELLNODE *node;

    if (!sup)
        return;
    if (sup->started)
        epicsThreadMustJoin(sup->thread);
    psTerminalRestore(&sup->terminal);
    if (sup->queue)
        psQueueClose(sup->queue);
    if (sup->lock && startHangs(sup))
        return;
    while ((node = ellGet(&sup->children)))
        psChildFree(CONTAINER(node, psChild, node));
    psQueueFree(sup->queue);
    psLoopFree(sup->loop);
    if (sup->downEvent)
        epicsEventDestroy(sup->downEvent);
    if (sup->lock)
        epicsMutexDestroy(sup->lock);
    freeStrings(sup->envp);
    free(sup);
}
