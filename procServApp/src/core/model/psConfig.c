/* SPDX-License-Identifier: EPICS */
/* One child's configuration.
 *
 * Every setting is one row of the table `settings`: its option's name, whether it takes a value,
 * and the function that understands the value.  Command line, iocsh and the checks of the project
 * itself walk that table, so a setting can't mean two things or be missing in one of them.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>
#include <epicsString.h>

#include "model/psConfig.h"
#include "base/psMessages.h"
#include "base/psText.h"

#define DEFAULT_HOLDOFF_SEC 15.0
#define DEFAULT_GRACE_SEC 5.0
#define DEFAULT_WINDOW_SEC 600.0
#define DEFAULT_KILL_SIGNAL 9
#define DEFAULT_KILL_KEY 0x18   /* ^X */
#define DEFAULT_TOGGLE_KEY 0x14 /* ^T */
#define DEFAULT_TIME_FORMAT "%c"

typedef enum argKind { argNone, argRequired, argOptional } argKind;

typedef struct complaint {
    char *msg;
    size_t size;
} complaint;

typedef struct setting {
    const char *name;
    argKind arg;
    /* value is NULL only where the argument is none or optional */
    int (*set)(psConfig *cfg, const struct setting *self, const char *value, complaint out);
    size_t offset; /* of the member set, for the setters that serve several options */
    psVerb verb;   /* whose range the number has to keep */
    const char *unit;
} setting;

static void *member(psConfig *cfg, const setting *self)
{
    return (char *)cfg + self->offset;
}

/* Fails with the one line "NAME: 'VALUE' PROBLEM". */
static int refuse(const setting *self, const char *value, const char *problem, complaint out)
{
    epicsSnprintf(out.msg, out.size, "%s: '%s' %s", self->name, value, problem);
    return -EINVAL;
}

static int noMemory(const char *name, complaint out)
{
    epicsSnprintf(out.msg, out.size, "%s: out of memory", name);
    return -ENOMEM;
}

static int replace(char **target, const char *value)
{
    char *copy = NULL;

    if (value) {
        copy = strdup(value);
        if (!copy)
            return -ENOMEM;
    }
    free(*target);
    *target = copy;
    return 0;
}

/* ---- setters ---- */

static int setText(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    return replace(member(cfg, self), value) ? noMemory(self->name, out) : 0;
}

/* An empty text means "not given", so that scripts may pass an empty variable as with procServ. */
static int setTextOrNone(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    return setText(cfg, self, *value ? value : NULL, out);
}

static int setFile(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    if (!*value)
        return refuse(self, value, "is empty; give a path", out);
    return setText(cfg, self, value, out);
}

static int setName(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    if (strlen(value) >= PS_NAME_BYTES)
        return refuse(self, value, "is too long; 63 bytes at most", out);
    for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
        if (*p < ' ' || *p == 127) {
            epicsSnprintf(out.msg, out.size, "%s: control characters are not allowed", self->name);
            return -EINVAL;
        }
    }
    return setTextOrNone(cfg, self, value, out);
}

/* Without a value the default format; procServ shows nothing where the format is empty. */
static int setLogStamp(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    return setText(cfg, self, !value ? "" : *value ? value : NULL, out);
}

static int setSeconds(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    psRange range = psVerbRange(self->verb);
    double number;

    if (epicsParseDouble(value, &number, NULL) || isnan(number) || number < range.low ||
        number > range.high) {
        char problem[80];
        epicsSnprintf(problem, sizeof(problem), "is not a number of %s from %g to %g", self->unit,
                      range.low, range.high);
        return refuse(self, value, problem, out);
    }
    *(double *)member(cfg, self) = number;
    return 0;
}

static int setMaxRestarts(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    psRange range = psVerbRange(self->verb);
    epicsInt32 number;

    if (epicsParseInt32(value, &number, 10, NULL) || number < range.low || number > range.high) {
        char problem[80];
        epicsSnprintf(problem, sizeof(problem), "is not a whole number from %g to %g", range.low,
                      range.high);
        return refuse(self, value, problem, out);
    }
    cfg->settings.maxRestarts = number;
    return 0;
}

/* procServ took a negative number as "leave it as it is"; -1 still does. */
static int setCoreSize(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    long number;

    if (epicsParseLong(value, &number, 10, NULL) || number < -1)
        return refuse(self, value, "is not a number of bytes, nor -1 for the inherited limit", out);
    cfg->coreSizeBytes = number;
    return 0;
}

/* The sign is that of kill(1): procServ accepted -9. */
static int setKillSignal(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    int signo = psSignalParse(value[0] == '-' ? value + 1 : value);

    if (signo < 0)
        return refuse(self, value, "is not a signal; give a name (TERM, INT...) or 1 to 64", out);
    cfg->killSignal = signo;
    return 0;
}

/* procServ took the first character of whatever was given: -k XX made a plain X kill the child. */
static int setKey(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    const char *end = value;
    unsigned char key = psKeyParse(value, &end);

    if (*end)
        return refuse(self, value,
                      "is not one key; give ^A, ^], a single character, or \"\" for none", out);
    *(unsigned char *)member(cfg, self) = key;
    return 0;
}

/* Reads the next character of a text in ^ notation; false at its end. */
static bool nextKey(const char **text, unsigned char *out)
{
    const char *end = *text;

    if (!**text)
        return false;
    *out = psKeyParse(*text, &end);
    *text = end > *text ? end : *text + 1;
    return true;
}

static int setIgnore(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    unsigned char key;

    (void)self;
    (void)out;
    memset(cfg->ignore, 0, sizeof(cfg->ignore));
    while (nextKey(&value, &key))
        cfg->ignore[key] = true;
    return 0;
}

static int setStopInput(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    char *bytes = NULL;
    size_t len = 0;
    unsigned char key;

    if (*value) {
        bytes = malloc(strlen(value) + 1);
        if (!bytes)
            return noMemory(self->name, out);
        while (nextKey(&value, &key))
            bytes[len++] = (char)key;
        bytes[len] = '\0';
    }
    free(cfg->stopInput);
    cfg->stopInput = bytes;
    cfg->stopInputLen = len;
    return 0;
}

static int addEndpoint(psConfig *cfg, const setting *self, const char *value, bool readOnly,
                       complaint out)
{
    psEndpointSpec *slot = NULL;

    /* As with procServ there is one log endpoint, and the last one given counts. */
    for (int i = 0; readOnly && i < cfg->endpointCount; i++)
        if (cfg->endpoints[i].readOnly)
            slot = &cfg->endpoints[i];
    if (!slot && cfg->endpointCount == PS_ENDPOINTS) {
        epicsSnprintf(out.msg, out.size, "%s: more than %d endpoints", self->name, PS_ENDPOINTS);
        return -ENOSPC;
    }
    if (!slot)
        slot = &cfg->endpoints[cfg->endpointCount];
    if (replace(&slot->spec, value))
        return noMemory(self->name, out);
    slot->readOnly = readOnly;
    if (slot == &cfg->endpoints[cfg->endpointCount])
        cfg->endpointCount++;
    return 0;
}

static int setPort(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    return addEndpoint(cfg, self, value, false, out);
}

static int setLogPort(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    return addEndpoint(cfg, self, value, true, out);
}

static int setTrue(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    (void)value;
    (void)out;
    *(bool *)member(cfg, self) = true;
    return 0;
}

static int setNever(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    (void)self;
    (void)value;
    (void)out;
    cfg->settings.mode = psModeNever;
    return 0;
}

static int setOneShot(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    (void)self;
    (void)value;
    (void)out;
    cfg->settings.mode = psModeOneShot;
    return 0;
}

static int setMode(psConfig *cfg, const setting *self, const char *value, complaint out)
{
    for (int mode = 0; mode < psModeCount; mode++) {
        if (epicsStrCaseCmp(value, psModeName((psMode)mode)) == 0) {
            cfg->settings.mode = (psMode)mode;
            return 0;
        }
    }
    return refuse(self, value, "is none of always, never, oneshot, onfailure", out);
}

#define AT(m) .offset = offsetof(psConfig, m)
static const setting settings[] = {
    {"allow", argNone, setTrue, AT(allow)},
    {"autorestartcmd", argRequired, setKey, AT(toggleKey)},
    {"chdir", argRequired, setFile, AT(dir)},
    {"coresize", argRequired, setCoreSize, AT(coreSizeBytes)},
    {"exec", argRequired, setFile, AT(execFile)},
    {"grace", argRequired, setSeconds, AT(settings.graceSec), psVerbGrace, "seconds"},
    {"holdoff", argRequired, setSeconds, AT(settings.holdoffSec), psVerbHoldoff, "seconds"},
    {"holdoff-max", argRequired, setSeconds, AT(settings.holdoffMaxSec), psVerbHoldoffMax,
     "seconds"},
    {"ignore", argRequired, setIgnore, AT(ignore)},
    {"killcmd", argRequired, setKey, AT(killKey)},
    {"killsig", argRequired, setKillSignal, AT(killSignal)},
    {"logfile", argRequired, setTextOrNone, AT(logFile)},
    {"logoutcmd", argRequired, setKey, AT(logoutKey)},
    {"logport", argRequired, setLogPort, AT(endpoints)},
    {"logstamp", argOptional, setLogStamp, AT(logStamp)},
    {"max-restarts", argRequired, setMaxRestarts, AT(settings.maxRestarts), psVerbMaxRestarts},
    {"name", argRequired, setName, AT(name)},
    {"noautorestart", argNone, setNever, AT(settings.mode)},
    {"oneshot", argNone, setOneShot, AT(settings.mode)},
    {"port", argRequired, setPort, AT(endpoints)},
    {"restart-mode", argRequired, setMode, AT(settings.mode)},
    {"restart-window", argRequired, setSeconds, AT(settings.restartWindowSec), psVerbRestartWindow,
     "seconds"},
    {"restrict", argNone, setTrue, AT(restrictLog)},
    {"stop-input", argRequired, setStopInput, AT(stopInput)},
    {"timefmt", argRequired, setText, AT(timeFormat)},
    {"wait", argNone, setTrue, AT(wait)},
};

int psConfigSet(psConfig *cfg, const char *option, const char *value, char *msg, size_t msgSize)
{
    complaint out = {msg, msgSize};

    for (size_t i = 0; i < NELEMENTS(settings); i++) {
        const setting *self = &settings[i];

        if (strcmp(option, self->name) != 0)
            continue;
        if (value && self->arg == argNone) {
            epicsSnprintf(msg, msgSize, "%s takes no value", option);
            return -EINVAL;
        }
        if (!value && self->arg == argRequired) {
            epicsSnprintf(msg, msgSize, "%s needs a value", option);
            return -EINVAL;
        }
        return self->set(cfg, self, value, out);
    }
    epicsSnprintf(msg, msgSize, "there is no setting '%s'", option);
    return -ENOENT;
}

const char *psConfigOptionName(unsigned index, bool *takesValue)
{
    if (index >= NELEMENTS(settings))
        return NULL;
    if (takesValue)
        *takesValue = settings[index].arg != argNone;
    return settings[index].name;
}

/* ---- life ---- */

psConfig *psConfigCreate(void)
{
    psConfig *cfg = calloc(1, sizeof(*cfg));

    if (!cfg)
        return NULL;
    cfg->settings.mode = psModeAlways;
    cfg->settings.holdoffSec = DEFAULT_HOLDOFF_SEC;
    cfg->settings.restartWindowSec = DEFAULT_WINDOW_SEC;
    cfg->settings.graceSec = DEFAULT_GRACE_SEC;
    cfg->killSignal = DEFAULT_KILL_SIGNAL;
    cfg->coreSizeBytes = -1;
    cfg->killKey = DEFAULT_KILL_KEY;
    cfg->toggleKey = DEFAULT_TOGGLE_KEY;
    if (replace(&cfg->timeFormat, DEFAULT_TIME_FORMAT)) {
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
    bool failed = replace(&copy->name, cfg->name) || replace(&copy->execFile, cfg->execFile) ||
                  replace(&copy->dir, cfg->dir) || replace(&copy->logFile, cfg->logFile) ||
                  replace(&copy->logStamp, cfg->logStamp) ||
                  replace(&copy->timeFormat, cfg->timeFormat) || copyStopInput(copy, cfg);
    if (cfg->argv)
        failed = failed || psConfigSetCommand(copy, cfg->argc, (const char *const *)cfg->argv);
    for (int i = 0; i < cfg->endpointCount && !failed; i++) {
        failed = replace(&copy->endpoints[i].spec, cfg->endpoints[i].spec) != 0;
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

const char *psConfigName(const psConfig *cfg)
{
    if (cfg->name)
        return cfg->name;
    return cfg->argv ? cfg->argv[0] : "";
}

int psConfigCheck(const psConfig *cfg, char *msg, size_t msgSize)
{
    if (!cfg->argv) {
        epicsSnprintf(msg, msgSize, "no command given");
        return -EINVAL;
    }
    if (cfg->settings.holdoffMaxSec > 0 && cfg->settings.holdoffMaxSec < cfg->settings.holdoffSec) {
        epicsSnprintf(msg, msgSize, "holdoff-max: %g s is less than the hold-off of %g s",
                      cfg->settings.holdoffMaxSec, cfg->settings.holdoffSec);
        return -EINVAL;
    }
    return 0;
}

/* ---- the command as text ---- */

static bool isPlain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_@%+=:,./-", c) != NULL);
}

/* Plain words as they are, others in '...'; with control characters, which must not reach a
 * terminal or a one-line record, in $'...'. */
static void appendWord(psText *text, const char *word)
{
    bool plain = *word != '\0';
    bool control = false;

    for (const char *p = word; *p; p++) {
        plain = plain && isPlain((unsigned char)*p);
        control = control || (unsigned char)*p < ' ' || *p == 127;
    }
    if (plain) {
        psTextAppend(text, word, strlen(word));
        return;
    }
    psTextPrintf(text, control ? "$'" : "'");
    for (const char *p = word; *p; p++)
        if (control && ((unsigned char)*p < ' ' || *p == 127))
            psTextPrintf(text, "\\%03o", (unsigned)(unsigned char)*p);
        else if (control && (*p == '\'' || *p == '\\'))
            psTextPrintf(text, "\\%c", *p);
        else if (*p == '\'')
            psTextPrintf(text, "'\\''");
        else
            psTextAppend(text, p, 1);
    psTextPrintf(text, "'");
}

size_t psConfigCommandLine(const psConfig *cfg, char *out, size_t size)
{
    psText text = PS_TEXT_INIT;
    size_t len;

    if (size == 0)
        return 0;
    if (cfg->execFile)
        appendWord(&text, cfg->execFile);
    for (int i = 0; i < cfg->argc; i++) {
        if (text.len)
            psTextPrintf(&text, " ");
        appendWord(&text, cfg->argv[i]);
    }
    len = text.len < size ? text.len : size - 1;
    if (len)
        memcpy(out, text.data, len);
    out[len] = '\0';
    psTextClear(&text);
    return len;
}
