/* SPDX-License-Identifier: EPICS */
/*
 * --check: would this configuration work?  Everything is tried as far as it leaves no
 * trace: endpoints are bound and closed again, a terminal is opened and closed, a log is opened
 * but not made; the command is looked up, not started.
 *
 * No two children can have one endpoint.  Those of one process are compared here.  Those of the
 * first child that have no file, which could be left behind, stay open until the end of the check:
 * the children of a script are checked in another process meanwhile, which finds them in use.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <dbDefs.h>
#include <ellLib.h>
#include <epicsStdio.h>

#include "console/psEndpoint.h"
#include "console/psListener.h"
#include "log/psLogOpen.h"
#include "process/psSpawn.h"
#include "sup/psSupPvt.h"
#include "base/psText.h"

extern char **environ;

typedef struct psAsked {
    ELLNODE node;
    psEndpoint endpoint;
    psListener listener; /* open, or zeros */
    char *child;         /* its name, owned */
} psAsked;

typedef struct psLogAsked {
    ELLNODE node;
    char *path, *child; /* owned */
} psLogAsked;

struct psSupCheck {
    const psSupOptions *options;
    void (*report)(void *ctx, bool bad, const char *line);
    void *ctx;
    ELLLIST asked;
    ELLLIST logs; /* psLogAsked.node */
    int children;
    bool first; /* this child is the first */
    int errors; /* of this child */
};

static void found(psSupCheck *self, bool bad, const char *fmt, ...) EPICS_PRINTF_STYLE(3, 4);

static void found(psSupCheck *self, bool bad, const char *fmt, ...)
{
    psText line = PS_TEXT_INIT;
    va_list args;

    va_start(args, fmt);
    psTextVPrintf(&line, fmt, args);
    va_end(args);
    if (!line.failed)
        self->report(self->ctx, bad, line.data);
    if (bad)
        self->errors++;
    psTextClear(&line);
}

static void checkCommand(psSupCheck *self, const psConfig *cfg)
{
    const psSupOptions *options = self->options;
    psSpawnRequest request = {
        .file = cfg->execFile ? cfg->execFile : cfg->argv[0],
        .argv = cfg->argv,
        .envp = options->environ ? options->environ : environ,
        .dir = cfg->dir,
        .coreSizeBytes = cfg->coreSizeBytes,
    };
    char msg[PS_TEXT_BYTES];

    if (psSpawnCheck(&request, msg, sizeof(msg))) {
        found(self, true, "command: %s", msg);
        return;
    }
    char *line = psConfigCommandLine(cfg);
    found(self, false, "command: %s", line ? line : request.file);
    free(line);
}

/* The program that the shell runs first, if that can be told: a path that is written as it is. What
 * the shell would look up in PATH, or make of other words, is not judged.  @return NULL: unknown.
 * Owned by the caller. */
static char *programOf(const char *command)
{
    const char *begin = command + strspn(command, " \t\n");
    size_t len = strcspn(begin, " \t\n;&|<>");
    size_t plain = strcspn(begin, "$`\"'\\*?[]{}()~=#!");

    return plain >= len && memchr(begin, '/', len) ? strndup(begin, len) : NULL;
}

/* The shell first: without it, or the directory, nothing is run. */
static int checkHookRun(const char *command, const psConfig *cfg, char *msg, size_t msgSize)
{
    char shell[] = "/bin/sh";
    char *program = programOf(command);
    char *files[] = {shell, program, NULL};
    int status = 0;

    for (char **file = files; *file && !status; file++) {
        char *const argv[] = {*file, NULL};
        psSpawnRequest request = {.file = *file, .argv = argv, .envp = environ, .dir = cfg->dir};

        status = psSpawnCheck(&request, msg, msgSize);
    }
    free(program);
    return status;
}

static void checkHook(psSupCheck *self, const char *what, const char *command, const psConfig *cfg)
{
    char msg[PS_TEXT_BYTES];

    if (!command)
        return;
    if (checkHookRun(command, cfg, msg, sizeof(msg)))
        found(self, true, "%s: %s", what, msg);
    else
        found(self, false, "%s: %s", what, command);
}

/* Takes the listener, also on failure. */
static void remember(psSupCheck *self, const psEndpoint *endpoint, psListener *listener,
                     const char *child)
{
    psAsked *asked = calloc(1, sizeof(*asked));
    bool keep = asked && self->first && endpoint->kind != psEndpointUnix;

    if (!keep)
        psListenerClose(listener);
    if (!asked)
        return;                   /* out of memory: this one is not compared */
    asked->child = strdup(child); /* without it, too, this one is not compared */
    asked->endpoint = *endpoint;
    if (keep)
        asked->listener = *listener;
    ellAdd(&self->asked, &asked->node);
}

/* @return who has asked for it, or NULL */
static const char *whoAsked(const psSupCheck *self, const psEndpoint *endpoint)
{
    for (ELLNODE *node = ellFirst(&self->asked); node; node = ellNext(node)) {
        const psAsked *asked = CONTAINER(node, psAsked, node);

        if (psEndpointOverlaps(&asked->endpoint, endpoint))
            return asked->child;
    }
    return NULL;
}

static void checkEndpoint(psSupCheck *self, const psConfig *cfg, const psEndpointSpec *spec)
{
    const char *what = spec->readOnly ? "log" : "control";
    bool local = spec->readOnly ? cfg->restrictLog : !cfg->allow;
    char msg[PS_TEXT_BYTES];
    char text[PS_ENDPOINT_BYTES];
    psEndpoint endpoint;
    psListener listener;
    int status =
        psEndpointParse(spec->spec, what, local, self->options->argv0, &endpoint, msg, sizeof(msg));

    if (status) {
        found(self, true, "%s endpoint: %s", what, msg);
        return;
    }
    psEndpointPrint(&endpoint, text, sizeof(text));
    const char *other = whoAsked(self, &endpoint);
    if (other) {
        found(self, true, "%s endpoint %s: already used by \"%s\"", what, text, other);
        return;
    }
    status = psListenerCheck(&listener, &endpoint);
    if (status) {
        found(self, true, "%s endpoint %s: %s", what, text, psListenerReason(-status));
        return;
    }
    remember(self, &endpoint, &listener, psConfigName(cfg));
    found(self, false, "%s endpoint: %s", what, text);
}

static void checkLog(psSupCheck *self, const char *what, const char *path)
{
    int status = strcmp(path, "-") == 0 ? 0 : psLogOpenCheck(path);

    if (status)
        found(self, true, "%s %s: %s", what, path, psLogOpenReason(-status));
    else if (strcmp(path, "-") != 0)
        found(self, false, "%s: %s", what, path);
}

/* Two writers to one file mix their lines.  Out of memory, this one is not compared. */
static void compareLog(psSupCheck *self, const psConfig *cfg)
{
    const char *path = cfg->logFile;

    if (strcmp(path, "-") == 0)
        return;
    if (self->options->ownLog && strcmp(self->options->ownLog, path) == 0)
        found(self, true, "log file %s: it is the own log already", path);
    for (ELLNODE *node = ellFirst(&self->logs); node; node = ellNext(node)) {
        const psLogAsked *asked = CONTAINER(node, psLogAsked, node);

        if (asked->path && asked->child && strcmp(asked->path, path) == 0)
            found(self, true, "log file %s: already used by \"%s\"", path, asked->child);
    }
    psLogAsked *asked = calloc(1, sizeof(*asked));
    if (!asked)
        return;
    asked->path = strdup(path);
    asked->child = strdup(psConfigName(cfg));
    ellAdd(&self->logs, &asked->node);
}

/* What the system gives to no child: said only if it does not. */
static void checkSystem(psSupCheck *self)
{
    char msg[PS_TEXT_BYTES];

    if (psSpawnCheckSystem(msg, sizeof(msg)))
        found(self, true, "start: %s", msg);
}

psSupCheck *psSupCheckCreate(const psSupOptions *options,
                             void (*report)(void *ctx, bool bad, const char *line), void *ctx)
{
    psSupCheck *self = calloc(1, sizeof(*self));

    if (!self)
        return NULL;
    self->options = options;
    self->report = report;
    self->ctx = ctx;
    self->first = true;
    ellInit(&self->asked);
    ellInit(&self->logs);
    return self;
}

int psSupCheckChild(psSupCheck *check, const psConfig *cfg)
{
    char msg[PS_TEXT_BYTES];

    check->errors = 0;
    if (psConfigCheck(cfg, msg, sizeof(msg))) {
        found(check, true, "%s", msg);
        return check->errors;
    }
    checkCommand(check, cfg);
    checkHook(check, "hung command", cfg->hungCommand, cfg);
    checkHook(check, "event command", cfg->eventCommand, cfg);
    checkSystem(check);
    for (int i = 0; i < cfg->endpointCount; i++)
        checkEndpoint(check, cfg, &cfg->endpoints[i]);
    if (cfg->logFile) {
        checkLog(check, "log file", cfg->logFile);
        compareLog(check, cfg);
    }
    check->children++;
    check->first = false;
    return check->errors;
}

int psSupCheckLimits(psSupCheck *check, int others)
{
    struct rlimit limit;
    char line[PS_TEXT_BYTES];

    check->errors = 0;
    /* The program raises its limit as far as it may. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < INT_MAX &&
        psSupExplainDescriptors(check->children + others, check->options->reservedDescriptors,
                                (int)limit.rlim_max, line, sizeof(line)))
        found(check, true, "%s", line);
    return check->errors;
}

int psSupCheckOwnLog(psSupCheck *check)
{
    check->errors = 0;
    if (check->options->ownLog)
        checkLog(check, "own log", check->options->ownLog);
    return check->errors;
}

void psSupCheckFree(psSupCheck *check)
{
    ELLNODE *node;

    if (!check)
        return;
    while ((node = ellGet(&check->asked))) {
        psAsked *asked = CONTAINER(node, psAsked, node);

        psListenerClose(&asked->listener);
        free(asked->child);
        free(asked);
    }
    while ((node = ellGet(&check->logs))) {
        psLogAsked *asked = CONTAINER(node, psLogAsked, node);

        free(asked->path);
        free(asked->child);
        free(asked);
    }
    free(check);
}
