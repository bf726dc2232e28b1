/* SPDX-License-Identifier: EPICS */
/* What the options of all subjects share. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>
#include <epicsStdlib.h>

#include "model/psConfigPvt.h"

int psConfigReplace(char **target, const char *value)
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

void *psConfigMember(psConfig *cfg, const psConfigRow *self)
{
    return (char *)cfg + self->offset;
}

int psConfigRefuse(const char *name, const char *value, const char *problem, psComplaint out)
{
    epicsSnprintf(out.msg, out.size, "%s: '%s' %s", name, value, problem);
    return -EINVAL;
}

int psConfigNoMemory(const char *name, psComplaint out)
{
    epicsSnprintf(out.msg, out.size, "%s: out of memory", name);
    return -ENOMEM;
}

int psConfigSetText(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    return psConfigReplace(psConfigMember(cfg, self), value)
               ? psConfigNoMemory(self->option.name, out)
               : 0;
}

int psConfigSetTextOrNone(psConfig *cfg, const psConfigRow *self, const char *value,
                          psComplaint out)
{
    return psConfigSetText(cfg, self, *value ? value : NULL, out);
}

int psConfigCheckPv(const psConfigRow *self, const char *value, psComplaint out)
{
    size_t len = strlen(value);

    for (const unsigned char *p = (const unsigned char *)value; *p; p++)
        if (*p <= ' ' || *p > '~' || strchr("\"'\\,=$", *p))
            len = PS_PV_BYTES;
    if (len >= PS_PV_BYTES)
        return psConfigRefuse(self->option.name, value,
                              "is not the name of a PV; without blanks, quotes, commas and $, "
                              "60 bytes at most",
                              out);
    return 0;
}

int psConfigSetPv(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    int status = psConfigCheckPv(self, value, out);

    return status ? status : psConfigSetTextOrNone(cfg, self, value, out);
}

int psConfigSetTrue(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    (void)value;
    (void)out;
    *(bool *)psConfigMember(cfg, self) = true;
    return 0;
}

int psConfigSetLimit(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    double sec;

    if (epicsParseDouble(value, &sec, NULL) || !(sec == 0 || (sec >= 0.1 && sec <= 86400)))
        return psConfigRefuse(self->option.name, value,
                              "must be a number of seconds from 0.1 to 86400, or 0 for none", out);
    *(double *)psConfigMember(cfg, self) = sec;
    return 0;
}

int psConfigSetAction(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    bool restart = strcmp(value, "restart") == 0;

    if (!restart && strcmp(value, "alarm") != 0)
        return psConfigRefuse(self->option.name, value, "must be alarm or restart", out);
    *(bool *)psConfigMember(cfg, self) = restart;
    return 0;
}
