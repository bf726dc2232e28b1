/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <errlog.h>
#include <initHooks.h>
#include <iocInit.h>

#include "psAccess.h"
#include "psGuarded.h"
#include "psOwnLog.h"
#include "psPrefix.h"
#include "psPrefixClaim.h"
#include "psIoc.h"
#include "psProgress.h"
#include "psRelay.h"
#include "psServe.h"
#include "psServeSteps.h"
#include "psServers.h"
#include "psShell.h"
#include "psThread.h"
#include "psTrial.h"

#define LOOK_SEC 0.1        /* how often a waiter looks for a suspended thread ... */
#define LOOK_SELDOM_SEC 1.0 /* ... when it waits for ever */
#define TRIAL_SEC 10.0

extern int dbThreadRealtimeLock; /* of Base, in no header */

static struct {
    psServeOptions options;           /* fixed before the thread starts */
    epicsThreadId thread;             /* thread main only; NULL: none */
    char prefix[PS_PREFIX_BYTES + 1]; /* likewise; "": none, or not a good one */
    bool scriptRan;                   /* thread psServe only, as is the next */
    char access[PS_REASON_BYTES];     /* what is to be known of access security; "": nothing */
    epicsEventId changed;             /* the state is no longer Starting */
    epicsMutexId lock;                /* guards all below; leaf */
    psServeState state;
} serve;

/* ---- reports ---- */

/* On consoles and logs of all children, and on errlog.  Nobody is there to hear of a console that
 * takes no more. */
static void notice(const char *line)
{
    psSup *sup = serve.options.sup;

    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        (void)psSupTell(sup, child, line);
    errlogPrintf("%s: %s\n", serve.options.argv0, line);
}

/* What banners say of the PVs from now on, where there is something to say.  The records of a
 * script's children are the script's own: their names are not known here.
 * @param state "no PVs: ...", or what else there is to know of them; "": all is well */
static void showPvs(const char *state)
{
    static const char none[] = "no PVs: ";
    psSup *sup = serve.options.sup;
    char text[PS_REASON_BYTES + sizeof(serve.prefix)];
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++) {
        if (strncmp(state, none, sizeof(none) - 1) == 0)
            epicsSnprintf(text, sizeof(text), "none: %s", state + sizeof(none) - 1);
        else if (i == 0 && serve.options.name && serve.prefix[0])
            epicsSnprintf(text, sizeof(text), "%s%s%s%s", serve.prefix, state[0] ? " (" : "", state,
                          state[0] ? ")" : "");
        else if (state[0])
            epicsSnprintf(text, sizeof(text), "%s", state);
        else
            continue;
        (void)psSupSetPvs(sup, child, text); /* with a full queue, later clients know less */
    }
}

/* The rules are not those that were asked for. */
static void noticeAccess(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    (void)bad;
    epicsSnprintf(serve.access, sizeof(serve.access), "%s", line);
    notice(line);
}

static void noticeFinding(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    (void)bad;
    notice(line);
}

/* The outcome, once: Base may have suspended the thread for a while only. */
static void conclude(psServeState state, const char *line)
{
    epicsMutexMustLock(serve.lock);
    bool first = serve.state == psServeStarting;
    if (first)
        serve.state = state;
    epicsMutexUnlock(serve.lock);
    if (!first)
        return;
    if (line) {
        notice(line);
        showPvs(line);
    }
    epicsEventTrigger(serve.changed);
}

/* "no PVs: HOW while STEP: what Base said" */
static void concludeSuspended(const char *how)
{
    char line[PS_REASON_BYTES];

    epicsSnprintf(line, sizeof(line), "no PVs: %s while %s", how, psProgressNow());
    psProgressExplain(line, sizeof(line));
    conclude(psServeSuspended, line);
}

/* ---- steps of the thread ---- */

static int tryScript(char *msg, size_t msgSize)
{
    psServeOptions only = serve.options;

    if (!only.script)
        return 0;
    psProgressBegin("testing the script");
    only.acf = NULL;
    return psTrialFirst(&only, psTrialStart, TRIAL_SEC, msg, msgSize);
}

static int build(char *msg, size_t msgSize)
{
    const psServeOptions *options = &serve.options;

    dbThreadRealtimeLock = 0; /* as root Base would make all stacks resident */
    psIocSetInsecure(options->insecurePvs);
    psIocSetSup(options->sup);
    int status = psStepRecords(options, msg, msgSize);
    if (!status && options->script) {
        serve.scriptRan = true;
        status = psStepScript(options->script, noticeFinding, NULL, msg, msgSize);
    }
    if (status)
        return status;
    if (getIocState() == iocVoid) { /* else the script has tried, and the reason is known */
        psProgressBegin("starting the IOC");
        iocInit();
    }
    if (getIocState() == iocRunning)
        return 0;
    epicsSnprintf(msg, msgSize, "the IOC does not run");
    psProgressExplain(msg, msgSize);
    return -ENOENT;
}

static int serveAll(void *ctx, char *msg, size_t msgSize)
{
    (void)ctx;
    psProgressBegin("checking");
    int status = psStepChecks(&serve.options, noticeFinding, NULL, msg, msgSize);
    status = status ? status : psStepDefinitions(msg, msgSize);
    status = status ? status : tryScript(msg, msgSize);
    if (!status) {
        psProgressBegin("testing the access security file");
        status = psAccessPrepare(&serve.options, noticeAccess, NULL, msg, msgSize);
    }
    status = status ? status : build(msg, msgSize);
    if (!status) {
        psProgressBegin("checking the servers");
        status = psServersCheck(msg, msgSize);
    }
    return status;
}

/* Base has nothing to say of its port: that it is another's is what we want. */
static void startServers(bool begin)
{
    bool script = serve.options.script != NULL;

    if (begin) {
        psProgressChatter(script ? psChatterNoPorts : psChatterFaults);
        psRelayServersBegin();
    } else {
        psRelayServersEnd(notice);
        psProgressChatter(script ? psChatterAll : psChatterFaults);
    }
}

/* At the beginning Base is about to read the lists of addresses, which a script may have changed.
 * It cannot be kept from going on but by keeping its thread: what is left would serve where nobody
 * asked for, or crash. */
static void initHook(initHookState state)
{
    char line[PS_REASON_BYTES] = "no PVs: ";
    size_t len = strlen(line);
    int status = 0;

    if (state == initHookAtIocBuild)
        psRelayStart(&serve.options, notice);
    else if (state == initHookAtBeginning)
        status = psStepNetwork(noticeFinding, NULL, line + len, sizeof(line) - len);
    else if (state == initHookAfterCallbackInit)
        status = psServersTimer(line + len, sizeof(line) - len);
    else if (state == initHookAfterInitialProcess || state == initHookAfterCaServerInit)
        startServers(state == initHookAfterInitialProcess);
    if (!status)
        return;
    conclude(psServeSuspended, line);
    for (;;)
        epicsThreadSuspendSelf();
}

/* ---- without an IOC ---- */

/* A command of a script that could not be run. */
static void runCommand(void *ctx, const char *dir, int argc, const char *const *argv)
{
    (void)ctx;
    if (chdir(dir))
        errlogPrintf("%s: %s: %s\n", serve.options.argv0, dir, strerror(errno));
    (void)psIocCommand(argc, argv); /* a trial passes none but ours */
}

static int superviseScript(void *ctx, char *msg, size_t msgSize)
{
    psTrialSink sink = {.report = noticeFinding, .command = runCommand};

    (void)ctx;
    psIocSetSup(serve.options.sup);
    int status = psStepDefinitions(msg, msgSize);
    if (!status)
        psTrialRun(&serve.options, psTrialChildren, TRIAL_SEC, &sink);
    return status;
}

/* There will be no PVs: the children of the script are supervised all the same.  A trial finds
 * them, so nothing of the script is run a second time in here. */
static void superviseOnly(void)
{
    char msg[PS_REASON_BYTES] = "";

    if (serve.options.script && !serve.scriptRan &&
        psGuarded(superviseScript, NULL, msg, sizeof(msg)))
        notice(msg);
    psIocBegin();
}

static void giveUp(const char *why)
{
    char line[PS_REASON_BYTES];

    psProgressChatter(psChatterAll);
    superviseOnly();
    psServersFailed(why, line, sizeof(line));
    conclude(psServeFailed, line);
}

/* ---- the thread ---- */

static void sayServed(void)
{
    char line[PS_REASON_BYTES];

    showPvs(serve.access);
    epicsSnprintf(line, sizeof(line), "the PVs are served%s%s", serve.prefix[0] ? ": " : "",
                  serve.prefix);
    psSupWriteLog(serve.options.sup, line);
}

/* One that serves the same is most often a second server that somebody started by mistake. */
static void claimPrefix(void)
{
    char line[PS_REASON_BYTES];
    pid_t owner = 0;

    if (!serve.prefix[0] || psPrefixClaim(serve.prefix, &owner) != -EADDRINUSE)
        return;
    epicsSnprintf(line, sizeof(line),
                  "another procServIoc on this host (process %ld) serves PVs with the same prefix "
                  "%s, too; a client may reach either",
                  (long)owner, serve.prefix);
    notice(line);
}

static void serveThread(void *arg)
{
    char msg[PS_REASON_BYTES] = "";
    FILE *nowhere = serve.options.script ? NULL : fopen("/dev/null", "we");
    FILE *stream = psOwnLogStream();
    FILE *said = stream ? stream : stderr;

    (void)arg;
    if (psRelayIsEarly(&serve.options))
        psRelayStart(&serve.options, notice);
    /* Base's banner must not get into the output of `-L -`, a script's may be of use. */
    epicsSetThreadStdout(nowhere ? nowhere : said);
    epicsSetThreadStderr(said);
    psProgressChatter(serve.options.script ? psChatterAll : psChatterFaults);
    if (psGuarded(serveAll, NULL, msg, sizeof(msg))) {
        giveUp(msg);
    } else {
        psProgressChatter(psChatterAll);
        psAccessFollow();
        conclude(psServeServing, NULL);
        sayServed();
        claimPrefix();
    }
    psProgressStop();
    epicsSetThreadStdout(NULL);
    epicsSetThreadStderr(NULL);
    if (nowhere)
        fclose(nowhere);
    if (stream)
        fclose(stream);
    if (serve.options.shell)
        psShellRun();
}

static bool isSupervising(void)
{
    return serve.options.sup && psSupWait(serve.options.sup, 0.0) == -ETIMEDOUT;
}

/* The first handler of exit().  As long as children are supervised nobody has a reason to call it,
 * but Base has: a token too long for its parser, for one.  Whoever does is never let go. */
static void exitCalled(void)
{
    if (!isSupervising())
        return;
    concludeSuspended("EPICS Base called exit()");
    for (;;)
        epicsThreadSuspendSelf();
}

/* ---- the public face ---- */

int psServePrepare(const psServeOptions *options)
{
    char msg[PS_REASON_BYTES];

    serve.options = *options;
    if (psStepPrefix(options, serve.prefix, sizeof(serve.prefix), msg, sizeof(msg)))
        serve.prefix[0] = '\0'; /* what is wrong with it is said later, when it is needed */
    psRelayInit();
    int status = psStepEnvironment(options);
    if (status)
        return status;
    serve.lock = epicsMutexCreate();
    serve.changed = epicsEventCreate(epicsEventEmpty);
    if (!serve.lock || !serve.changed)
        return -ENOMEM;
    return psProgressStart();
}

void psServeAnnounce(psSup *sup)
{
    serve.options.sup = sup;
    showPvs("not served yet");
}

int psServeStart(void)
{
    bool hooked = !atexit(exitCalled) && !initHookRegister(initHook);

    if (hooked)
        serve.thread = psThreadCreate("psServe", epicsThreadPriorityLow, epicsThreadStackBig,
                                      serveThread, NULL);
    if (serve.thread)
        return 0;
    showPvs(hooked ? "no PVs: no thread could be had" : "no PVs: out of memory");
    serve.options.sup = NULL; /* the caller frees it before it calls exit() */
    return hooked ? -EAGAIN : -ENOMEM;
}

static psServeState stateNow(void)
{
    epicsMutexMustLock(serve.lock);
    psServeState state = serve.state;
    epicsMutexUnlock(serve.lock);
    if (state == psServeStarting && epicsThreadIsSuspended(serve.thread)) {
        concludeSuspended("EPICS Base stopped");
        state = psServeSuspended;
    }
    return state;
}

psServeState psServeWait(double timeoutSec)
{
    double end = (double)epicsMonotonicGet() * 1e-9 + timeoutSec;
    double lookSec = timeoutSec < 0 ? LOOK_SELDOM_SEC : LOOK_SEC;
    psServeState state;

    if (!serve.thread)
        return psServeFailed;
    for (;;) {
        double left = end - (double)epicsMonotonicGet() * 1e-9;

        state = stateNow();
        if (state != psServeStarting || (timeoutSec >= 0 && left <= 0) || !isSupervising())
            break;
        epicsEventWaitWithTimeout(serve.changed,
                                  timeoutSec >= 0 && left < lookSec ? left : lookSec);
    }
    if (state == psServeStarting && timeoutSec > 0 && isSupervising()) {
        char line[PS_REASON_BYTES];

        epicsSnprintf(line, sizeof(line), "no PVs yet: EPICS Base is still %s", psProgressNow());
        notice(line);
    }
    if (state != psServeStarting)
        epicsEventTrigger(serve.changed); /* for the next waiter */
    return state;
}

void psServeStop(void)
{
    psShellRestoreTerminal();
    if (!serve.thread || psServeWait(0.0) != psServeServing)
        return;
    errlogFlush();
    /* Base's PVA server grumbles about itself on the way out; nobody can do anything about it. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, 2);
        close(nowhere);
    }
    psAccessStop();
    iocShutdown();
}
