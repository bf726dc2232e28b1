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
#include <unistd.h>

#include <dbDefs.h>
#include <ellLib.h>
#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsStdio.h>
#include <epicsString.h>
#include <epicsThread.h>

#include "psChild.h"
#include "psLog.h"
#include "psQueue.h"
#include "psSup.h"
#include "psTerminal.h"

extern char **environ;

#define FLUSH_SEC 2.0          /* for consoles and logs at the end */
#define SPARE_DESCRIPTORS 64   /* of our own, beside consoles */
#define CHILD_DESCRIPTORS 8    /* per child: pty, pidfd, log, listeners */

typedef enum psPhase {
    psPhaseUp,
    psPhaseChildren, /* children go through their stages */
    psPhaseFlush,    /* consoles and logs */
    psPhaseDown
} psPhase;

struct psSup {
    /* fixed after psSupCreate */
    psSupOptions options;
    char **envp;             /* owned */
    psLoop *loop;
    psQueue *queue;
    epicsEventId downEvent;
    int descriptorLimit;
    /* guarded by lock: the list only grows; children are the loop's */
    epicsMutexId lock;
    ELLLIST children;        /* psChild.node */
    bool started;
    epicsThreadId thread;
    int exitCode;            /* of psSupWait; set before downEvent */
    bool down;
    psTerminal terminal;     /* the caller's until psSupStart, then the loop's */
    /* loop thread only */
    psPhase phase;
    psTimer flushTimer;
    psJob flushJob;
};

/* ---- names ---- */

static psChild *find(psSup *sup, const char *name)
{
    psChild *found = NULL;
    ELLNODE *node;

    epicsMutexMustLock(sup->lock);
    for (node = ellFirst(&sup->children); node && !found; node = ellNext(node)) {
        psChild *child = CONTAINER(node, psChild, node);

        if (strcmp(child->name, name) == 0)
            found = child;
    }
    epicsMutexUnlock(sup->lock);
    return found;
}

static psChild *first(psSup *sup)
{
    ELLNODE *node;

    epicsMutexMustLock(sup->lock);
    node = ellFirst(&sup->children);
    epicsMutexUnlock(sup->lock);
    return node ? CONTAINER(node, psChild, node) : NULL;
}

static psChild *next(psSup *sup, psChild *child)
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
    return sup->descriptorLimit - SPARE_DESCRIPTORS -
           CHILD_DESCRIPTORS * ellCount(&sup->children) - sup->options.reservedDescriptors;
}

/* At the limit the client that made no progress for the longest makes room. */
static bool admit(void *ctx)
{
    psSup *sup = ctx;
    psClient *stalled = NULL;
    double since = HUGE_VAL;
    int count = 0;
    psChild *child;

    for (child = first(sup); child; child = next(sup, child)) {
        double at = HUGE_VAL;
        psClient *client = psConsoleMostStalled(&child->console, &at);

        count += child->console.users + child->console.loggers - child->console.terminals;
        if (client && at < since) {
            since = at;
            stalled = client;
        }
    }
    if (count < consoleLimit(sup))
        return true;
    if (!stalled)
        return false;
    psClientClose(stalled, false);
    return true;
}

static void beginEnd(psSup *sup);

static bool allFinished(psSup *sup)
{
    psChild *child;

    for (child = first(sup); child; child = next(sup, child)) {
        if (!child->finished)
            return false;
    }
    return true;
}

static void settled(void *ctx)
{
    psSup *sup = ctx;

    /* Deferred: the child is still in the middle of its step. */
    if (sup->phase == psPhaseChildren || sup->options.endWithOneShot)
        psLoopDefer(sup->loop, &sup->flushJob);
}

static bool quit(void *ctx, const char **outWhyNot)
{
    psSup *sup = ctx;
    psChild *child;

    if (!sup->options.endWithOneShot) {
        *outWhyNot = "this console is part of an IOC and ends with it: ^Q does nothing here";
        return false;
    }
    for (child = first(sup); child; child = next(sup, child)) {
        if (!psMachineAtRest(&child->machine)) {
            *outWhyNot = "another child is running: stop it first, then ^Q ends the server";
            return false;
        }
    }
    beginEnd(sup);
    return true;
}

static const psChildOps childOps = {.admit = admit, .settled = settled, .quit = quit};

/* ---- the end (loop thread) ---- */

static void finish(psSup *sup)
{
    psChild *child = first(sup);

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
    psLogPrintf("consoles or logs could not be written in time: given up");
    finish(ctx);
}

static void logIdle(void *ctx)
{
    psSup *sup = ctx;

    psLoopDefer(sup->loop, &sup->flushJob);
}

static void beginFlush(psSup *sup)
{
    psChild *child;

    sup->phase = psPhaseFlush;
    for (child = first(sup); child; child = next(sup, child)) {
        psChildEnd(child);
        if (child->console.log)
            psLogFileFlush(child->console.log, logIdle, sup);
    }
    psLoopArm(sup->loop, &sup->flushTimer, psLoopNow(sup->loop) + FLUSH_SEC, flushDue, sup);
}

/* Runs whenever something may have come to rest. */
static void flushJob(void *ctx)
{
    psSup *sup = ctx;
    bool done = true;
    psChild *child;

    if (sup->phase == psPhaseUp && sup->options.endWithOneShot && first(sup) && allFinished(sup))
        beginEnd(sup);
    if (sup->phase == psPhaseChildren) {
        for (child = first(sup); child; child = next(sup, child))
            done = done && psChildDown(child);
        if (done)
            beginFlush(sup);
    }
    if (sup->phase == psPhaseFlush) {
        for (child = first(sup); child; child = next(sup, child))
            done = done && psConsoleIdle(&child->console);
        if (done)
            finish(sup);
    }
}

static void beginEnd(psSup *sup)
{
    psChild *child;

    if (sup->phase > psPhaseChildren)
        return;
    sup->phase = psPhaseChildren;
    for (child = first(sup); child; child = next(sup, child))
        psChildShutdown(child);
    psLoopDefer(sup->loop, &sup->flushJob);
}

/* ---- items of the queue ---- */

typedef struct psRequest {
    psQueueItem item;
    psSup *sup;
    psChild *child;      /* NULL: all, or none meant */
    void (*fn)(struct psRequest *request);
    psCommand cmd;
    psDoneFn done;
    void *ctx;
    int fd;
    char *text;          /* owned */
} psRequest;

static void freeRequest(psRequest *request)
{
    free(request->text);
    free(request);
}

static void runRequest(psQueueItem *item)
{
    psRequest *request = CONTAINER(item, psRequest, item);

    request->fn(request);
    freeRequest(request);
}

static void cancelRequest(psQueueItem *item)
{
    psRequest *request = CONTAINER(item, psRequest, item);

    if (request->done)
        request->done(request->ctx, psCmdFailed, "shutting down");
    if (request->fd >= 0)
        close(request->fd);
    freeRequest(request);
}

static psRequest *newRequest(psSup *sup, psChild *child, void (*fn)(psRequest *request))
{
    psRequest *request = calloc(1, sizeof(*request));

    if (!request)
        return NULL;
    request->item.run = runRequest;
    request->item.cancel = cancelRequest;
    request->sup = sup;
    request->child = child;
    request->fn = fn;
    request->fd = -1;
    return request;
}

/* Takes the request, also on failure. */
static int put(psSup *sup, psRequest *request)
{
    int status;

    if (!request)
        return -ENOMEM;
    status = psQueuePut(sup->queue, &request->item);
    if (status) {
        if (request->fd >= 0)
            close(request->fd);
        freeRequest(request);
    }
    return status;
}

static int putSimple(psSup *sup, const char *name, void (*fn)(psRequest *request))
{
    psChild *child = name ? find(sup, name) : NULL;

    if (name && !child)
        return -ENOENT;
    return put(sup, newRequest(sup, child, fn));
}

static void doCommand(psRequest *request)
{
    psChildCommand(request->child, &request->cmd, request->done, request->ctx);
}

static void doDenied(psRequest *request)
{
    psChildDenied(request->child, &request->cmd, request->text);
}

static void doTell(psRequest *request)
{
    psChildTell(request->child, request->text);
}

static void doBegin(psRequest *request)
{
    psSup *sup = request->sup;
    psChild *child;

    if (sup->phase != psPhaseUp)
        return;
    if (request->child) {
        psChildBegin(request->child);
        return;
    }
    for (child = first(sup); child; child = next(sup, child))
        psChildBegin(child);
}

static void doTerminal(psRequest *request)
{
    psConsole *console = &request->child->console;
    int fd = request->fd;

    request->fd = -1; /* owned by the client, also on failure */
    if (!psConsoleAddClient(console, fd, psClientTerminal, false, "terminal"))
        psLogPrintf("%s: the terminal cannot be used as a console", request->child->name);
}

static void reopenLogs(psSup *sup)
{
    psChild *child;

    for (child = first(sup); child; child = next(sup, child)) {
        if (child->console.log)
            psLogFileReopen(child->console.log);
    }
}

static void doReopen(psRequest *request)
{
    reopenLogs(request->sup);
}

static void doShutdown(psRequest *request)
{
    beginEnd(request->sup);
}

static void raised(void *ctx, int signo)
{
    psSup *sup = ctx;

    if (signo == SIGHUP)
        reopenLogs(sup);
    else if (signo == SIGTERM || signo == SIGINT || signo == SIGQUIT)
        beginEnd(sup);
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

static char **copyStrings(char *const *from)
{
    size_t count = 0;
    char **copy;
    size_t i;

    while (from[count])
        count++;
    copy = calloc(count + 1, sizeof(*copy));
    for (i = 0; copy && i < count; i++)
        copy[i] = epicsStrDup(from[i]);
    return copy;
}

psSup *psSupCreate(const psSupOptions *options)
{
    psSup *sup = calloc(1, sizeof(*sup));
    struct rlimit limit;

    if (!sup)
        return NULL;
    sup->options = *options;
    if (!sup->options.clock)
        sup->options.clock = psClockSystem();
    ellInit(&sup->children);
    sup->terminal.fd = -1;
    sup->flushJob.fn = flushJob;
    sup->flushJob.ctx = sup;
    sup->descriptorLimit = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1000000
                               ? (int)limit.rlim_cur
                               : 1000000;
    sup->envp = copyStrings(options->environ ? options->environ : environ);
    sup->lock = epicsMutexCreate();
    sup->downEvent = epicsEventCreate(epicsEventEmpty);
    sup->loop = psLoopCreate(sup->options.clock);
    if (sup->loop)
        sup->queue = psQueueCreate(sup->loop, PS_QUEUE_LENGTH);
    if (!sup->envp || !sup->lock || !sup->downEvent || !sup->loop || !sup->queue) {
        psLogPrintf("the supervisor cannot be created: out of memory or descriptors");
        psSupFree(sup);
        return NULL;
    }
    psLoopOnRaise(sup->loop, raised, sup);
    return sup;
}

int psSupAddChild(psSup *sup, const psConfig *cfg, char *msg, size_t msgSize)
{
    psChild *child;
    int error = psConfigCheck(cfg, msg, msgSize);

    if (error)
        return error;
    if (find(sup, psConfigName(cfg))) {
        epicsSnprintf(msg, msgSize, "a child named \"%s\" exists already", psConfigName(cfg));
        return -EEXIST;
    }
    if (psSupCount(sup) >= PS_CHILDREN) {
        epicsSnprintf(msg, msgSize, "%s: more than %d children", psConfigName(cfg), PS_CHILDREN);
        return -ENOSPC;
    }
    child = psChildCreate(sup->loop, cfg, &childOps, sup, sup->options.inherit, sup->envp,
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

    psLoopRun(sup->loop);
    sup->down = true;
    epicsEventMustTrigger(sup->downEvent);
}

int psSupStart(psSup *sup)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    int status = putSimple(sup, NULL, doBegin);

    if (status)
        return status;
    opts.priority = epicsThreadPriorityHigh;
    opts.stackSize = epicsThreadStackMedium;
    opts.joinable = 1;
    sup->thread = epicsThreadCreateOpt("psLoop", loopThread, sup, &opts);
    if (!sup->thread)
        return -EAGAIN;
    sup->started = true;
    return 0;
}

int psSupBegin(psSup *sup, const char *name)
{
    return putSimple(sup, name, doBegin);
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

void psSupFree(psSup *sup)
{
    ELLNODE *node;
    size_t i;

    if (!sup)
        return;
    if (sup->started)
        epicsThreadMustJoin(sup->thread);
    if (sup->queue)
        psQueueClose(sup->queue);
    while ((node = ellGet(&sup->children)))
        psChildFree(CONTAINER(node, psChild, node));
    psQueueFree(sup->queue);
    psLoopFree(sup->loop);
    if (sup->downEvent)
        epicsEventDestroy(sup->downEvent);
    if (sup->lock)
        epicsMutexDestroy(sup->lock);
    for (i = 0; sup->envp && sup->envp[i]; i++)
        free(sup->envp[i]);
    free(sup->envp);
    free(sup);
}

/* ---- commands ---- */

static bool validValue(const psCommand *cmd)
{
    psRange range = psVerbRange(cmd->verb);
    bool hasRange = range.low != 0.0 || range.high != 0.0;

    if (cmd->verb <= psVerbNone || cmd->verb >= psVerbCount)
        return false;
    return !hasRange || (cmd->value >= range.low && cmd->value <= range.high); /* NaN fails */
}

int psSupSubmit(psSup *sup, const char *name, const psCommand *cmd, psDoneFn done, void *ctx)
{
    psChild *child = find(sup, name);
    psRequest *request;

    if (!child)
        return -ENOENT;
    if (!validValue(cmd))
        return -EINVAL;
    request = newRequest(sup, child, doCommand);
    if (!request)
        return -ENOMEM;
    request->cmd = *cmd;
    if (!request->cmd.by[0])
        epicsSnprintf(request->cmd.by, sizeof(request->cmd.by), "local");
    request->done = done;
    request->ctx = ctx;
    return put(sup, request);
}

static psRequest *textRequest(psSup *sup, psChild *child, const char *text,
                              void (*fn)(psRequest *request))
{
    psRequest *request = newRequest(sup, child, fn);
    size_t size = strlen(text) + 1;

    if (!request)
        return NULL;
    request->text = malloc(size);
    if (!request->text) {
        freeRequest(request);
        return NULL;
    }
    memcpy(request->text, text, size);
    return request;
}

int psSupTell(psSup *sup, const char *name, const char *text)
{
    psChild *child = find(sup, name);

    return child ? put(sup, textRequest(sup, child, text, doTell)) : -ENOENT;
}

int psSupDenied(psSup *sup, const char *name, const psCommand *cmd, const char *reason)
{
    psChild *child = find(sup, name);
    psRequest *request;

    if (!child)
        return -ENOENT;
    request = textRequest(sup, child, reason, doDenied);
    if (request)
        request->cmd = *cmd;
    return put(sup, request);
}

int psSupAttachTerminal(psSup *sup, const char *name, int fd)
{
    psChild *child = find(sup, name);
    psRequest *request;
    int error;
    int io;

    if (!child)
        return -ENOENT;
    error = psTerminalTake(&sup->terminal, fd, &io);
    if (error)
        return error;
    request = newRequest(sup, child, doTerminal);
    if (!request) {
        close(io);
        return -ENOMEM;
    }
    request->fd = io;
    return put(sup, request);
}

void psSupReopenLogs(psSup *sup)
{
    putSimple(sup, NULL, doReopen);
}

void psSupShutdown(psSup *sup)
{
    putSimple(sup, NULL, doShutdown);
}

void psSupRaise(psSup *sup, int signo)
{
    psLoopRaise(sup->loop, signo);
}

/* ---- what others may know ---- */

int psSupStatus(psSup *sup, const char *name, psStatus *out)
{
    psChild *child = find(sup, name);

    if (!child)
        return -ENOENT;
    psFeedNewest(child->feed, out);
    return 0;
}

int psSupNextTransition(psSup *sup, const char *name, psStatus *out)
{
    psChild *child = find(sup, name);

    return child ? psFeedNext(child->feed, out) : -ENOENT;
}

int psSupSubscribe(psSup *sup, const char *name, void (*fn)(void *ctx), void *ctx)
{
    psChild *child = find(sup, name);

    if (!child)
        return -ENOENT;
    psFeedSubscribe(child->feed, fn, ctx);
    return 0;
}

int psSupFacts(psSup *sup, const char *name, psChildFacts *out)
{
    psChild *child = find(sup, name);

    if (!child)
        return -ENOENT;
    *out = child->facts;
    return 0;
}

int psSupCount(psSup *sup)
{
    int count;

    epicsMutexMustLock(sup->lock);
    count = ellCount(&sup->children);
    epicsMutexUnlock(sup->lock);
    return count;
}

const char *psSupName(psSup *sup, int index)
{
    ELLNODE *node;

    epicsMutexMustLock(sup->lock);
    node = index >= 0 ? ellNth(&sup->children, index + 1) : NULL;
    epicsMutexUnlock(sup->lock);
    return node ? CONTAINER(node, psChild, node)->name : NULL;
}

double psSupMono(psSup *sup)
{
    return psClockMono(sup->options.clock);
}

int psSupInfo(psSup *sup, const char *name, char *out, size_t size)
{
    psChild *child = find(sup, name);
    psText text = PS_TEXT_INIT;

    if (!child)
        return -ENOENT;
    psTextPrintf(&text, "PID=%d", (int)getpid());
    psConsoleInfo(&child->console, false, &text);
    epicsSnprintf(out, size, "%s", text.failed ? "" : text.data);
    psTextClear(&text);
    return 0;
}

void psSupPrintInfo(psSup *sup, FILE *out)
{
    psText text = PS_TEXT_INIT;
    psChild *child;

    psTextPrintf(&text, "pid:%d\n", (int)getpid());
    for (child = first(sup); child; child = next(sup, child))
        psConsoleInfo(&child->console, true, &text);
    if (!text.failed)
        fputs(text.data, out);
    psTextClear(&text);
}

static void reportChild(psChild *child, FILE *out, int level)
{
    const psChildFacts *facts = &child->facts;
    psStatus status;

    psFeedNewest(child->feed, &status);
    fprintf(out, "%-20s %-9s pid %-7d restarts %d  %s\n", child->name,
            psStateName(status.state), status.pid, status.restarts, status.stateMsg);
    if (level < 1)
        return;
    fprintf(out, "    command  %s\n    in       %s\n    consoles %s\n    log      %s\n",
            facts->commandLine, facts->dir, facts->consoles, facts->logFile);
    fprintf(out, "    mode %s, hold-off %g s, grace %g s; %d crashes; last end: %s\n",
            psModeName(status.settings.mode), status.settings.holdoffSec,
            status.settings.graceSec, status.crashes,
            status.exitMsg[0] ? status.exitMsg : "none");
    if (level < 2)
        return;
    fprintf(out, "    %d users, %d loggers; transition %u; last command %s of %s: %s\n",
            status.clients, status.loggers, (unsigned)status.seq, psVerbName(status.cmd.verb),
            status.cmd.by[0] ? status.cmd.by : "nobody", status.cmd.msg);
}

void psSupReport(psSup *sup, FILE *out, int level)
{
    psChild *child;

    for (child = first(sup); child; child = next(sup, child))
        reportChild(child, out, level);
}
