/* SPDX-License-Identifier: EPICS */
/* The program's start and end.
 *
 * Supervise first, be an IOC second: endpoints and logs are opened, the loop runs and the child
 * starts before anything of the IOC does, since Base may do anything to its caller (psServe.h).
 * The end is the loop's: when the children are gone it calls ended(), and two seconds later the
 * program is over, whatever this thread or Base are stuck in.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <epicsExit.h>
#include <epicsThread.h>
#include <errlog.h>

#include "psCheck.h"
#include "psDaemon.h"
#include "psEnviron.h"
#include "psLaunch.h"
#include "psOptions.h"
#include "psOwnLog.h"
#include "psRunFiles.h"
#include "psServe.h"
#include "psServeSteps.h"
#include "psSignals.h"
#include "psSup.h"
#include "psThread.h"
#include "psTrial.h"
#include "psTrialIoc.h"

#define IOC_DESCRIPTORS 256 /* what CA, PVA and their clients may need */
#define END_SEC 2.0         /* for an orderly end, once the children are gone */
#define SERVE_SEC 30.0      /* until an IOC that does not come up is reported */
#define ASKED_TO_END -1     /* by a signal, before it began: exit code 0 */
#define EXIT_NO_STDIO 255   /* procServ's code where /dev/null is missing */

/* One run of the program. */
typedef struct run {
    psProgram *program;
    psSupOptions options;
    psServeOptions serveOptions; /* without .sup */
    bool canServe;               /* the IOC may be started */
    psSup *sup;
    psDaemon daemon;
    psRunFiles files;
    atomic_bool nothingToDo; /* a script failed that would have had all the children */
    int exitCode;            /* set by the loop thread before it starts the watchdog */
} run;

/* ---- end ---- */

static void watchdog(void *arg)
{
    const run *self = arg;

    epicsThreadSleep(END_SEC);
    _exit(self->exitCode);
}

static void yieldFiles(void *arg)
{
    const run *self = arg;

    psRunFilesYield(&self->files);
}

/* On the loop thread, which a file server that hangs must not keep.  Without a thread, a program
 * that is started now in our place waits less patiently. */
static void ending(void *ctx)
{
    (void)psThreadCreate("psYield", epicsThreadPriorityMedium, epicsThreadStackSmall, yieldFiles,
                         ctx);
}

/* On the loop thread, when everything is down.  The watchdog comes first: a file server that
 * hangs in unlink() must not keep the program. */
static void ended(void *ctx, int exitCode)
{
    run *self = ctx;

    self->exitCode = atomic_load(&self->nothingToDo) ? EXIT_FAILURE : exitCode;
    epicsThreadId thread =
        psThreadCreate("psEnd", epicsThreadPriorityMedium, epicsThreadStackSmall, watchdog, self);
    psRunFilesRemove(&self->files);
    if (!thread)
        _exit(self->exitCode);
}

static int conclude(run *self)
{
    int code = psSupWait(self->sup, -1.0);

    psSignalsDeliver(NULL);
    if (atomic_load(&self->nothingToDo))
        code = EXIT_FAILURE;
    if (self->canServe) {
        psServeState state = psServeWait(0.0);

        /* Base is at work or stuck in the thread psServe: no exit handler may run now. */
        if (state == psServeStarting || state == psServeSuspended)
            _exit(code);
        psServeStop();
        /* The records refer to the supervisor as long as there are threads of Base. */
        epicsExit(code);
    }
    psOwnLogStop();
    psSupFree(self->sup);
    psProgramFree(self->program);
    return code;
}

/* ---- start ---- */

/* Consoles, CA and PVA need many descriptors; the child gets the original limit (psInherit). */
static void raiseDescriptorLimit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void fillSupOptions(run *self)
{
    psSupOptionsDefault(&self->options);
    self->options.banner = PS_PROGRAM_VERSION;
    self->options.argv0 = self->program->argv0;
    self->options.inherit = psSupSaveInherit();
    self->options.ownLog = self->program->ownLog;
    self->options.environ = psEnvironOriginal();
    self->options.reservedDescriptors = self->program->noIoc ? 0 : IOC_DESCRIPTORS;
    self->options.statPeriodSec = self->program->statPeriodSec;
    self->options.staggerSec = self->program->staggerSec;
    self->options.endWithOneShot = true;
    self->options.ending = ending;
    self->options.ended = ended;
    self->options.ctx = self;
}

static void fillServeOptions(run *self)
{
    const psProgram *program = self->program;
    bool stays = program->foreground || program->debug;

    self->serveOptions = (psServeOptions){
        .argv0 = program->argv0,
        .name = program->child ? psConfigName(program->child) : NULL,
        .readyPv = program->child && program->child->readyRule == psReadyPv
                       ? program->child->readyWhat
                       : NULL,
        .watchPv = program->child ? program->child->watchPv : NULL,
        .supName = program->supName,
        .prefix = program->prefix,
        .script = program->script,
        .acf = program->acf,
        .ownLog = program->ownLog,
        .insecurePvs = program->insecurePvs,
        .iocEnv = program->iocEnv,
        .relay = program->relay,
        .shell = stays && !program->child && isatty(0),
    };
}

/* A second server ends with the code of a port that is taken, as it would without a pid file. */
static int codeOf(int status)
{
    return status == -ECANCELED ? ASKED_TO_END : EADDRINUSE;
}

static void startOwnLog(run *self)
{
    const psProgram *program = self->program;
    char line[PS_TEXT_BYTES];

    if (!program->ownLog)
        return;
    psOwnLogStart(self->sup);
    snprintf(line, sizeof(line), "%s: process %ld starts, with %s%s", PS_PROGRAM_VERSION,
             (long)getpid(),
             program->noIoc    ? "no PVs"
             : program->script ? "script "
                               : "PVs",
             !program->noIoc && program->script ? program->script : "");
    psSupWriteLog(self->sup, line);
}

/* Opens all that can fail.  The text for a malformed endpoint is procServ's and complete; what the
 * system refused is reported with its number.
 * @return the exit code, 0 if it runs now; ASKED_TO_END */
static int start(run *self)
{
    const psProgram *program = self->program;
    char msg[2 * PS_TEXT_BYTES] = "";
    int status = psRunFilesAwait(&self->files);

    if (status)
        return codeOf(status);
    self->sup = psSupCreate(&self->options);
    if (!self->sup)
        return ENOMEM; /* psSupCreate() has said so */
    startOwnLog(self);
    status = program->child ? psSupAddChild(self->sup, program->child, msg, sizeof(msg)) : 0;
    if (status) {
        fprintf(stderr, "%s\n", msg);
        if (status == -EINVAL)
            return EXIT_FAILURE;
        fprintf(stderr, "%s: Exiting with error code: %d\n", program->argv0, -status);
        return -status;
    }
    status = psRunFilesWrite(&self->files, self->sup);
    if (status) {
        psRunFilesRemove(&self->files);
        return codeOf(status);
    }
    if (self->canServe)
        psServeAnnounce(self->sup);       /* before the terminal, whose banner has it */
    psLaunchTerminal(program, self->sup); /* before the start, which it shows */
    status = psSupStart(self->sup);
    if (status) {
        psOwnLogSay("%s: cannot start: %s", program->argv0, strerror(-status));
        psRunFilesRemove(&self->files);
        return -status;
    }
    return 0;
}

/* Before any thread: it changes the environment. */
static void prepareIoc(run *self)
{
    if (self->program->noIoc)
        return;
    int status = psServePrepare(&self->serveOptions);
    self->canServe = !status;
    if (status)
        fprintf(stderr, "%s: no PVs: %s\n", self->program->argv0, strerror(-status));
}

/* Base's errlog calls exit() when the system has no thread or memory for it, which it finds out
 * at its first use.  That must be before a child runs, and be said in words of ours. */
static run *beginning;

static void cannotBegin(void)
{
    if (!beginning)
        return;
    fprintf(stderr, "%s: cannot start: cannot create a thread or allocate memory\n",
            beginning->program->argv0);
    psDaemonReport(&beginning->daemon, EAGAIN);
    _exit(EAGAIN);
}

static void prepareBase(run *self)
{
    beginning = self;
    atexit(cannotBegin); /* should that fail, Base's own line has to do */
    prepareIoc(self);
    errlogInit(0);
    beginning = NULL;
}

/* Without a command the script has all the children: if it fails and has added none, nothing is
 * left to do.  @return the exit code, 0 if the program goes on */
static int judge(run *self, psServeState state)
{
    const psProgram *program = self->program;

    if (program->child || psSupCount(self->sup) || state == psServeStarting ||
        state == psServeServing)
        return 0;
    psOwnLogSay("%s: %s started no child; procServIoc ends", program->argv0, program->script);
    atomic_store(&self->nothingToDo, true);
    psSupShutdown(self->sup);
    return EXIT_FAILURE;
}

/* What becomes of the IOC has been reported by it.  @return as judge() */
static int serve(run *self)
{
    if (self->program->noIoc)
        return 0;
    int status = self->canServe ? psServeStart() : 0;
    if (status) {
        self->canServe = false;
        psOwnLogSay("%s: no PVs: %s", self->program->argv0, strerror(-status));
    }
    return judge(self, self->canServe ? psServeWait(SERVE_SEC) : psServeFailed);
}

/* The same for a script that takes longer. */
static void serveOn(run *self)
{
    if (self->canServe && !self->program->child)
        (void)judge(self, psServeWait(-1.0));
}

/* A script that cannot be read is a wrong command line, known before anything is supervised. */
static int checkScript(const psProgram *program)
{
    char msg[PS_REASON_BYTES] = "";

    if (!program->script || !psStepScriptCheck(program->script, msg, sizeof(msg)))
        return 0;
    fprintf(stderr, "%s: cannot read the script %s\n", program->argv0, msg);
    return EXIT_FAILURE;
}

/* @return true in the process that is to go on; false in the caller's, which ends with *outCode */
static bool becomeDaemon(run *self, int *outCode)
{
    psProgram *program = self->program;

    if (program->foreground || program->debug)
        return true;
    int pid = psDaemonFork(&self->daemon, outCode);
    if (pid < 0) {
        fprintf(stderr, "%s: cannot become a daemon: %s\n", program->argv0, strerror(-pid));
        *outCode = -pid;
    } else if (pid > 0 && *outCode == 0) {
        psLaunchReport(program, pid);
    }
    return pid == 0;
}

static void reportToCaller(run *self, int code)
{
    errlogFlush(); /* what was said so far is for the caller's standard error */
    psDaemonReport(&self->daemon, code);
    if (!code && !self->program->foreground && !self->program->debug)
        psOwnLogDetach();
}

/* The order of the start.  Signals come before the first thread, and the environment is set by
 * then; children run before the IOC is begun.  The caller of a daemon waits for the script only if
 * there is nothing else that could succeed. */
static int runProgram(run *self)
{
    psProgram *program = self->program;
    int code = checkScript(program);

    if (code || !becomeDaemon(self, &code))
        return code;
    psSignalsInstall(program->foreground);
    raiseDescriptorLimit();
    prepareBase(self);
    if (program->debug)
        psLaunchDebug(program);
    psLaunchStdout(program, self->serveOptions.shell);
    code = start(self);
    if (code) {
        code = code == ASKED_TO_END ? EXIT_SUCCESS : code;
        reportToCaller(self, code);
        psOwnLogStop();
        psSupFree(self->sup);
        return code;
    }
    psSignalsDeliver(self->sup); /* before anything that a full pipe may block */
    if (program->child)
        reportToCaller(self, 0);
    code = serve(self);
    if (!program->child)
        reportToCaller(self, code);
    if (!code)
        serveOn(self);
    return conclude(self);
}

/* ---- main ---- */

static int act(run *self)
{
    int mode;

    switch (self->program->action) {
    case psActionHelp:
    case psActionVersion:
        return EXIT_SUCCESS;
    case psActionUsageError:
        return EXIT_FAILURE;
    case psActionCheck:
        return psCheck(self->program, &self->options, &self->serveOptions);
    case psActionCheckIoc:
        mode = psTrialModeParse(self->program->trialMode);
        if (mode >= 0)
            psTrialIoc(&self->serveOptions, (psTrialMode)mode, &self->options);
        return EXIT_FAILURE;
    case psActionRun:
        return runProgram(self);
    }
    return EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
    static run self = {.daemon = PS_DAEMON_INIT, .files = PS_RUN_FILES_INIT};

    if (psDaemonGuardStdio())
        return EXIT_NO_STDIO;
    self.program = psOptionsParse(argc, argv, getenv);
    if (!self.program || !psEnvironOriginal()) {
        fprintf(stderr, "procServIoc: out of memory\n");
        return EXIT_FAILURE;
    }
    fputs(self.program->err, stderr);
    fputs(self.program->out, stdout);
    self.files.argv0 = self.program->argv0;
    self.files.pid.path = self.program->pidFile;
    self.files.info.path = self.program->infoFile;
    fillSupOptions(&self);
    fillServeOptions(&self);
    return act(&self);
}
