/* SPDX-License-Identifier: EPICS */
/* Which rules of access security hold: at the start, and when the shell's asInit reads them again.
 * Base asInit of a bad file stops iocInit for good, and may abort: so a file is tried first. */
#include <cstdio>
#include <string>

#include <asDbLib.h>
#include <asLib.h>
#include <iocsh.h>

#include "psAcf.h"
#include "psServe.h"
#include "psServeSteps.h"
#include "psTrial.h"

static const double TRIAL_SEC = 10.0;

namespace psSteps
{

namespace
{

/* Thread: the one that runs the shell. */
struct Rules {
    const psServeOptions *options; /* NULL: there are none of ours */
    std::string file;              /* of the script's asSetFilename; "": ours hold */
} rules;

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

void tryAcf(const psServeOptions &options, const char *acf)
{
    psServeOptions only = options;

    only.script = NULL;
    only.acf = acf;
    if (acf)
        tryFiles(only);
}

void setFilenameCall(const iocshArgBuf *args)
{
    rules.file = args[0].sval ? args[0].sval : "";
    rules.options = args[0].sval ? rules.options : NULL;
    asSetFilename(args[0].sval);
}

/* A bad file leaves the rules as they are. */
void initCall(const iocshArgBuf *)
{
    try {
        if (rules.options) {
            bool own = rules.file.empty();

            tryAcf(*rules.options, own ? rules.options->acf : rules.file.c_str());
            if (own)
                setAccess(rules.options->acf); /* and this host's addresses of now */
        }
        if (asInit())
            throw Failure("access security: the rules stay as they were");
    } catch (std::exception &e) {
        fprintf(stderr, "asInit: %s\n", e.what());
        iocshSetError(-1);
    }
}

void watchRules()
{
    static const iocshArg file = {"ascf", iocshArgString};
    static const iocshArg *const args[] = {&file};
    static const iocshFuncDef setFilename = {"asSetFilename", 1, args, NULL};
    static const iocshFuncDef init = {"asInit", 0, NULL, NULL};

    iocshRegister(&setFilename, setFilenameCall);
    iocshRegister(&init, initCall);
}

} // namespace

void tryFiles(const psServeOptions &files)
{
    Findings findings = Findings();

    if (psTrialRun(&files, TRIAL_SEC, noteFinding, &findings))
        throw Failure(findings.first);
}

/* A bad file of rules closes the commands; it is no reason to show nothing. */
std::string prepareAccess(const psServeOptions &options)
{
    std::string line;

    watchRules();
    if (options.insecurePvs && !options.acf)
        return "PVs are open: anybody on the network may give commands (--insecure-pvs)";
    rules.options = &options;
    begin("trying the access security file");
    try {
        tryAcf(options, options.acf);
        setAccess(options.acf);
    } catch (std::exception &e) {
        line = "PVs are read-only: " + firstLine(e.what());
        asCheckClientIP = 1;
        if (psAcfUseClosed())
            throw Failure("no rules of access security can be loaded");
    }
    return line;
}

} // namespace psSteps
