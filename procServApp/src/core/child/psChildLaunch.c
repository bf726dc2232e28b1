/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "child/psChildLaunch.h"

#define INFO "PROCSERV_INFO="
#define NOTIFY "NOTIFY_SOCKET="
#define WATCHDOG "WATCHDOG_USEC="

static bool isOurs(const char *variable)
{
    static const char *const ours[] = {
        INFO, NOTIFY, "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", WATCHDOG, "WATCHDOG_PID="};

    for (size_t i = 0; i < NELEMENTS(ours); i++)
        if (strncmp(variable, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

/* @param name with its "=" */
static int addVariable(psChildLaunch *out, size_t index, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 1;

    out->envp[index] = malloc(size);
    if (!out->envp[index])
        return -ENOMEM;
    snprintf(out->envp[index], size, "%s%s", name, value);
    return 0;
}

static int copyEnvironment(psChildLaunch *out, char *const *envp, const char *info,
                           const char *notify, double watchdogSec)
{
    size_t count = 0;
    size_t used = 0;

    while (envp[count])
        count++;
    out->envp = calloc(count + 4, sizeof(*out->envp));
    if (!out->envp)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        if (isOurs(envp[i]))
            continue;
        out->envp[used] = strdup(envp[i]);
        if (!out->envp[used++])
            return -ENOMEM;
    }
    int status = addVariable(out, used++, INFO, info);
    if (!status && notify)
        status = addVariable(out, used++, NOTIFY, notify);
    if (!status && watchdogSec > 0) {
        char usec[32];

        epicsSnprintf(usec, sizeof(usec), "%.0f", 1e6 * watchdogSec);
        status = addVariable(out, used, WATCHDOG, usec);
    }
    return status;
}

static int copyArguments(psChildLaunch *out, const psConfig *cfg)
{
    int first = cfg->execFile ? 1 : 0;

    out->argv = calloc((size_t)cfg->argc + 2, sizeof(*out->argv));
    if (!out->argv)
        return -ENOMEM;
    out->argv[0] = cfg->execFile; /* -e FILE: FILE gets the command as its first argument */
    for (int i = 0; i < cfg->argc; i++)
        out->argv[first + i] = cfg->argv[i];
    out->file = out->argv[0];
    return 0;
}

int psChildLaunchInit(psChildLaunch *out, const psConfig *cfg, char *const *envp, const char *info,
                      const char *notify)
{
    *out = (psChildLaunch)PS_CHILD_LAUNCH_INIT;
    int status = copyArguments(out, cfg);

    if (!status)
        status = copyEnvironment(out, envp, info, notify, cfg->watchdogSec);
    if (status)
        psChildLaunchClear(out);
    return status;
}

void psChildLaunchClear(psChildLaunch *launch)
{
    for (size_t i = 0; launch->envp && launch->envp[i]; i++)
        free(launch->envp[i]);
    free(launch->envp);
    free(launch->argv);
    *launch = (psChildLaunch)PS_CHILD_LAUNCH_INIT;
}
