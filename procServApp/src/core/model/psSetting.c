/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>
#include <epicsString.h>

#include "model/psSetting.h"

/* Range and unit are those of the records, too: docs/reference/records.md. */
/* clang-format off */
#define AT(type, member) psSetting##type, offsetof(psSettings, member)
static const psSetting settings[] = {
    {psVerbMode, "AutoRestart",
     PS_OPTION("restart-mode", 0, 103, Required, Restart, "<mode>",
               "always, never, oneshot or onfailure [always]"),
     NULL, {0, psModeCount - 1}, psModeAlways, AT(Mode, mode)},
    {psVerbHoldoff, "Holdoff",
     PS_OPTION("holdoff", 0, 9, Required, Restart, "<s>",
               "seconds from one start to the next automatic one [15]"),
     "seconds", {0, 86400}, 15, AT(Double, holdoffSec)},
    {psVerbHoldoffMax, "HoldoffMax",
     PS_OPTION("holdoff-max", 0, 100, Required, Restart, "<s>",
               "double the hold-off after each short run, up to <s> seconds [never]"),
     "seconds", {0, 86400}, 0, AT(Double, holdoffMaxSec)},
    {psVerbRestartWindow, "RestartWindow",
     PS_OPTION("restart-window", 0, 102, Required, Restart, "<s>",
               "length of that window in seconds [600]"),
     "seconds", {1, 86400}, 600, AT(Double, restartWindowSec)},
    {psVerbGrace, "Grace",
     PS_OPTION("grace", 0, 105, Required, Stop, "<s>",
               "seconds to wait after each step of a stop, before SIGKILL [5]"),
     "seconds", {0, 3600}, 5, AT(Double, graceSec)},
    {psVerbMaxRestarts, "MaxRestarts",
     PS_OPTION("max-restarts", 0, 101, Required, Restart, "<n>",
               "give up after <n> automatic starts within the window [never]"),
     NULL, {0, 1000}, 0, AT(Int, maxRestarts)},
};
/* clang-format on */

const psSetting *psSettingAt(unsigned index)
{
    return index < NELEMENTS(settings) ? &settings[index] : NULL;
}

const psSetting *psSettingOf(psVerb verb)
{
    for (size_t i = 0; i < NELEMENTS(settings); i++)
        if (settings[i].verb == verb)
            return &settings[i];
    return NULL;
}

const psSetting *psSettingNamed(const char *name)
{
    for (size_t i = 0; i < NELEMENTS(settings); i++)
        if (strcmp(settings[i].option.name, name) == 0 ||
            epicsStrCaseCmp(settings[i].record, name) == 0)
            return &settings[i];
    return NULL;
}

static bool parse(const psSetting *setting, const char *text, double *out)
{
    epicsInt32 whole;

    switch (setting->type) {
    case psSettingInt:
        if (epicsParseInt32(text, &whole, 10, NULL))
            return false;
        *out = whole;
        break;
    case psSettingMode:
        for (int mode = 0; mode < psModeCount; mode++) {
            if (epicsStrCaseCmp(text, psModeName((psMode)mode)) == 0) {
                *out = mode;
                return true;
            }
        }
        return false;
    default:
        if (epicsParseDouble(text, out, NULL))
            return false;
        break;
    }
    return *out >= setting->range.low && *out <= setting->range.high; /* NaN fails */
}

int psSettingParse(const psSetting *setting, const char *text, double *out, char *msg,
                   size_t msgSize)
{
    psRange range = setting->range;
    double value;

    if (parse(setting, text, &value)) {
        *out = value;
        return 0;
    }
    const char *name = setting->option.name;
    switch (setting->type) {
    case psSettingInt:
        epicsSnprintf(msg, msgSize, "%s: '%s' must be a whole number from %g to %g", name, text,
                      range.low, range.high);
        break;
    case psSettingMode:
        epicsSnprintf(msg, msgSize, "%s: '%s' must be always, never, oneshot or onfailure", name,
                      text);
        break;
    default:
        epicsSnprintf(msg, msgSize, "%s: '%s' must be a number of %s from %g to %g", name, text,
                      setting->unit, range.low, range.high);
        break;
    }
    return -EINVAL;
}

double psSettingGet(const psSetting *setting, const psSettings *from)
{
    const void *member = (const char *)from + setting->offset;

    switch (setting->type) {
    case psSettingInt:
        return *(const int *)member;
    case psSettingMode:
        return *(const psMode *)member;
    default:
        return *(const double *)member;
    }
}

void psSettingPut(const psSetting *setting, psSettings *to, double value)
{
    void *member = (char *)to + setting->offset;

    switch (setting->type) {
    case psSettingInt:
        *(int *)member = (int)value;
        break;
    case psSettingMode:
        *(psMode *)member = (psMode)value;
        break;
    default:
        *(double *)member = value;
        break;
    }
}

void psSettingsInit(psSettings *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < NELEMENTS(settings); i++)
        psSettingPut(&settings[i], out, settings[i].initial);
}

bool psSettingsEqual(const psSettings *a, const psSettings *b)
{
    for (size_t i = 0; i < NELEMENTS(settings); i++)
        if (psSettingGet(&settings[i], a) != psSettingGet(&settings[i], b))
            return false;
    return true;
}
