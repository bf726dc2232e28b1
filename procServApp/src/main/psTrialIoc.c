/* SPDX-License-Identifier: EPICS */
/* The files of a user are run and loaded as they are, but nothing is seen outside of this process.
 * For that, some commands of Base's shell are replaced: iocInit would serve, `dbpf` would act.
 * Base offers no other way to keep a script from it. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asDbLib.h>
#include <compilerDependencies.h>
#include <dbAccess.h>
#include <dbDefs.h>
#include <dbLoadTemplate.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <iocInit.h>
#include <iocsh.h>

#include "psAccess.h"
#include "psAcf.h"
#include "psGuarded.h"
#include "psIoc.h"
#include "psProgress.h"
#include "psServeSteps.h"
#include "psShellErrors.h"
#include "psTrialIoc.h"
#include "psTrialLinks.h"
#include "psTrialWords.h"

#define TRIAL_DESCRIPTORS 256 /* what includes itself, database or script, ends soon */

static struct {
    const psServeOptions *options;
    psSupCheck *check; /* until the process ends */
    psTrialMode mode;
    FILE *findings; /* the real standard output; that of the thread is for Base */
    bool anyBad;
} self;

/* ---- findings ---- */

static void finding(bool bad, const char *line)
{
    fprintf(self.findings, "%s %s\n", bad ? "bad" : "good", line);
    fflush(self.findings);
    self.anyBad = self.anyBad || bad;
}

static void findingf(bool bad, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);

static void findingf(bool bad, const char *fmt, ...)
{
    char line[PS_REASON_BYTES];
    va_list args;

    va_start(args, fmt);
    epicsVsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    finding(bad, line);
}

static void reportFinding(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    finding(bad, line);
}

static void reportWarning(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    findingf(bad, "warning: %s", line);
}

/* What the shell refused: a start goes on after it as the shell does, unless the script says
 * `on error`.  But a script that opened so many files would end the program. */
static void reportRefused(void *ctx, const char *line)
{
    size_t len = strlen(line);
    const char *reason = strerror(EMFILE);

    (void)ctx;
    if (len > strlen(reason) && strcmp(line + len - strlen(reason), reason) == 0)
        findingf(true, "%s: does the script include itself?", line);
    else if (self.mode == psTrialCheck)
        finding(true, line);
}

/* As what the shell refuses: a start goes on after it. */
static void reportLeftOut(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    if (self.mode == psTrialCheck)
        finding(bad, line);
}

/* ---- the children of the script ---- */

static void addChild(void *ctx, const psConfig *cfg)
{
    (void)ctx;
    bool isNew = psTrialLinksKnow(psConfigName(cfg));
    if (self.mode != psTrialCheck)
        return;
    if (isNew) {
        psTrialLinksWant(cfg);
        psSupCheckChild(self.check, cfg);
    } else {
        findingf(true, "%s: there is a child of that name already", psConfigName(cfg));
    }
}

/* A child that the script adds again, or without end because it includes itself, is passed once. */
static void passCommand(const char *command, const iocshArgBuf *args)
{
    char dir[4096];
    int argc = args[0].aval.ac;

    if (argc > 1 && strcmp(command, "procServAdd") == 0 && !psTrialLinksKnow(args[0].aval.av[1]))
        return;
    fputs("command ", self.findings);
    psTrialWordPut(self.findings, getcwd(dir, sizeof(dir)) ? dir : ".");
    fputc('\t', self.findings);
    psTrialWordPut(self.findings, command);
    for (int i = 1; i < argc; i++) {
        fputc('\t', self.findings);
        psTrialWordPut(self.findings, args[0].aval.av[i]);
    }
    fputc('\n', self.findings);
    fflush(self.findings);
}

static void addCall(const iocshArgBuf *args)
{
    passCommand("procServAdd", args);
}

static void startCall(const iocshArgBuf *args)
{
    passCommand("procServStart", args);
}

static void cmdCall(const iocshArgBuf *args)
{
    passCommand("procServCmd", args);
}

static void setCall(const iocshArgBuf *args)
{
    passCommand("procServSet", args);
}

static void lockoutCall(const iocshArgBuf *args)
{
    passCommand("procServLockout", args);
}

/* ---- commands of Base ---- */

static int build(void)
{
    char msg[PS_REASON_BYTES] = "";

    if (psStepNetwork(reportWarning, NULL, msg, sizeof(msg)))
        finding(true, msg);
    return iocBuildIsolated();
}

static void iocInitCall(const iocshArgBuf *args)
{
    (void)args;
    psProgressBegin("building the IOC");
    iocshSetError(build());
    psProgressBegin("running the script");
}

static void loaded(const char *file, long status)
{
    char line[PS_REASON_BYTES];

    if (status) {
        epicsSnprintf(line, sizeof(line), "cannot load %s", file ? file : "a database");
        psProgressExplain(line, sizeof(line));
        finding(true, line);
    }
    psProgressBegin("running the script");
    iocshSetError((int)status);
}

static void loadRecordsCall(const iocshArgBuf *args)
{
    psProgressBegin("loading records");
    loaded(args[0].sval, dbLoadRecords(args[0].sval, args[1].sval));
}

static void loadTemplateCall(const iocshArgBuf *args)
{
    psProgressBegin("loading records");
    loaded(args[0].sval, dbLoadTemplate(args[0].sval, args[1].sval));
}

/* asInit would say on standard error only what it lacks. */
static void setFilenameCall(const iocshArgBuf *args)
{
    const char *file = args[0].sval;

    asSetFilename(file);
    if (file && access(file, R_OK))
        findingf(true, "access security: %s: %s", file, strerror(errno));
}

static void nothingCall(const iocshArgBuf *args)
{
    (void)args;
}

/* ---- which command does what ---- */

static const iocshArg words = {"...", iocshArgArgv};
static const iocshArg file = {"file name", iocshArgString};
static const iocshArg macros = {"substitutions", iocshArgString};
static const iocshArg *const anyArgs[] = {&words};
static const iocshArg *const loadArgs[] = {&file, &macros};

typedef struct replacement {
    iocshFuncDef def;
    iocshCallFunc call;
} replacement;

#define REPLACE(command, function)                                                                 \
    {                                                                                              \
        {.name = (command), .nargs = 1, .arg = anyArgs}, function                                  \
    }

/* They would act on the world, or only take time.  Only commands that the program has: what is
 * unknown at a start must be unknown here. */
static const replacement harmless[] = {
    REPLACE("iocRun", nothingCall),         REPLACE("casr", nothingCall),
    REPLACE("dbpf", nothingCall),           REPLACE("epicsThreadSleep", nothingCall),
    REPLACE("procServReport", nothingCall),
};

static const replacement noted[] = {
    {{.name = "dbLoadRecords", .nargs = 2, .arg = loadArgs}, loadRecordsCall},
    {{.name = "dbLoadTemplate", .nargs = 2, .arg = loadArgs}, loadTemplateCall},
    {{.name = "asSetFilename", .nargs = 1, .arg = loadArgs}, setFilenameCall},
    {{.name = "iocInit"}, iocInitCall},
    {{.name = "iocBuild"}, iocInitCall},
};

static const replacement childrenOnly[] = {
    REPLACE("dbLoadRecords", nothingCall),  REPLACE("dbLoadTemplate", nothingCall),
    REPLACE("dbLoadDatabase", nothingCall), REPLACE("asSetFilename", nothingCall),
    REPLACE("asInit", nothingCall),         REPLACE("iocInit", nothingCall),
    REPLACE("iocBuild", nothingCall),       REPLACE("procServAdd", addCall),
    REPLACE("procServStart", startCall),    REPLACE("procServCmd", cmdCall),
    REPLACE("procServSet", setCall),        REPLACE("procServLockout", lockoutCall),
};

static void replace(const replacement *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        iocshRegister(&list[i].def, list[i].call);
}

/* ---- the trial ---- */

static int tryScript(char *msg, size_t msgSize)
{
    static const psIocTrial trial = {.add = addChild, .refused = reportRefused};

    replace(harmless, NELEMENTS(harmless));
    if (self.mode == psTrialChildren) {
        replace(childrenOnly, NELEMENTS(childrenOnly));
    } else {
        psIocSetTrial(&trial);
        replace(noted, NELEMENTS(noted));
    }
    psShellErrorsBegin(reportRefused, NULL);
    int status = psStepScript(self.options->script, reportLeftOut, NULL, msg, msgSize);
    psShellErrorsEnd();
    return status;
}

/* The access security of the built IOC, its links, and whether it was built at all. */
static int judge(char *msg, size_t msgSize)
{
    const char *acf = self.options->acf;
    const char *lacks = acf ? psAcfLacks() : NULL;

    if (getIocState() != iocBuilt && !self.anyBad) {
        epicsSnprintf(msg, msgSize, acf ? "access security: %s" : "the IOC cannot start", acf);
        psProgressExplain(msg, msgSize);
        return -EINVAL;
    }
    if (lacks)
        findingf(false, "access security: warning: %s: %s", acf, lacks);
    if (self.mode == psTrialCheck)
        psTrialLinksCheck(reportFinding, NULL);
    return 0;
}

static int tryAll(void *ctx, char *msg, size_t msgSize)
{
    const psServeOptions *options = self.options;

    (void)ctx;
    int status = psStepChecks(options, reportWarning, NULL, msg, msgSize);
    status = status ? status : psStepDefinitions(msg, msgSize);
    if (!status && self.mode == psTrialChildren)
        return tryScript(msg, msgSize);
    status = status ? status : psStepRecords(options, msg, msgSize);
    status = status ? status : psAccessSet(options->acf, msg, msgSize);
    if (!status && options->name)
        psTrialLinksKnow(options->name);
    if (!status && options->script)
        status = tryScript(msg, msgSize);
    if (status)
        return status;
    if (getIocState() == iocVoid) { /* else the script has tried, and the reason is known */
        psProgressBegin("building the IOC");
        build();
    }
    return judge(msg, msgSize);
}

/* What this process must not have of its parent, and must not do to it. */
static void isolate(void)
{
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        unsigned long mask;
    } action = {.handler = SIG_DFL}; /* as the kernel has it */
    struct rlimit limit;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no trial outlives the program that wants to know */
    for (int signo = 32; signo <= 33; signo++) /* glibc hides its own: posix_spawn() ignores them */
        syscall(SYS_rt_sigaction, signo, &action, NULL, sizeof(action.mask));
    psSupCloseDescriptors(STDERR_FILENO + 1);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > TRIAL_DESCRIPTORS) {
        limit.rlim_cur = TRIAL_DESCRIPTORS;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void psTrialIoc(const psServeOptions *options, psTrialMode mode, const psSupOptions *sup)
{
    char msg[PS_REASON_BYTES] = "";

    isolate(); /* it closes what was open, so it comes first */
    FILE *nowhere = fopen("/dev/null", "we");
    self.options = options;
    self.mode = mode;
    self.check = psSupCheckCreate(sup, reportFinding, NULL);
    self.findings = stdout;
    if (!self.check || psProgressStart()) {
        finding(true, "cannot test the IOC: out of memory");
        _exit(EXIT_FAILURE);
    }
    psProgressMark();
    psProgressChatter(psChatterFaults);
    epicsSetThreadStdout(nowhere ? nowhere : epicsGetStderr()); /* the shell repeats each line */
    if (psGuarded(tryAll, NULL, msg, sizeof(msg)))
        finding(true, msg);
    if (self.mode == psTrialCheck && options->script)
        psSupCheckLimits(self.check, options->name && *options->name);
    fflush(NULL);
    _exit(self.anyBad ? EXIT_FAILURE : EXIT_SUCCESS); /* what is left of Base may not end cleanly */
}
