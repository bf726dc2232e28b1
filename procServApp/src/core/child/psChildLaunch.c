/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>

#include "child/psChildLaunch.h"

static bool copyEnvironment(psChild *child, char *const *envp)
{
    psText info = PS_TEXT_INIT;
    size_t count = 0;
    size_t used = 0;

    while (envp[count])
        count++;
    child->envp = calloc(count + 2, sizeof(*child->envp));
    if (!child->envp)
        return false;
    psTextPrintf(&info, "PROCSERV_INFO=PID=%d", (int)getpid());
    psConsoleInfo(&child->console, false, &info);
    for (size_t i = 0; i < count; i++) {
        static const char *const ours[] = {
            "PROCSERV_INFO=", "NOTIFY_SOCKET=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="};
        bool skip = false;

        for (size_t k = 0; k < NELEMENTS(ours); k++)
            skip = skip || strncmp(envp[i], ours[k], strlen(ours[k])) == 0;
        if (!skip && (child->envp[used] = strdup(envp[i])) != NULL)
            used++;
        else if (!skip)
            info.failed = true;
    }
    child->envp[used] = info.data; /* owned by child->envp now */
    return !info.failed;
}

static bool copyArguments(psChild *child)
{
    const psConfig *cfg = child->cfg;
    int first = cfg->execFile ? 1 : 0;

    child->argv = calloc((size_t)cfg->argc + 2, sizeof(*child->argv));
    if (!child->argv)
        return false;
    child->argv[0] = cfg->execFile; /* -e FILE: FILE gets the command as its first argument */
    for (int i = 0; i < cfg->argc; i++)
        child->argv[first + i] = cfg->argv[i];
    return true;
}

static void collectFacts(psChild *child)
{
    const psConfig *cfg = child->cfg;

    child->commandLine = psConfigCommandLine(cfg);
    psConsoleInfo(&child->console, false, &child->consoles);
    child->facts.name = child->name;
    child->facts.commandLine = child->commandLine ? child->commandLine : "";
    child->facts.dir = cfg->dir ? cfg->dir : child->serverDir ? child->serverDir : "";
    child->facts.consoles = child->consoles.data ? child->consoles.data + 1 : ""; /* no ';' */
    child->facts.logFile = cfg->logFile ? cfg->logFile : "";
}

bool psChildLaunchPrepare(psChild *child, const psInherit *inherit, char *const *environ)
{
    const psConfig *cfg = child->cfg;

    if (!copyArguments(child) || !copyEnvironment(child, environ))
        return false;
    child->request.file = child->argv[0];
    child->request.argv = child->argv;
    child->request.envp = child->envp;
    child->request.dir = cfg->dir;
    child->request.coreSizeBytes = cfg->coreSizeBytes;
    child->request.inherit = inherit;
    child->spawn = psSpawnCreate(child->loop, &child->request);
    collectFacts(child);
    return child->spawn != NULL;
}

void psChildLaunchClear(psChild *child)
{
    psSpawnFree(child->spawn);
    for (size_t i = 0; child->envp && child->envp[i]; i++)
        free(child->envp[i]);
    free(child->envp);
    free(child->argv);
    free(child->commandLine);
    psTextClear(&child->consoles);
}
