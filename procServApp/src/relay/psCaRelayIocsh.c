/* SPDX-License-Identifier: EPICS */
/* The relay in an IOC of somebody else: two commands of its shell. */
#include <string.h>

#include <epicsExit.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <errlog.h>
#include <iocsh.h>

#include "psCaRelay.h"

#define USAGE_START                                                                                \
    "caRelayStart [full]\n"                                                                        \
    "Let Channel Access clients with a unicast address find every IOC of this host, by UDP; with " \
    "'full' also by\nEPICS_CA_NAME_SERVERS.  Best before iocInit.\n"
#define USAGE_REPORT                                                                               \
    "caRelayReport [LEVEL]\n"                                                                      \
    "Show what the search relay does; LEVEL is 0 or 1.\n"

static void report(void *ctx, const char *line)
{
    (void)ctx;
    errlogPrintf("%s\n", line);
}

static void stop(void *arg)
{
    (void)arg;
    psCaRelayStop();
}

static void refuse(const char *why)
{
    fprintf(epicsGetStderr(), "caRelayStart: %s\n", why);
    iocshSetError(-1);
}

static void startCall(const iocshArgBuf *args)
{
    const char *mode = args[0].sval;
    psCaRelayOptions options = {.full = mode && *mode, .report = report};

    if (options.full && strcmp(mode, "full") != 0) {
        refuse("the mode is 'full', or left out");
        return;
    }
    int status = psCaRelayStart(&options);
    if (status)
        refuse(strerror(-status));
}

static void reportCall(const iocshArgBuf *args)
{
    psCaRelayReport(epicsGetStdout(), args[0].ival);
}

static void psCaRelayRegistrar(void)
{
    static const iocshArg mode = {"[full]", iocshArgString};
    static const iocshArg level = {"[LEVEL]", iocshArgInt};
    static const iocshArg *const startArgs[] = {&mode};
    static const iocshArg *const reportArgs[] = {&level};
    static const iocshFuncDef startDef = {"caRelayStart", 1, startArgs, USAGE_START};
    static const iocshFuncDef reportDef = {"caRelayReport", 1, reportArgs, USAGE_REPORT};

    iocshRegister(&startDef, startCall);
    iocshRegister(&reportDef, reportCall);
    epicsAtExit(stop, NULL);
}
epicsExportRegistrar(psCaRelayRegistrar);
