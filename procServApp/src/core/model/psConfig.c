/* SPDX-License-Identifier: EPICS */
/* One child's configuration as an object: defaults, copy, checks.  How names and values become
 * members is in psConfigSet.c and the files of the subjects beside it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "base/psQuote.h"
#include "base/psText.h"
#include "model/psConfigPvt.h"
#include "model/psSetting.h"

#define DEFAULT_KILL_SIGNAL 9
#define DEFAULT_KILL_KEY 0x18   /* ^X */
#define DEFAULT_TOGGLE_KEY 0x14 /* ^T */
#define DEFAULT_TIME_FORMAT "%c"
#define DEFAULT_READY_SEC 60.0

/* ---- life ---- */

psConfig *psConfigCreate(void)
{
    psConfig *cfg = calloc(1, sizeof(*cfg));

    if (!cfg)
        return NULL;
    psSettingsInit(&cfg->settings);
    cfg->killSignal = DEFAULT_KILL_SIGNAL;
    cfg->coreSizeBytes = -1;
    cfg->readyTimeoutSec = DEFAULT_READY_SEC;
    cfg->killKey = DEFAULT_KILL_KEY;
    cfg->toggleKey = DEFAULT_TOGGLE_KEY;
    if (psConfigReplace(&cfg->timeFormat, DEFAULT_TIME_FORMAT)) {
        psConfigFree(cfg);
        return NULL;
    }
    return cfg;
}

static void freeCommand(char **argv)
{
    if (!argv)
        return;
    for (char **word = argv; *word; word++)
        free(*word);
    free(argv);
}

void psConfigFree(psConfig *cfg)
{
    if (!cfg)
        return;
    freeCommand(cfg->argv);
    for (int i = 0; i < cfg->endpointCount; i++)
        free(cfg->endpoints[i].spec);
    free(cfg->name);
    free(cfg->execFile);
    free(cfg->dir);
    free(cfg->logFile);
    free(cfg->logStamp);
    free(cfg->timeFormat);
    free(cfg->stopInput);
    free(cfg->watchPv);
    free(cfg->hungCommand);
    free(cfg->eventCommand);
    free(cfg->readyWhat);
    free(cfg);
}

/* What is copied by value may be; every pointer is cleared first, so that a copy that failed
 * half-way frees only its own. */
static psConfig *copyWithoutPointers(const psConfig *cfg)
{
    psConfig *copy = malloc(sizeof(*copy));

    if (!copy)
        return NULL;
    *copy = *cfg;
    copy->argv = NULL;
    copy->argc = 0;
    copy->name = copy->execFile = copy->dir = copy->logFile = NULL;
    copy->logStamp = copy->timeFormat = copy->stopInput = NULL;
    copy->stopInputLen = 0;
    copy->readyWhat = NULL;
    copy->watchPv = copy->hungCommand = copy->eventCommand = NULL;
    copy->endpointCount = 0;
    memset(copy->endpoints, 0, sizeof(copy->endpoints));
    return copy;
}

static int copyStopInput(psConfig *copy, const psConfig *cfg)
{
    if (!cfg->stopInput)
        return 0;
    copy->stopInput = malloc(cfg->stopInputLen + 1);
    if (!copy->stopInput)
        return -ENOMEM;
    memcpy(copy->stopInput, cfg->stopInput, cfg->stopInputLen + 1);
    copy->stopInputLen = cfg->stopInputLen;
    return 0;
}

psConfig *psConfigCopy(const psConfig *cfg)
{
    psConfig *copy = copyWithoutPointers(cfg);

    if (!copy)
        return NULL;
    bool failed = psConfigReplace(&copy->name, cfg->name) ||
                  psConfigReplace(&copy->execFile, cfg->execFile) ||
                  psConfigReplace(&copy->dir, cfg->dir) ||
                  psConfigReplace(&copy->logFile, cfg->logFile) ||
                  psConfigReplace(&copy->logStamp, cfg->logStamp) ||
                  psConfigReplace(&copy->timeFormat, cfg->timeFormat) || copyStopInput(copy, cfg) ||
                  psConfigReplace(&copy->readyWhat, cfg->readyWhat) ||
                  psConfigReplace(&copy->watchPv, cfg->watchPv) ||
                  psConfigReplace(&copy->hungCommand, cfg->hungCommand) ||
                  psConfigReplace(&copy->eventCommand, cfg->eventCommand);
    if (cfg->argv)
        failed = failed || psConfigSetCommand(copy, cfg->argc, (const char *const *)cfg->argv);
    for (int i = 0; i < cfg->endpointCount && !failed; i++) {
        failed = psConfigReplace(&copy->endpoints[i].spec, cfg->endpoints[i].spec) != 0;
        copy->endpoints[i].readOnly = cfg->endpoints[i].readOnly;
        copy->endpointCount = i + 1;
    }
    if (failed) {
        psConfigFree(copy);
        return NULL;
    }
    return copy;
}

int psConfigSetCommand(psConfig *cfg, int argc, const char *const *argv)
{
    char **copy;

    if (argc < 1 || !argv[0] || !*argv[0])
        return -EINVAL;
    copy = calloc((size_t)argc + 1, sizeof(*copy));
    if (!copy)
        return -ENOMEM;
    for (int i = 0; i < argc; i++) {
        copy[i] = strdup(argv[i]);
        if (!copy[i]) {
            freeCommand(copy);
            return -ENOMEM;
        }
    }
    freeCommand(cfg->argv);
    cfg->argv = copy;
    cfg->argc = argc;
    return 0;
}

/* procServ calls a child by the command as it was given.  What is too long for a name is cut to
 * the last part, so that records can refer to it. */
const char *psConfigName(const psConfig *cfg)
{
    if (cfg->name)
        return cfg->name;
    if (!cfg->argv)
        return "";
    const char *path = cfg->argv[0];
    const char *slash = strrchr(path, '/');
    return strlen(path) >= PS_NAME_BYTES && slash ? slash + 1 : path;
}

int psConfigCheck(const psConfig *cfg, char *msg, size_t msgSize)
{
    if (!cfg->argv) {
        epicsSnprintf(msg, msgSize, "no command given");
        return -EINVAL;
    }
    const char *name = psConfigName(cfg);
    if (!*name || strlen(name) >= PS_NAME_BYTES) {
        epicsSnprintf(msg, msgSize,
                      "name: the file name of the command is not a name of 1 to %d bytes; give one",
                      PS_NAME_BYTES - 1);
        return -EINVAL;
    }
    if (cfg->audit && !cfg->logFile) {
        epicsSnprintf(msg, msgSize, "audit: there is no log to write to; give -L, too");
        return -EINVAL;
    }
    if (cfg->settings.holdoffMaxSec > 0 && cfg->settings.holdoffMaxSec < cfg->settings.holdoffSec) {
        epicsSnprintf(msg, msgSize, "holdoff-max: %g s is less than the hold-off of %g s",
                      cfg->settings.holdoffMaxSec, cfg->settings.holdoffSec);
        return -EINVAL;
    }
    int status = psConfigCheckReady(cfg, msg, msgSize);
    return status ? status : psConfigCheckWatch(cfg, msg, msgSize);
}

char *psConfigCommandLine(const psConfig *cfg)
{
    psText text = PS_TEXT_INIT;

    if (cfg->execFile)
        psQuoteWord(&text, cfg->execFile);
    for (int i = 0; i < cfg->argc; i++) {
        if (text.len)
            psTextPrintf(&text, " ");
        psQuoteWord(&text, cfg->argv[i]);
    }
    if (text.failed)
        psTextClear(&text);
    return text.data; /* owned by the caller */
}
