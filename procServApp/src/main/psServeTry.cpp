/* SPDX-License-Identifier: EPICS */
/* `procServIoc --check-ioc`: build the IOC isolated in this process.  The files of a user are run
 * and loaded as they are, but nothing is seen outside of this process. */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <csignal>
#include <unistd.h>

#include <asDbLib.h>
#include <dbAccess.h>
#include <dbLoadTemplate.h>
#include <epicsStdio.h>
#include <iocInit.h>
#include <iocsh.h>

#include "psAcf.h"
#include "psServe.h"
#include "psServeSteps.h"
#include "psTrial.h"

using namespace psSteps;

static const rlim_t TRIAL_DESCRIPTORS = 256; /* a database that includes itself ends soon */

namespace
{

/* The real standard output; that of the thread is for Base. */
FILE *findings;
bool anyBad;

void finding(bool bad, const std::string &line)
{
    fprintf(findings, "%s %s\n", bad ? "bad" : "good", line.c_str());
    fflush(findings);
    anyBad = anyBad || bad;
}

/* ---- a script ---- */

int build()
{
    try {
        checkNetwork();
    } catch (std::exception &e) {
        finding(true, e.what());
    }
    return iocBuildIsolated();
}

void iocInitCall(const iocshArgBuf *)
{
    iocshSetError(build());
}

void loaded(const char *file, long status)
{
    std::string why = firstError();

    if (status)
        finding(true, std::string("cannot load ") + (file ? file : "a database") +
                          (why.empty() ? "" : ": " + why));
    begin("running the script");
    iocshSetError(static_cast<int>(status));
}

void loadRecordsCall(const iocshArgBuf *args)
{
    loaded(args[0].sval, dbLoadRecords(args[0].sval, args[1].sval));
}

void loadTemplateCall(const iocshArgBuf *args)
{
    loaded(args[0].sval, dbLoadTemplate(args[0].sval, args[1].sval));
}

/* asInit would say on standard error only what it lacks. */
void setFilenameCall(const iocshArgBuf *args)
{
    const char *file = args[0].sval;

    asSetFilename(file);
    if (file && access(file, R_OK))
        finding(true, std::string("access security: ") + file + ": " + strerror(errno));
}

void watchLoads()
{
    static const iocshArg file = {"file name", iocshArgString};
    static const iocshArg macros = {"substitutions", iocshArgString};
    static const iocshArg *const args[] = {&file, &macros};
    static const iocshFuncDef records = {"dbLoadRecords", 2, args, NULL};
    static const iocshFuncDef templates = {"dbLoadTemplate", 2, args, NULL};
    static const iocshFuncDef rules = {"asSetFilename", 1, args, NULL};
    static const iocshFuncDef inits[] = {{"iocInit", 0, NULL, NULL}, {"iocBuild", 0, NULL, NULL}};

    iocshRegister(&records, loadRecordsCall);
    iocshRegister(&templates, loadTemplateCall);
    iocshRegister(&rules, setFilenameCall);
    for (size_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++)
        iocshRegister(&inits[i], iocInitCall);
}

void tryScript(const char *script)
{
    static const char *const silent[] = {
        "iocRun",         "system", "procServAdd", "procServStart",    "procServCmd",
        "procServReport", "casr",   "dbpf",        "epicsThreadSleep", NULL};

    disarm(silent);
    watchLoads();
    runScript(script);
}

void tryAll(const psServeOptions &options)
{
    psServeEnvironment(&options);
    ownChecks(options);
    loadDefinitions();
    loadRecords(options);
    setAccess(options.acf);
    if (options.script)
        tryScript(options.script);
    if (getIocState() == iocVoid) { /* else the script has tried, and the reason is known */
        begin("building the IOC");
        build();
    }
    if (getIocState() != iocBuilt && !anyBad)
        fail(options.acf ? std::string("access security: ") + options.acf
                         : std::string("the IOC cannot start"));
    const char *lacks = psAcfLacks();
    if (options.acf && lacks)
        finding(false, std::string("access security: warning: ") + options.acf + ": " + lacks);
}

void limitMyself()
{
    struct rlimit limit;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no trial outlives the program that wants to know */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > TRIAL_DESCRIPTORS) {
        limit.rlim_cur = TRIAL_DESCRIPTORS;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

} // namespace

int psServeCheck(const psServeOptions *options, double deadlineSec,
                 void (*report)(void *ctx, bool bad, const char *line), void *ctx)
{
    try {
        psServeEnvironment(options);
        ownChecks(*options);
    } catch (std::exception &e) {
        report(ctx, true, firstLine(e.what()).c_str());
        return 1;
    }
    psServeOptions acfOnly = *options, scriptOnly = *options;
    acfOnly.script = NULL;
    scriptOnly.acf = NULL;
    /* one after the other, as when it runs: so it is known which is bad */
    int errors = options->acf ? psTrialRun(&acfOnly, deadlineSec, report, ctx) : 0;
    if (options->script || !options->acf)
        errors += psTrialRun(&scriptOnly, deadlineSec, report, ctx);
    if (!errors)
        report(ctx, false, "the IOC: records and access security can be loaded");
    return errors;
}

int psServeTrial(const psServeOptions *options)
{
    limitMyself();
    listen();
    findings = epicsGetStdout();
    epicsSetThreadStdout(stderr);
    try {
        tryAll(*options);
    } catch (std::exception &e) {
        finding(true, firstLine(e.what()));
    }
    fflush(NULL);
    _exit(anyBad); /* what Base left behind need not end well */
}
