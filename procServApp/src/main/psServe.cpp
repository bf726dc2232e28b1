/* SPDX-License-Identifier: EPICS */
/* See psServe.h.  C++ only because Base throws: every step runs under try/catch. */
#include <exception>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <fcntl.h>
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
#include "psTrial.h"

extern "C" {
int procServIoc_registerRecordDeviceDriver(struct dbBase *pdbbase);
extern int dbThreadRealtimeLock; /* of Base, in no header */
}

static const double TRIAL_SEC = 10.0;
static const double LOOK_SEC = 0.1;    /* how often a waiter looks for a suspended thread */
static const int QUEUE_SLOTS = 2000;   /* Base's own size of the callback queue */
static const int SLOTS_PER_CHILD = 16; /* what a burst of commands may queue */

static const char OWN_ACF[] = "procServ.acf";
static const char OWN_RECORDS[] = "psChild.template";
static const char OWN_DBD[] = "procServIoc.dbd";

namespace
{

struct Serve {
    psServeOptions options;
    epicsThreadId thread;
    epicsEventId changed; /* state is no longer Starting */
    epicsMutexId lock;    /* guards all below */
    psServeState state;
    const char *step;  /* what Base is at, for a person */
    std::string told;  /* the one line */
    std::string first; /* the first line of errlog that tells of an error, in this step */
    bool quiet;        /* Base's chatter is not for standard error */
};

Serve serve;

class Guard
{
    epicsMutexId id;

  public:
    explicit Guard(epicsMutexId id_) : id(id_)
    {
        epicsMutexMustLock(id);
    }
    ~Guard()
    {
        epicsMutexUnlock(id);
    }
};

/* Thrown by a step that did not succeed. */
class Failure : public std::exception
{
    std::string text;

  public:
    explicit Failure(const std::string &text_) : text(text_)
    {
    }
    ~Failure() throw()
    {
    }
    const char *what() const throw()
    {
        return text.c_str();
    }
};

/* ---- errlog ---- */

bool isChatter(const char *line)
{
    return strncmp(line, "Starting iocInit", 16) == 0 || strncmp(line, "iocRun: ", 8) == 0;
}

/* Base explains itself on errlog only.  Thread: errlog's. */
void listener(void *, const char *message)
{
    std::string line(message);
    Guard guard(serve.lock);

    while (!line.empty() && (line.back() == '\n' || line.back() == ' '))
        line.pop_back();
    if (serve.quiet && !isChatter(message))
        fputs(message, stderr);
    if (serve.first.empty() && psTrialTellsError(line.c_str()))
        serve.first = line.substr(0, 200);
}

void beginStep(const char *step)
{
    errlogFlush();
    Guard guard(serve.lock);
    serve.step = step;
    serve.first.clear();
}

std::string firstError()
{
    errlogFlush();
    Guard guard(serve.lock);
    return serve.first;
}

void failStep(const std::string &what)
{
    std::string why = firstError();

    throw Failure(why.empty() ? what : what + ": " + why);
}

/* ---- telling ---- */

/* What Base throws may bring a whole stack trace along. */
std::string firstLine(const char *text)
{
    return std::string(text, strcspn(text, "\r\n"));
}

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

/* ---- steps, also of the trial ---- */

/* The folder above bin/ of this program, wherever the tree was moved to. */
std::string top()
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len <= 0)
        throw Failure("cannot read /proc/self/exe");
    std::string dir(path, static_cast<size_t>(len));
    for (int i = 0; i < 3; i++)
        dir.erase(dir.find_last_of('/'));
    return dir;
}

std::string dbFile(const char *name)
{
    return top() + "/db/" + name;
}

void applyEnvironment(const psServeOptions &options)
{
    /* else a script's lines go into a file in the working directory; a person's may */
    if (!options.shell)
        setenv("EPICS_IOCSH_HISTFILE", "", 0);
    for (char *const *env = options.iocEnv; env && *env; env++) {
        const char *equal = strchr(*env, '=');

        if (equal)
            setenv(std::string(*env, static_cast<size_t>(equal - *env)).c_str(), equal + 1, 1);
    }
}

void ownChecks(const psServeOptions &options)
{
    char msg[PS_TEXT_BYTES], prefix[256];

    if (psCheckInterfaces(msg, sizeof(msg)))
        throw Failure(msg);
    if (options.name &&
        psMakePrefix(options.prefix, options.name, prefix, sizeof(prefix), msg, sizeof(msg)))
        throw Failure(msg);
    if (options.script && access(options.script, R_OK))
        throw Failure(std::string(options.script) + ": " + strerror(errno));
}

void loadDefinitions()
{
    std::string file = top() + "/dbd/" + OWN_DBD;

    beginStep("loading record types");
    if (dbLoadDatabase(file.c_str(), NULL, NULL) || procServIoc_registerRecordDeviceDriver(pdbbase))
        failStep("cannot load " + file);
}

void loadRecords(const psServeOptions &options)
{
    char prefix[256], msg[PS_TEXT_BYTES];

    if (!options.name)
        return;
    beginStep("loading records");
    if (psMakePrefix(options.prefix, options.name, prefix, sizeof(prefix), msg, sizeof(msg)))
        throw Failure(msg);
    std::string file = dbFile(OWN_RECORDS);
    std::string macros = std::string("P=") + prefix + ",CHILD=\"" + options.name + "\",NAME=\"" +
                         options.name + "\"";
    if (dbLoadRecords(file.c_str(), macros.c_str()))
        failStep("cannot load " + file);
}

void setAccess(const char *file)
{
    char msg[PS_TEXT_BYTES];
    std::string own = dbFile(OWN_ACF);

    asCheckClientIP = 1; /* or the host is what the client says */
    if (psAcfUse(file ? file : own.c_str(), msg, sizeof(msg)))
        throw Failure(std::string("access security: ") + msg);
}

/* dbLoadRecords("psChild.template") of a script finds ours, wherever the tree is. */
void setIncludePath()
{
    const char *given = getenv("EPICS_DB_INCLUDE_PATH");

    setenv("EPICS_DB_INCLUDE_PATH", ((given ? given : ".") + (":" + top()) + "/db").c_str(), 1);
}

void runScript(const char *script)
{
    beginStep("running the script");
    setIncludePath();
    if (iocsh(script))
        failStep(std::string(script) + " ended with an error");
}

/* ---- serving ---- */

struct Findings {
    int bad;
    std::string first;
};

void noteFinding(void *ctx, bool bad, const char *line)
{
    Findings *findings = static_cast<Findings *>(ctx);

    if (bad && !findings->bad++)
        findings->first = line;
}

/* A bad file of rules closes the commands; it is no reason to show nothing. */
void prepareAccess()
{
    psServeOptions only = serve.options;
    Findings findings = Findings();

    beginStep("trying the access security file");
    only.script = NULL;
    try {
        if (only.acf && psTrialRun(&only, TRIAL_SEC, noteFinding, &findings))
            throw Failure(findings.first);
        setAccess(only.acf);
    } catch (std::exception &e) {
        tell("PVs are read-only: " + firstLine(e.what()));
        asCheckClientIP = 1;
        if (psAcfUseClosed())
            throw Failure("no rules of access security can be loaded");
    }
}

void tryScript()
{
    psServeOptions only = serve.options;
    Findings findings = Findings();

    if (!only.script)
        return;
    beginStep("trying the script");
    only.acf = NULL;
    if (psTrialRun(&only, TRIAL_SEC, noteFinding, &findings))
        throw Failure(findings.first);
}

void build()
{
    psSup *sup = serve.options.sup;
    int slots = SLOTS_PER_CHILD * psSupCount(sup);

    dbThreadRealtimeLock = 0; /* as root Base would make all stacks resident */
    callbackSetQueueSize(slots > QUEUE_SLOTS ? slots : QUEUE_SLOTS);
    psIocSetInsecure(serve.options.insecurePvs);
    psIocSetSup(sup);
    loadRecords(serve.options);
    if (serve.options.script)
        runScript(serve.options.script);
    beginStep("starting the IOC");
    if (getIocState() == iocVoid && iocInit())
        failStep("the IOC cannot start");
    if (getIocState() != iocRunning)
        failStep("the IOC does not run");
}

void serveAll()
{
    char msg[PS_TEXT_BYTES];

    beginStep("checking");
    applyEnvironment(serve.options);
    ownChecks(serve.options);
    loadDefinitions();
    tryScript();
    prepareAccess();
    psListening *before = psListeningNow();
    try {
        build();
    } catch (...) {
        free(before);
        throw;
    }
    beginStep("looking whether the IOC listens");
    int status = psCheckServers(before, msg, sizeof(msg));
    free(before);
    if (status)
        failStep(msg);
}

void chatter(bool on)
{
    Guard guard(serve.lock);

    serve.quiet = !on;
    eltc(on);
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
        chatter(true);
        conclude(psServeFailed, "no PVs: " + firstLine(e.what()));
    } catch (...) {
        chatter(true);
        conclude(psServeFailed, "no PVs: Base threw something unknown");
    }
    errlogRemoveListeners(listener, NULL);
    epicsSetThreadStdout(NULL);
    if (nowhere)
        fclose(nowhere);
    if (serve.options.shell)
        iocsh(NULL);
}

/* ---- the trial ---- */

/* The real standard output; that of the thread is for Base. */
FILE *findings;

void finding(bool bad, const std::string &line)
{
    fprintf(findings, "%s %s\n", bad ? "bad" : "good", line.c_str());
    fflush(findings);
}

void iocInitCall(const iocshArgBuf *)
{
    iocshSetError(iocBuildIsolated());
}

void nothingCall(const iocshArgBuf *)
{
}

/* A script is run as it is, but for what would be seen outside of this process. */
void disarmShell()
{
    static const iocshArg words = {"...", iocshArgArgv};
    static const iocshArg *const args[] = {&words};
    static const iocshFuncDef inits[] = {{"iocInit", 0, NULL, NULL}, {"iocBuild", 0, NULL, NULL}};
    static const iocshFuncDef silent[] = {
        {"iocRun", 1, args, NULL},      {"system", 1, args, NULL},
        {"procServAdd", 1, args, NULL}, {"procServStart", 1, args, NULL},
        {"procServCmd", 1, args, NULL}, {"procServReport", 1, args, NULL},
        {"casr", 1, args, NULL},        {"dbpf", 1, args, NULL},
    };

    for (size_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++)
        iocshRegister(&inits[i], iocInitCall);
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        iocshRegister(&silent[i], nothingCall);
}

void tryAll(const psServeOptions &options)
{
    applyEnvironment(options);
    ownChecks(options);
    loadDefinitions();
    disarmShell();
    loadRecords(options);
    setAccess(options.acf);
    if (options.script)
        runScript(options.script);
    beginStep("building the IOC");
    if (getIocState() == iocVoid && iocBuildIsolated())
        failStep(options.acf ? std::string("access security: ") + options.acf
                             : std::string("the IOC cannot start"));
    const char *lacks = psAcfLacks();
    if (options.acf && lacks)
        finding(false, std::string("access security: warning: ") + options.acf + ": " + lacks);
}

void initServe(const psServeOptions *options)
{
    serve.options = *options;
    serve.lock = epicsMutexMustCreate();
    serve.changed = epicsEventMustCreate(epicsEventEmpty);
    serve.step = "starting";
    errlogInit(0);
    errlogAddListener(listener, NULL);
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
    const char *step;
    {
        Guard guard(serve.lock);
        step = serve.step;
    }
    conclude(psServeSuspended,
             std::string("no PVs: Base gave up while ") + step + (why.empty() ? "" : ": " + why));
}

} // namespace

int psServeStart(const psServeOptions *options)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;

    initServe(options);
    opts.priority = epicsThreadPriorityLow;
    opts.stackSize = epicsThreadGetStackSize(epicsThreadStackBig);
    serve.thread = epicsThreadCreateOpt("psServe", serveThread, NULL, &opts);
    return serve.thread ? 0 : -ENOMEM;
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
        if (state != psServeStarting || (timeoutSec >= 0 && left <= 0))
            break;
        epicsEventWaitWithTimeout(serve.changed,
                                  timeoutSec >= 0 && left < LOOK_SEC ? left : LOOK_SEC);
    }
    if (state == psServeStarting && timeoutSec > 0) {
        std::string line;
        {
            Guard guard(serve.lock);
            line = std::string("no PVs yet: Base is still ") + serve.step;
        }
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

int psServeCheck(const psServeOptions *options, double deadlineSec,
                 void (*report)(void *ctx, bool bad, const char *line), void *ctx)
{
    int errors;

    try {
        applyEnvironment(*options);
        ownChecks(*options);
    } catch (std::exception &e) {
        report(ctx, true, firstLine(e.what()).c_str());
        return 1;
    }
    errors = psTrialRun(options, deadlineSec, report, ctx);
    if (!errors)
        report(ctx, false, "the IOC: records and access security can be loaded");
    return errors;
}

int psServeTrial(const psServeOptions *options)
{
    int code = 1;

    initServe(options);
    findings = epicsGetStdout();
    epicsSetThreadStdout(stderr);
    try {
        tryAll(*options);
        code = 0;
    } catch (std::exception &e) {
        finding(true, firstLine(e.what()));
    }
    fflush(NULL);
    _exit(code); /* what Base left behind need not end well */
}
