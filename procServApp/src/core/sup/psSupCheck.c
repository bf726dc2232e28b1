/* SPDX-License-Identifier: EPICS */
/*
 * --check: would this configuration work?  Everything is tried as far as it leaves no
 * trace: endpoints are bound and closed again, a terminal is opened and closed, a log is opened
 * but not made; the command is looked up, not started.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "console/psEndpoint.h"
#include "console/psListener.h"
#include "log/psLogOpen.h"
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
    };
    char msg[PS_TEXT_BYTES];

    if (psSpawnCheck(&request, msg, sizeof(msg))) {
        found(findings, true, "command: %s", msg);
        return;
    }
    char *line = psConfigCommandLine(cfg);
    found(findings, false, "command: %s", line ? line : request.file);
    free(line);
}

static void checkEndpoint(psFindings *findings, const psConfig *cfg, const psEndpointSpec *spec,
                          const char *argv0)
{
    const char *what = spec->readOnly ? "log" : "control";
    bool local = spec->readOnly ? cfg->restrictLog : !cfg->allow;
    char msg[PS_TEXT_BYTES];
    char text[PS_ENDPOINT_BYTES];
    psEndpoint endpoint;
    int status = psEndpointParse(spec->spec, what, local, argv0, &endpoint, msg, sizeof(msg));

    if (status) {
        found(findings, true, "%s endpoint: %s", what, msg);
        return;
    }
    psEndpointPrint(&endpoint, text, sizeof(text));
    status = psListenerCheck(&endpoint);
    if (status)
        found(findings, true, "%s endpoint %s: %s", what, text, psListenerReason(-status));
    else
        found(findings, false, "%s endpoint: %s", what, text);
}

static void checkLog(psFindings *findings, const char *path)
{
    int status = strcmp(path, "-") == 0 ? 0 : psLogOpenCheck(path);

    if (status)
        found(findings, true, "log file %s: %s", path, psLogOpenReason(-status));
    else if (strcmp(path, "-") != 0)
        found(findings, false, "log file: %s", path);
}

/* What the system gives to no child: said only if it does not. */
static void checkSystem(psFindings *findings)
{
    char msg[PS_TEXT_BYTES];

    if (psSpawnCheckSystem(msg, sizeof(msg)))
        found(findings, true, "start: %s", msg);
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
    checkSystem(&findings);
    for (int i = 0; i < cfg->endpointCount; i++)
        checkEndpoint(&findings, cfg, &cfg->endpoints[i], options->argv0);
    if (cfg->logFile)
        checkLog(&findings, cfg->logFile);
    return findings.errors;
}
