/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dbAccess.h>
#include <dbStaticLib.h>
#include <envDefs.h>
#include <epicsStdio.h>
#include <iocsh.h>

#include "psAddressLists.h"
#include "psInstalled.h"
#include "psMacroErrors.h"
#include "psPorts.h"
#include "psPrefix.h"
#include "psProgress.h"
#include "psServeSteps.h"
#include "psServers.h"

#define PATH_BYTES 4096 /* PATH_MAX, which limits.h does not promise */
#define PREFIX_BYTES 256

static const char CHILD_RECORDS[] = "db/psChildAll.template";
static const char SYSTEM_RECORDS[] = "db/psSystem.template";
static const char OWN_DBD[] = "dbd/procServIoc.dbd";

int procServIoc_registerRecordDeviceDriver(struct dbBase *pdbbase); /* made by the build */

int psStepEnvironment(const psServeOptions *options)
{
    psServersForget();
    /* else a script's lines go into a file in the working directory; a person's may */
    if (!options->shell && setenv("EPICS_IOCSH_HISTFILE", "", 0))
        return -errno;
    for (char *const *env = options->iocEnv; env && *env; env++) {
        const char *equal = strchr(*env, '=');
        char *name = equal ? strndup(*env, (size_t)(equal - *env)) : NULL;
        int status = 0;

        if (equal && (!name || setenv(name, equal + 1, 1)))
            status = -ENOMEM; /* the options have checked the name */
        free(name);
        if (status)
            return status;
    }
    return 0;
}

/* ---- checks ---- */

int psStepNetwork(psReportFn report, void *ctx, char *msg, size_t msgSize)
{
    int status = psAddressListsFix(report, ctx, msg, msgSize);

    return status ? status : psPortsCheck(msg, msgSize);
}

static bool hasName(const psServeOptions *options)
{
    return options->name && *options->name;
}

/* Are there records whose prefix we know?  With a script only, if it was given, or a name. */
static bool hasPrefix(const psServeOptions *options)
{
    return hasName(options) || options->supName || options->prefix;
}

int psStepPrefix(const psServeOptions *options, char *out, size_t size, char *msg, size_t msgSize)
{
    const char *name = hasName(options) ? options->name : options->supName;

    *out = '\0';
    return hasPrefix(options) ? psPrefixMake(options->prefix, name, out, size, msg, msgSize) : 0;
}

/* @return 0 or -errno */
static int readThrough(int fd)
{
    char buffer[4096];
    struct stat info;
    ssize_t got;

    if (fstat(fd, &info))
        return -errno;
    if (S_ISDIR(info.st_mode))
        return -EISDIR;
    if (!S_ISREG(info.st_mode))
        return 0;
    do
        got = read(fd, buffer, sizeof(buffer));
    while (got > 0 || (got < 0 && errno == EINTR));
    return got < 0 ? -errno : 0;
}

int psStepScriptCheck(const char *script, char *msg, size_t msgSize)
{
    int fd = open(script, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int status = fd < 0 ? -errno : readThrough(fd);

    if (fd >= 0)
        close(fd);
    if (status)
        epicsSnprintf(msg, msgSize, "%s: %s", script, strerror(-status));
    return status;
}

int psStepChecks(const psServeOptions *options, psReportFn report, void *ctx, char *msg,
                 size_t msgSize)
{
    char prefix[PREFIX_BYTES];
    int status = psStepNetwork(report, ctx, msg, msgSize);

    if (!status)
        status = psStepPrefix(options, prefix, sizeof(prefix), msg, msgSize);
    if (!status && options->script)
        status = psStepScriptCheck(options->script, msg, msgSize);
    return status;
}

/* ---- loading ---- */

static int cannotLoad(const char *file, char *msg, size_t msgSize)
{
    epicsSnprintf(msg, msgSize, "cannot load %s", file);
    psProgressExplain(msg, msgSize);
    return -EINVAL;
}

int psStepDefinitions(char *msg, size_t msgSize)
{
    static bool done;
    char file[PATH_BYTES];

    if (done)
        return 0;
    psProgressBegin("loading record types");
    int status = psInstalled(OWN_DBD, file, sizeof(file), msg, msgSize);
    if (status)
        return status;
    if (dbLoadDatabase(file, NULL, NULL) || procServIoc_registerRecordDeviceDriver(pdbbase))
        return cannotLoad(file, msg, msgSize);
    done = true;
    return 0;
}

static int loadChild(const psServeOptions *options, const char *prefix, char *msg, size_t msgSize)
{
    char file[PATH_BYTES], macros[PREFIX_BYTES + 3 * PS_NAME_BYTES + 2 * PS_PV_BYTES + 80];
    char id[PS_NAME_BYTES];
    int status = psInstalled(CHILD_RECORDS, file, sizeof(file), msg, msgSize);

    if (status)
        return status;
    psPrefixId(options->name, id, sizeof(id));
    if (epicsSnprintf(macros, sizeof(macros),
                      "P=%s,CHILD=\"%s\",NAME=\"%s\",ID=%s,WATCH_PV=\"%s\",READY_PV=\"%s\"", prefix,
                      options->name, options->name, id, options->watchPv ? options->watchPv : "",
                      options->readyPv ? options->readyPv : "") >= (int)sizeof(macros)) {
        epicsSnprintf(msg, msgSize, "the name %s is too long for records: give another --name",
                      options->name);
        return -ENAMETOOLONG;
    }
    return dbLoadRecords(file, macros) ? cannotLoad(file, msg, msgSize) : 0;
}

static int loadSystem(const char *prefix, char *msg, size_t msgSize)
{
    char file[PATH_BYTES], macros[PREFIX_BYTES + 16];
    int status = psInstalled(SYSTEM_RECORDS, file, sizeof(file), msg, msgSize);

    if (status)
        return status;
    epicsSnprintf(macros, sizeof(macros), "P=%sSup:", prefix);
    return dbLoadRecords(file, macros) ? cannotLoad(file, msg, msgSize) : 0;
}

int psStepRecords(const psServeOptions *options, char *msg, size_t msgSize)
{
    char prefix[PREFIX_BYTES];

    if (!hasPrefix(options))
        return 0;
    psProgressBegin("loading records");
    int status = psStepPrefix(options, prefix, sizeof(prefix), msg, msgSize);
    if (!status && hasName(options))
        status = loadChild(options, prefix, msg, msgSize);
    return status ? status : loadSystem(prefix, msg, msgSize);
}

/* ---- script ---- */

/* dbLoadRecords("psChild.template") of a script finds ours, wherever the tree is. */
static int setIncludePath(char *msg, size_t msgSize)
{
    const char *given = getenv("EPICS_DB_INCLUDE_PATH");
    char own[PATH_BYTES];
    int status = psInstalled("db", own, sizeof(own), msg, msgSize);

    if (status)
        return status;
    size_t size = (given ? strlen(given) : 1) + strlen(own) + 2;
    char *path = malloc(size);
    if (!path) {
        epicsSnprintf(msg, msgSize, "out of memory");
        return -ENOMEM;
    }
    epicsSnprintf(path, size, "%s:%s", given ? given : ".", own);
    epicsEnvSet("EPICS_DB_INCLUDE_PATH", path);
    free(path);
    return 0;
}

int psStepScript(const char *script, psReportFn report, void *ctx, char *msg, size_t msgSize)
{
    psProgressBegin("running the script");
    int status = setIncludePath(msg, msgSize);
    if (status)
        return status;
    psMacroErrorsBegin();
    int failed = iocsh(script);
    psMacroErrorsEnd(script, report, ctx);
    if (!failed)
        return 0;
    epicsSnprintf(msg, msgSize, "%s ended with an error", script);
    psProgressExplain(msg, msgSize);
    return -EINVAL;
}
