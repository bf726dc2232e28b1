/* SPDX-License-Identifier: EPICS */
/* Names and values to members of a configuration.
 *
 * An option of a child is a row here, or of the table of settings (psSetting.c): its name, how
 * --help shows it, and the function that understands its value.  Command line, iocsh and the
 * checks of the project itself walk these rows, so an option can't mean two things or be missing
 * in one of them.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>
#include <epicsString.h>

#include "base/psKey.h"
#include "model/psConfigPvt.h"
#include "model/psSetting.h"

typedef struct complaint {
    char *msg;
    size_t size;
} complaint;

typedef struct configOption {
    psOption option;
    /* value is NULL only where the argument is none or optional */
    int (*set)(psConfig *cfg, const struct configOption *self, const char *value, complaint out);
    size_t offset; /* of the member set, for the setters that serve several options */
} configOption;

static void *member(psConfig *cfg, const configOption *self)
{
    return (char *)cfg + self->offset;
}

/* Fails with the one line "NAME: 'VALUE' PROBLEM". */
static int refuse(const char *name, const char *value, const char *problem, complaint out)
{
    epicsSnprintf(out.msg, out.size, "%s: '%s' %s", name, value, problem);
    return -EINVAL;
}

static int noMemory(const char *name, complaint out)
{
    epicsSnprintf(out.msg, out.size, "%s: out of memory", name);
    return -ENOMEM;
}

/* ---- settings ---- */

static bool parseSetting(const psSetting *setting, const char *value, double *out)
{
    epicsInt32 whole;

    switch (setting->type) {
    case psSettingInt:
        if (epicsParseInt32(value, &whole, 10, NULL))
            return false;
        *out = whole;
        break;
    case psSettingMode:
        for (int mode = 0; mode < psModeCount; mode++) {
            if (epicsStrCaseCmp(value, psModeName((psMode)mode)) == 0) {
                *out = mode;
                return true;
            }
        }
        return false;
    default:
        if (epicsParseDouble(value, out, NULL))
            return false;
        break;
    }
    return *out >= setting->range.low && *out <= setting->range.high; /* NaN fails */
}

static int setSetting(psConfig *cfg, const psSetting *setting, const char *value, complaint out)
{
    psRange range = setting->range;
    char problem[80];
    double number;

    if (parseSetting(setting, value, &number)) {
        psSettingPut(setting, &cfg->settings, number);
        return 0;
    }
    switch (setting->type) {
    case psSettingInt:
        epicsSnprintf(problem, sizeof(problem), "must be a whole number from %g to %g", range.low,
                      range.high);
        break;
    case psSettingMode:
        epicsSnprintf(problem, sizeof(problem), "must be always, never, oneshot or onfailure");
        break;
    default:
        epicsSnprintf(problem, sizeof(problem), "must be a number of %s from %g to %g",
                      setting->unit, range.low, range.high);
        break;
    }
    return refuse(setting->option.name, value, problem, out);
}

/* ---- everything else ---- */

static int setText(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    return psConfigReplace(member(cfg, self), value) ? noMemory(self->option.name, out) : 0;
}

/* An empty text means "not given", so that scripts may pass an empty variable as with procServ. */
static int setTextOrNone(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    return setText(cfg, self, *value ? value : NULL, out);
}

/* Blanks around a name are not part of it: the link of a record could not have them. */
static int setName(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    const char *first = value + strspn(value, " ");
    size_t len = strlen(first);
    char name[PS_NAME_BYTES];

    while (len > 0 && first[len - 1] == ' ')
        len--;
    if (len >= sizeof(name))
        return refuse(self->option.name, value, "is too long; 63 bytes at most", out);
    memcpy(name, first, len);
    name[len] = '\0';
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (*p < ' ' || *p == 127) {
            epicsSnprintf(out.msg, out.size, "%s: control characters are not allowed",
                          self->option.name);
            return -EINVAL;
        }
    }
    return setTextOrNone(cfg, self, name, out);
}

/* Without a value the default format; procServ shows nothing where the format is empty. */
static int setLogStamp(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    return setText(cfg, self, !value ? "" : *value ? value : NULL, out);
}

/* procServ took a negative number as "leave it as it is"; -1 still does. */
static int setCoreSize(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    long number;

    if (epicsParseLong(value, &number, 10, NULL) || number < -1)
        return refuse(self->option.name, value,
                      "must be a number of bytes, or -1 for the inherited limit", out);
    cfg->coreSizeBytes = number;
    return 0;
}

/* The sign is that of kill(1): procServ accepted -9. */
static int setKillSignal(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    int signo = psSignalParse(value[0] == '-' ? value + 1 : value);

    if (signo < 0)
        return refuse(self->option.name, value,
                      "is not a signal; give a name (TERM, INT...) or 1 to 64", out);
    cfg->killSignal = signo;
    return 0;
}

/* procServ took the first character of whatever was given: -k XX made a plain X kill the child. */
static int setKey(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    const char *end = value;
    unsigned char key = psKeyParse(value, &end);

    if (*end)
        return refuse(self->option.name, value,
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

static int setIgnore(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    unsigned char key;

    (void)self;
    (void)out;
    memset(cfg->ignore, 0, sizeof(cfg->ignore));
    while (nextKey(&value, &key))
        cfg->ignore[key] = true;
    return 0;
}

static int setStopInput(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    char *bytes = NULL;
    size_t len = 0;
    unsigned char key;

    if (*value) {
        bytes = malloc(strlen(value) + 1);
        if (!bytes)
            return noMemory(self->option.name, out);
        while (nextKey(&value, &key))
            bytes[len++] = (char)key;
        bytes[len] = '\0';
    }
    free(cfg->stopInput);
    cfg->stopInput = bytes;
    cfg->stopInputLen = len;
    return 0;
}

static int addEndpoint(psConfig *cfg, const configOption *self, const char *value, bool readOnly,
                       complaint out)
{
    psEndpointSpec *slot = NULL;

    /* As with procServ there is one log endpoint, and the last one given counts. */
    for (int i = 0; readOnly && i < cfg->endpointCount; i++)
        if (cfg->endpoints[i].readOnly)
            slot = &cfg->endpoints[i];
    if (!slot && cfg->endpointCount == PS_ENDPOINTS) {
        epicsSnprintf(out.msg, out.size, "%s: more than %d endpoints", self->option.name,
                      PS_ENDPOINTS);
        return -ENOSPC;
    }
    if (!slot)
        slot = &cfg->endpoints[cfg->endpointCount];
    if (psConfigReplace(&slot->spec, value))
        return noMemory(self->option.name, out);
    slot->readOnly = readOnly;
    if (slot == &cfg->endpoints[cfg->endpointCount])
        cfg->endpointCount++;
    return 0;
}

static int setPort(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    return addEndpoint(cfg, self, value, false, out);
}

static int setLogPort(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    return addEndpoint(cfg, self, value, true, out);
}

static int setTrue(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    (void)value;
    (void)out;
    *(bool *)member(cfg, self) = true;
    return 0;
}

static int setNever(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    (void)self;
    (void)value;
    (void)out;
    cfg->settings.mode = psModeNever;
    return 0;
}

static int setOneShot(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    (void)self;
    (void)value;
    (void)out;
    cfg->settings.mode = psModeOneShot;
    return 0;
}

static int setHistory(psConfig *cfg, const configOption *self, const char *value, complaint out)
{
    epicsInt32 lines;

    if (epicsParseInt32(value, &lines, 10, NULL) || lines < 0 || lines > PS_HISTORY_LINES)
        return refuse(self->option.name, value, "must be a number of lines from 0 to 10000", out);
    cfg->historyLines = lines;
    return 0;
}

/* clang-format off */
#define AT(m) offsetof(psConfig, m)
static const configOption options[] = {
    {PS_OPTION("allow", 0, 1, None, Console, NULL,
               "control ports (TCP) listen on any interface [127.0.0.1]"),
     setTrue, AT(allow)},
    {PS_OPTION("autorestartcmd", 0, 2, Required, Console, "<key>",
               "key that changes the restart mode, \"\" for none [^T]"),
     setKey, AT(toggleKey)},
    {PS_OPTION("coresize", 0, 3, Required, Child, "<n>",
               "soft limit for core dumps in bytes [as inherited]"),
     setCoreSize, AT(coreSizeBytes)},
    {PS_OPTION("chdir", 'c', 4, Required, Child, "<dir>",
               "directory in which the child starts [the current one]"),
     setText, AT(dir)},
    {PS_OPTION("exec", 'e', 6, Required, Child, "<file>",
               "execute <file> with <command args ...> as its arguments"),
     setText, AT(execFile)},
    {PS_OPTION("ignore", 'i', 10, Required, Console, "<keys>",
               "typed keys that never reach the child: ^D^C^]"),
     setIgnore, AT(ignore)},
    {PS_OPTION("killcmd", 'k', 12, Required, Console, "<key>",
               "key that kills or starts the child, \"\" for none [^X]"),
     setKey, AT(killKey)},
    {PS_OPTION("killsig", 0, 13, Required, Stop, "<signal>",
               "signal that kills or stops the child: a name or number [KILL]"),
     setKillSignal, AT(killSignal)},
    {PS_OPTION("logport", 'l', 14, Required, Log, "<endpoint>",
               "read-only console; a port alone listens on any interface"),
     setLogPort, AT(endpoints)},
    {PS_OPTION("logfile", 'L', 15, Required, Log, "<file>",
               "append all console output to <file>; - is standard output"),
     setTextOrNone, AT(logFile)},
    {PS_OPTION("logstamp", 0, 16, Optional, Log, "[=<format>]",
               "print the time before each line of the log [\"[\" timefmt \"] \"]"),
     setLogStamp, AT(logStamp)},
    {PS_OPTION("name", 'n', 17, Required, Child, "<text>",
               "name of the child in messages and PVs [the command]"),
     setName, AT(name)},
    {PS_OPTION("noautorestart", 0, 18, None, Restart, NULL,
               "do not restart the child automatically"),
     setNever, AT(settings.mode)},
    {PS_OPTION("oneshot", 'o', 19, None, Restart, NULL,
               "end when the child has ended, with its exit status"),
     setOneShot, AT(settings.mode)},
    {PS_OPTION("port", 'P', 21, Required, Console, "<endpoint>",
               "console endpoint; can be repeated"),
     setPort, AT(endpoints)},
    {PS_OPTION("restrict", 0, 23, None, Log, NULL,
               "the log port listens on 127.0.0.1 only"),
     setTrue, AT(restrictLog)},
    {PS_OPTION("timefmt", 0, 24, Required, Log, "<format>",
               "format of times in messages and log, as for strftime [%c]"),
     setText, AT(timeFormat)},
    {PS_OPTION("wait", 'w', 26, None, Restart, NULL,
               "wait for a first start by key or PV"),
     setTrue, AT(wait)},
    {PS_OPTION("logoutcmd", 'x', 27, Required, Console, "<key>",
               "key that ends the connection on which it is typed [none]"),
     setKey, AT(logoutKey)},
    {PS_OPTION("stop-input", 0, 104, Required, Stop, "<text>",
               "text typed to the child first when it is to stop: exit^M [none]"),
     setStopInput, AT(stopInput)},
    {PS_OPTION("history", 0, 130, Required, Console, "<lines>",
               "a new console is shown the last <lines> lines of this run [0]"),
     setHistory, AT(historyLines)},
    {PS_OPTION("key-guard", 0, 131, None, Console, NULL,
               "kill and quit keys count only when pressed twice within 2 s"),
     setTrue, AT(keyGuard)},
    {PS_OPTION("audit", 0, 132, None, Log, NULL,
               "write to the log who connects and who presses keys"),
     setTrue, AT(audit)},
};
/* clang-format on */

/* ---- public ---- */

const psOption *psConfigOption(unsigned index)
{
    unsigned count = 0;

    for (const psSetting *setting; (setting = psSettingAt(count)) != NULL; count++)
        if (count == index)
            return &setting->option;
    return index - count < NELEMENTS(options) ? &options[index - count].option : NULL;
}

/* Returns the row of @p name, or that of a setting, or neither. */
static const configOption *findOption(const char *name, const psSetting **outSetting)
{
    const psSetting *setting;

    *outSetting = NULL;
    for (unsigned i = 0; (setting = psSettingAt(i)) != NULL; i++)
        if (strcmp(name, setting->option.name) == 0)
            *outSetting = setting;
    for (size_t i = 0; i < NELEMENTS(options); i++)
        if (strcmp(name, options[i].option.name) == 0)
            return &options[i];
    return NULL;
}

int psConfigSet(psConfig *cfg, const char *option, const char *value, char *msg, size_t msgSize)
{
    complaint out = {msg, msgSize};
    const psSetting *setting;
    const configOption *self = findOption(option, &setting);

    if (!self && !setting) {
        epicsSnprintf(msg, msgSize, "there is no setting '%s'", option);
        return -ENOENT;
    }
    psOptionArg arg = setting ? setting->option.arg : self->option.arg;
    if (value && arg == psOptionArgNone) {
        epicsSnprintf(msg, msgSize, "%s takes no value", option);
        return -EINVAL;
    }
    if (!value && arg == psOptionArgRequired) {
        epicsSnprintf(msg, msgSize, "%s needs a value", option);
        return -EINVAL;
    }
    return setting ? setSetting(cfg, setting, value, out) : self->set(cfg, self, value, out);
}
