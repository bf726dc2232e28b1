/* SPDX-License-Identifier: EPICS */
/*
 * --check: would this configuration work?  Everything is tried as far as it leaves nothing
 * behind: endpoints are bound and closed again, the command is looked up, not started.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "console/psEndpoint.h"
#include "console/psListener.h"
#include "process/psSpawn.h"
#include "sup/psSup.h"
#include "base/psText.h"

extern char **environ;

typedef struct psFindings {
    void (*report)(void *ctx, bool bad, const char *line);
    void *ctx;
    int errors;
} psFindings;

static void found(psFindings *findings, bool bad, const char *fmt, ...) EPICS_PRINTF_STYLE(3, 4);

static void found(psFindings *findings, bool bad, const char *fmt, ...)
{
    psText line = PS_TEXT_INIT;
    va_list args;

    va_start(args, fmt);
    psTextVPrintf(&line, fmt, args);
    va_end(args);
    if (!line.failed)
        findings->report(findings->ctx, bad, line.data);
    if (bad)
        findings->errors++;
    psTextClear(&line);
}

static void checkCommand(psFindings *findings, const psConfig *cfg, const psSupOptions *options)
{
    psSpawnRequest request = {
        .file = cfg->execFile ? cfg->execFile : cfg->argv[0],
        .argv = cfg->argv,
        .envp = options->environ ? options->environ : environ,
        .dir = cfg->dir,
        .coreSizeBytes = cfg->coreSizeBytes,
        .slave = -1,
    };
    char msg[PS_TEXT_BYTES];
    char line[PS_TEXT_BYTES];

    if (psSpawnCheck(&request, msg, sizeof(msg))) {
        found(findings, true, "command: %s", msg);
        return;
    }
    psConfigCommandLine(cfg, line, sizeof(line));
    found(findings, false, "command: %s", line);
}

static void checkEndpoint(psFindings *findings, const psConfig *cfg, const psEndpointSpec *spec,
                          const char *argv0)
{
    const char *what = spec->readOnly ? "log" : "control";
    bool local = spec->readOnly ? cfg->restrictLog : !cfg->allow;
    char msg[PS_TEXT_BYTES];
    char text[PS_SOCKET_PATH_BYTES + 8];
    psEndpoint endpoint;
    int error = psEndpointParse(spec->spec, what, local, argv0, &endpoint, msg, sizeof(msg));

    if (error) {
        found(findings, true, "%s endpoint: %s", what, msg);
        return;
    }
    psEndpointPrint(&endpoint, text, sizeof(text));
    error = psListenerCheck(&endpoint);
    if (error)
        found(findings, true, "%s endpoint %s: %s", what, text, strerror(-error));
    else
        found(findings, false, "%s endpoint: %s", what, text);
}

/* The directory of @path. */
static void directoryOf(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        epicsSnprintf(out, size, ".");
    else
        epicsSnprintf(out, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static void checkLog(psFindings *findings, const char *path)
{
    char dir[4096];
    struct stat info;
    const char *tried = path;
    int mode = W_OK;

    if (strcmp(path, "-") == 0)
        return;
    int error = stat(path, &info) ? errno : 0;
    if (error == ENOENT) {
        directoryOf(path, dir, sizeof(dir));
        tried = dir;
        mode = W_OK | X_OK;
    }
    if (!error && S_ISDIR(info.st_mode))
        found(findings, true, "log file %s: %s", path, strerror(EISDIR));
    else if (access(tried, mode))
        found(findings, true, "log file %s: %s: %s", path, tried, strerror(errno));
    else
        found(findings, false, "log file: %s", path);
}

int psSupCheckChild(const psConfig *cfg, const psSupOptions *options,
                    void (*report)(void *ctx, bool bad, const char *line), void *ctx)
{
    psFindings findings = {report, ctx, 0};
    char msg[PS_TEXT_BYTES];

    if (psConfigCheck(cfg, msg, sizeof(msg))) {
        found(&findings, true, "%s", msg);
        return findings.errors;
    }
    checkCommand(&findings, cfg, options);
    for (int i = 0; i < cfg->endpointCount; i++)
        checkEndpoint(&findings, cfg, &cfg->endpoints[i], options->argv0);
    if (cfg->logFile)
        checkLog(&findings, cfg->logFile);
    return findings.errors;
}
