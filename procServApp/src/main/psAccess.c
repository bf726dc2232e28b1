/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <asDbLib.h>
#include <asLib.h>
#include <dbDefs.h>
#include <epicsMutex.h>
#include <epicsStdio.h>
#include <errlog.h>
#include <iocInit.h>
#include <iocsh.h>

#include "psAccess.h"
#include "psAcf.h"
#include "psAddresses.h"
#include "psInstalled.h"
#include "psIoc.h"
#include "psThread.h"
#include "psTrial.h"

#define TRIAL_SEC 10.0
#define PATH_BYTES 4096 /* PATH_MAX, which limits.h does not promise */

static const char OWN_ACF[] = "db/procServ.acf";

static struct {
    epicsMutexId lock;             /* held while rules are read, tried and loaded; the outermost */
    const psServeOptions *options; /* NULL: the rules are none of ours */
    char *file;                    /* of a script's asSetFilename; NULL: ours hold */
    bool ended;                    /* they are not loaded again */
    int changes;                   /* descriptor of psAddressesOpen(), or -errno; thread: psHosts */
} rules = {.changes = -1};

static void lockRules(void)
{
    epicsMutexMustLock(rules.lock);
}

int psAccessSet(const char *file, char *msg, size_t msgSize)
{
    char own[PATH_BYTES], why[PS_REASON_BYTES] = "";
    int status = file ? 0 : psInstalled(OWN_ACF, own, sizeof(own), why, sizeof(why));

    asCheckClientIP = 1; /* or the host is what the client says */
    status = status ? status : psAcfUse(file ? file : own, why, sizeof(why));
    if (status)
        epicsSnprintf(msg, msgSize, "access security: %s", why);
    return status;
}

/* The installed file needs no trial. */
static int tryFile(const char *file, char *msg, size_t msgSize)
{
    psServeOptions only = *rules.options;

    if (!file)
        return 0;
    only.script = NULL;
    only.acf = file;
    return psTrialFirst(&only, psTrialStart, TRIAL_SEC, msg, msgSize);
}

/* ---- the shell's commands ---- */

/* As Base's, which would not be asked for the rules of a file that it does not name. */
static void setFilenameCall(const iocshArgBuf *args)
{
    const char *file = args[0].sval;

    lockRules();
    free(rules.file);
    rules.file = file ? strdup(file) : NULL;
    if (!rules.file) /* no file: the script wants no rules.  No memory: nothing is tried */
        rules.options = NULL;
    asSetFilename(file);
    epicsMutexUnlock(rules.lock);
}

/* A bad file leaves the rules as they are. */
static int reload(void *ctx, char *msg, size_t msgSize)
{
    int status = 0;

    (void)ctx;
    lockRules();
    if (rules.ended) {
        epicsSnprintf(msg, msgSize, "the IOC is about to end");
        status = -ESHUTDOWN;
    } else if (!rules.options && !rules.file) {
        epicsSnprintf(msg, msgSize, "access security: there is no file of rules to load");
        status = -ENOENT;
    } else if (rules.options) {
        const char *file = rules.file ? rules.file : rules.options->acf;

        status = tryFile(file, msg, msgSize);
        if (!status && !rules.file)
            status = psAccessSet(file, msg, msgSize); /* with the addresses of now */
    }
    if (!status && asInit()) {
        epicsSnprintf(msg, msgSize, "access security: the rules were not changed");
        status = -EINVAL;
    }
    epicsMutexUnlock(rules.lock);
    return status;
}

static void initCall(const iocshArgBuf *args)
{
    char msg[PS_REASON_BYTES] = "";

    (void)args;
    int status = reload(NULL, msg, sizeof(msg));
    if (status != -ENOENT)
        psIocSetAccessError(status ? msg : NULL);
    if (status) {
        fprintf(stderr, "asInit: %s\n", msg);
        iocshSetError(-1);
    }
}

/* Base's asInit reads what asSetFilename named, and nothing comes between: a shell's command can
 * only be replaced. */
static void replaceCommands(void)
{
    static const iocshArg file = {"ascf", iocshArgString};
    static const iocshArg *const args[] = {&file};
    static const iocshFuncDef setFilename = {.name = "asSetFilename", .nargs = 1, .arg = args};
    static const iocshFuncDef init = {.name = "asInit"};

    iocshRegister(&setFilename, setFilenameCall);
    iocshRegister(&init, initCall);
}

/* ---- the start ---- */

int psAccessPrepare(const psServeOptions *options, psReportFn report, void *ctx, char *msg,
                    size_t msgSize)
{
    static const psIocAccessOps ops = {.reload = reload};
    char line[PS_REASON_BYTES], why[PS_REASON_BYTES / 2] = "";

    rules.lock = epicsMutexCreate();
    if (!rules.lock) {
        epicsSnprintf(msg, msgSize, "out of memory");
        return -ENOMEM;
    }
    rules.changes = psAddressesOpen(); /* before the addresses are read: no change is missed */
    replaceCommands();
    psIocSetAccessOps(&ops);
    if (options->insecurePvs && !options->acf) {
        report(ctx, false,
               "PVs are open: anybody on the network may give commands (--insecure-pvs)");
        return 0;
    }
    rules.options = options;
    int status = tryFile(options->acf, why, sizeof(why));
    status = status ? status : psAccessSet(options->acf, why, sizeof(why));
    if (!status)
        return 0;
    epicsSnprintf(line, sizeof(line), "PVs are read-only: %s; correct the file and restart", why);
    report(ctx, false, line);
    psIocSetAccessError(why);
    asCheckClientIP = 1;
    status = psAcfUseClosed();
    if (status)
        epicsSnprintf(msg, msgSize, "no rules of access security can be loaded: %s",
                      strerror(-status));
    return status;
}

/* ---- addresses that change ---- */

/* Only the addresses are new: the text of the rules has been tried.  With the lock held. */
static int renew(void)
{
    if (!rules.options || rules.file || getIocState() != iocRunning)
        return 0; /* the next asInit, or the next start, reads them anyway */
    int status = psAcfRenew();
    if (status > 0 && asInit()) {
        psAcfNotInForce();
        return -EINVAL;
    }
    return status < 0 ? status : 0;
}

static void followThread(void *arg)
{
    int status = rules.changes < 0 ? rules.changes : 0;

    (void)arg;
    while (!status) {
        lockRules();
        int renewed = renew();
        epicsMutexUnlock(rules.lock);
        if (renewed)
            errlogPrintf("access security: the addresses of this host have changed, but the rules "
                         "still use the old ones: %s\n",
                         strerror(-renewed));
        status = psAddressesWait(rules.changes);
    }
    errlogPrintf("access security: changes of this host's addresses will not be noticed: %s; "
                 "asInit in the IOC shell reads them\n",
                 strerror(-status));
}

void psAccessFollow(void)
{
    if (!rules.options || rules.file)
        return;
    if (!psThreadCreate("psHosts", epicsThreadPriorityLow, epicsThreadStackBig, followThread, NULL))
        errlogPrintf("access security: changes of this host's addresses will not be noticed: "
                     "cannot create a thread\n");
}

void psAccessStop(void)
{
    if (!rules.lock)
        return;
    lockRules();
    rules.options = NULL;
    rules.ended = true;
    epicsMutexUnlock(rules.lock);
}
