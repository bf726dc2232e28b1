/* SPDX-License-Identifier: EPICS */
/* See psServe.h.  C++ only because Base throws: every step runs under try/catch. */
#include <exception>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <csignal>
#include <dlfcn.h>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <asDbLib.h>
#include <asLib.h>
#include <callback.h>
#include <dbAccess.h>
#include <dbStaticLib.h>
#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <errlog.h>
#include <iocInit.h>
#include <iocsh.h>

#include "psAcf.h"
#include "psIoc.h"
#include "psServe.h"
#include "psServeCheck.h"
#include "psServeSteps.h"
#include "psTrial.h"

extern "C" {
extern int dbThreadRealtimeLock; /* of Base, in no header */
}

using namespace psSteps;

static const double LOOK_SEC = 0.1; /* how often a waiter looks for a suspended thread */

namespace
{

struct Serve {
    psServeOptions options;
    epicsThreadId thread;
    bool scriptRan;       /* thread psServe only */
    epicsEventId changed; /* state is no longer Starting */
    epicsMutexId lock;    /* guards all below */
    psServeState state;
    std::string told;    /* the one line */
    bool haveMode;       /* the shell got a terminal ... */
    struct termios mode; /* ... in this mode */
};

Serve serve;

/* ---- telling ---- */

/* On consoles and logs of all children, and on errlog. */
void tell(const std::string &line)
{
    psSup *sup = serve.options.sup;

    for (int i = 0; i < psSupCount(sup); i++)
        psSupTell(sup, psSupName(sup, i), line.c_str());
    errlogPrintf("%s: %s\n", serve.options.argv0, line.c_str());
}

void conclude(psServeState state, const std::string &line)
{
    {
        Guard guard(serve.lock);
        if (serve.state != psServeStarting)
            return; /* the waiter was quicker: Base had suspended us for a while */
        serve.state = state;
        serve.told = line;
    }
    if (!line.empty())
        tell(line);
    epicsEventMustTrigger(serve.changed);
}

/* ---- serving ---- */

void tryScript()
{
    psServeOptions only = serve.options;

    if (!only.script)
        return;
    begin("trying the script");
    only.acf = NULL;
    tryFiles(only);
}

void build()
{
    dbThreadRealtimeLock = 0; /* as root Base would make all stacks resident */
    psIocSetInsecure(serve.options.insecurePvs);
    psIocSetSup(serve.options.sup);
    loadRecords(serve.options);
    if (serve.options.script) {
        serve.scriptRan = true;
        runScript(serve.options.script);
    }
    if (getIocState() == iocVoid) { /* else the script has tried, and the reason is known */
        begin("starting the IOC");
        iocInit();
    }
    if (getIocState() != iocRunning)
        fail("the IOC does not run");
}

void serveAll()
{
    char msg[PS_TEXT_BYTES];

    begin("checking");
    ownChecks(serve.options);
    loadDefinitions();
    tryScript();
    std::string access = prepareAccess(serve.options);
    if (!access.empty())
        tell(access);
    psListening *before = psListeningNow();
    try {
        build();
    } catch (...) {
        free(before);
        throw;
    }
    begin("looking whether the IOC listens");
    int status = psCheckServers(before, msg, sizeof(msg));
    free(before);
    if (status)
        fail(msg);
}

/* There will be no PVs: the children of the script are supervised all the same. */
void superviseOnly()
{
    static const char *const database[] = {
        "dbLoadRecords", "dbLoadTemplate", "dbLoadDatabase", "asSetFilename", "asInit",
        "iocInit",       "iocBuild",       "iocRun",         "dbpf",          NULL};

    try {
        if (serve.options.script && !serve.scriptRan) {
            psIocSetSup(serve.options.sup);
            loadDefinitions(); /* the shell has procServAdd only then */
            disarm(database);
            runScript(serve.options.script);
        }
    } catch (std::exception &e) {
        tell(firstLine(e.what()));
    }
    psSupBegin(serve.options.sup, NULL);
}

void giveUp(const std::string &why)
{
    chatter(true);
    superviseOnly();
    conclude(psServeFailed, "no PVs: " + why);
}

/* Its line editor, where Base has one, would catch TERM, INT and HUP in our place, and act on them
 * at the next key only. */
void runShell()
{
    int *catches = static_cast<int *>(dlsym(RTLD_DEFAULT, "rl_catch_signals"));

    if (catches)
        *catches = 0;
    {
        Guard guard(serve.lock);
        serve.haveMode = tcgetattr(STDIN_FILENO, &serve.mode) == 0;
    }
    iocsh(NULL);
}

/* The editor may be at work still, with the terminal in a mode of its own. */
void restoreTerminal()
{
    sigset_t output, before;

    if (!serve.thread)
        return;
    Guard guard(serve.lock);
    if (!serve.haveMode)
        return;
    sigemptyset(&output);
    sigaddset(&output, SIGTTOU); /* a job in the background would be stopped by it */
    pthread_sigmask(SIG_BLOCK, &output, &before);
    tcsetattr(STDIN_FILENO, TCSANOW, &serve.mode);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void serveThread(void *)
{
    FILE *nowhere = serve.options.script ? NULL : fopen("/dev/null", "we");

    /* Base's banner must not get into the output of `-L -`, a script's may be of use. */
    epicsSetThreadStdout(nowhere ? nowhere : stderr);
    chatter(serve.options.script != NULL);
    try {
        serveAll();
        errlogFlush();
        chatter(true);
        conclude(psServeServing, "");
    } catch (std::exception &e) {
        giveUp(firstLine(e.what()));
    } catch (...) {
        giveUp("Base threw something unknown");
    }
    unlisten();
    epicsSetThreadStdout(NULL);
    if (nowhere)
        fclose(nowhere);
    if (serve.options.shell)
        runShell();
}

void initServe(const psServeOptions *options)
{
    serve.options = *options;
    serve.lock = epicsMutexMustCreate();
    serve.changed = epicsEventMustCreate(epicsEventEmpty);
    listen();
}

bool isSupervising()
{
    return serve.options.sup && psSupWait(serve.options.sup, 0.0) == -ETIMEDOUT;
}

/* The first handler of exit().  As long as children are supervised nobody has a reason to call it,
 * but Base has: a token too long for its parser, for one.  Who does is never let go. */
void exitCalled()
{
    if (!isSupervising())
        return;
    std::string why = firstError();
    conclude(psServeSuspended,
             "no PVs: Base called exit() while " + now() + (why.empty() ? "" : ": " + why));
    for (;;)
        epicsThreadSuspendSelf();
}

/* Base suspended the thread psServe: nothing will come any more. */
void lookForSuspended()
{
    {
        Guard guard(serve.lock);
        if (serve.state != psServeStarting || !epicsThreadIsSuspended(serve.thread))
            return;
    }
    std::string why = firstError();
    conclude(psServeSuspended,
             "no PVs: Base gave up while " + now() + (why.empty() ? "" : ": " + why));
}

} // namespace

int psServeStart(const psServeOptions *options)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;

    initServe(options);
    atexit(exitCalled);
    opts.priority = epicsThreadPriorityLow;
    opts.stackSize = epicsThreadGetStackSize(epicsThreadStackBig);
    serve.thread = epicsThreadCreateOpt("psServe", serveThread, NULL, &opts);
    return serve.thread ? 0 : -ENOMEM;
}

void psServeEnvironment(const psServeOptions *options)
{
    /* else a script's lines go into a file in the working directory; a person's may */
    if (!options->shell)
        setenv("EPICS_IOCSH_HISTFILE", "", 0);
    for (char *const *env = options->iocEnv; env && *env; env++) {
        const char *equal = strchr(*env, '=');

        if (equal)
            setenv(std::string(*env, static_cast<size_t>(equal - *env)).c_str(), equal + 1, 1);
    }
}

psServeState psServeWait(double timeoutSec, char *msg, size_t msgSize)
{
    double end = static_cast<double>(epicsMonotonicGet()) * 1e-9 + timeoutSec;
    psServeState state;

    if (!serve.thread)
        return psServeFailed;
    for (;;) {
        double left = end - static_cast<double>(epicsMonotonicGet()) * 1e-9;

        lookForSuspended();
        {
            Guard guard(serve.lock);
            state = serve.state;
            if (msg)
                epicsSnprintf(msg, msgSize, "%s", serve.told.c_str());
        }
        if (state != psServeStarting || (timeoutSec >= 0 && left <= 0) || !isSupervising())
            break;
        epicsEventWaitWithTimeout(serve.changed,
                                  timeoutSec >= 0 && left < LOOK_SEC ? left : LOOK_SEC);
    }
    if (state == psServeStarting && timeoutSec > 0 && isSupervising()) {
        std::string line = "no PVs yet: Base is still " + now();

        tell(line);
        if (msg)
            epicsSnprintf(msg, msgSize, "%s", line.c_str());
    }
    if (state != psServeStarting)
        epicsEventMustTrigger(serve.changed); /* for the next waiter */
    return state;
}

void psServeStop(void)
{
    restoreTerminal();
    if (!serve.thread || psServeWait(0.0, NULL, 0) != psServeServing)
        return;
    errlogFlush();
    /* Base's PVA server grumbles about itself on the way out; nobody can do anything about it. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, 2);
        close(nowhere);
    }
    iocShutdown();
}
