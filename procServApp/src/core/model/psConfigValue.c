/* SPDX-License-Identifier: EPICS */
/* What the options of all subjects share. */
#include <errno.h>

#include <epicsStdio.h>

#include "model/psConfigPvt.h"

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

int psConfigSetTrue(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    (void)value;
    (void)out;
    *(bool *)psConfigMember(cfg, self) = true;
    return 0;
}
