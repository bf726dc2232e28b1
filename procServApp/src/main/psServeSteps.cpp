/* SPDX-License-Identifier: EPICS */
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <asDbLib.h>
#include <asLib.h>
#include <dbAccess.h>
#include <dbStaticLib.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <errlog.h>
#include <iocsh.h>

#include "psAcf.h"
#include "psServeCheck.h"
#include "psServeSteps.h"
#include "psTrial.h"

extern "C" {
int procServIoc_registerRecordDeviceDriver(struct dbBase *pdbbase);
}

static const char OWN_ACF[] = "procServ.acf";
static const char OWN_RECORDS[] = "psChild.template";
static const char OWN_DBD[] = "procServIoc.dbd";

namespace psSteps
{

namespace
{

struct Progress {
    epicsMutexId lock; /* guards all below */
    const char *step;
    std::string first; /* error of this step */
    bool quiet;
};

Progress progress;

bool isChatter(const char *line)
{
    return strncmp(line, "Starting iocInit", 16) == 0 || strncmp(line, "iocRun: ", 8) == 0;
}

/* Thread: errlog's. */
void listener(void *, const char *message)
{
    std::string line(message);
    Guard guard(progress.lock);

    while (!line.empty() && (line.back() == '\n' || line.back() == ' '))
        line.pop_back();
    if (progress.quiet && !isChatter(message))
        fputs(message, stderr);
    if (progress.first.empty() && psTrialTellsError(line.c_str())) {
        line.resize(line.size() < 200 ? line.size() : 200);
        line.push_back('\0'); /* of the array that is changed in place */
        psTrialPlain(&line[0]);
        progress.first = line.c_str();
    }
}

} // namespace

void listen()
{
    progress.lock = epicsMutexMustCreate();
    progress.step = "starting";
    errlogInit(0);
    errlogAddListener(listener, NULL);
}

void unlisten()
{
    errlogRemoveListeners(listener, NULL);
}

void chatter(bool on)
{
    Guard guard(progress.lock);

    progress.quiet = !on;
    eltc(on);
}

void begin(const char *step)
{
    errlogFlush();
    Guard guard(progress.lock);
    progress.step = step;
    progress.first.clear();
}

std::string now()
{
    Guard guard(progress.lock);
    return progress.step;
}

std::string firstError()
{
    errlogFlush();
    Guard guard(progress.lock);
    return progress.first;
}

void fail(const std::string &what)
{
    std::string why = firstError();

    throw Failure(why.empty() ? what : what + ": " + why);
}

std::string firstLine(const char *text)
{
    return std::string(text, strcspn(text, "\r\n"));
}

/* ---- steps ---- */

namespace
{

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

/* dbLoadRecords("psChild.template") of a script finds ours, wherever the tree is. */
void setIncludePath()
{
    const char *given = getenv("EPICS_DB_INCLUDE_PATH");

    setenv("EPICS_DB_INCLUDE_PATH", ((given ? given : ".") + (":" + top()) + "/db").c_str(), 1);
}

} // namespace

void checkNetwork()
{
    char msg[PS_TEXT_BYTES];

    if (psCheckInterfaces(msg, sizeof(msg)) || psCheckPorts(msg, sizeof(msg)))
        throw Failure(msg);
}

void ownChecks(const psServeOptions &options)
{
    char msg[PS_TEXT_BYTES], prefix[256];

    checkNetwork();
    if (options.name && *options.name &&
        psMakePrefix(options.prefix, options.name, prefix, sizeof(prefix), msg, sizeof(msg)))
        throw Failure(msg);
    if (options.script && access(options.script, R_OK))
        throw Failure(std::string(options.script) + ": " + strerror(errno));
}

void loadDefinitions()
{
    static bool done;
    std::string file = top() + "/dbd/" + OWN_DBD;

    if (done)
        return;
    begin("loading record types");
    if (dbLoadDatabase(file.c_str(), NULL, NULL) || procServIoc_registerRecordDeviceDriver(pdbbase))
        fail("cannot load " + file);
    done = true;
}

void loadRecords(const psServeOptions &options)
{
    char prefix[256], msg[PS_TEXT_BYTES];

    if (!options.name || !*options.name)
        return;
    begin("loading records");
    if (psMakePrefix(options.prefix, options.name, prefix, sizeof(prefix), msg, sizeof(msg)))
        throw Failure(msg);
    std::string file = dbFile(OWN_RECORDS);
    std::string macros = std::string("P=") + prefix + ",CHILD=\"" + options.name + "\",NAME=\"" +
                         options.name + "\"";
    if (dbLoadRecords(file.c_str(), macros.c_str()))
        fail("cannot load " + file);
}

void setAccess(const char *file)
{
    char msg[PS_TEXT_BYTES];
    std::string own = dbFile(OWN_ACF);

    asCheckClientIP = 1; /* or the host is what the client says */
    if (psAcfUse(file ? file : own.c_str(), msg, sizeof(msg)))
        throw Failure(std::string("access security: ") + msg);
}

void runScript(const char *script)
{
    begin("running the script");
    setIncludePath();
    if (iocsh(script))
        fail(std::string(script) + " ended with an error");
}

/* ---- the shell ---- */

namespace
{

void nothingCall(const iocshArgBuf *)
{
}

} // namespace

void disarm(const char *const *names)
{
    static const iocshArg words = {"...", iocshArgArgv};
    static const iocshArg *const args[] = {&words};

    for (; *names; names++) {
        /* The shell keeps it for ever. */
        iocshFuncDef *def = new iocshFuncDef();

        def->name = *names;
        def->nargs = 1;
        def->arg = args;
        iocshRegister(def, nothingCall);
    }
}

} // namespace psSteps
