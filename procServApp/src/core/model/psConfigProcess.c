/* SPDX-License-Identifier: EPICS */
/* Options of a child: its process, how it starts and how it ends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>

#include "base/psKey.h"
#include "model/psConfigPvt.h"

/* Blanks around a name are not part of it: the link of a record could not have them. */
static int setName(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    const char *first = value + strspn(value, " ");
    size_t len = strlen(first);
    char name[PS_NAME_BYTES];

    while (len > 0 && first[len - 1] == ' ')
        len--;
    if (len >= sizeof(name))
        return psConfigRefuse(self->option.name, value, "is too long; 63 bytes at most", out);
    memcpy(name, first, len);
    name[len] = '\0';
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (*p < ' ' || *p == 127) {
            epicsSnprintf(out.msg, out.size, "%s: control characters are not allowed",
                          self->option.name);
            return -EINVAL;
        }
    }
    return psConfigSetTextOrNone(cfg, self, name, out);
}

/* procServ took a negative number as "leave it as it is"; -1 still does. */
static int setCoreSize(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    long number;

    if (epicsParseLong(value, &number, 10, NULL) || number < -1)
        return psConfigRefuse(self->option.name, value,
                              "must be a number of bytes, or -1 for the inherited limit", out);
    cfg->coreSizeBytes = number;
    return 0;
}

/* The sign is that of kill(1): procServ accepted -9. */
static int setKillSignal(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    int signo = psSignalParse(value[0] == '-' ? value + 1 : value);

    if (signo < 0)
        return psConfigRefuse(self->option.name, value,
                              "is not a signal; give a name (TERM, INT...) or 1 to 64", out);
    cfg->killSignal = signo;
    return 0;
}

static int setStopInput(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    char *bytes = NULL;
    size_t len = 0;
    unsigned char key;

    if (*value) {
        bytes = malloc(strlen(value) + 1);
        if (!bytes)
            return psConfigNoMemory(self->option.name, out);
        while (psKeyNext(&value, &key))
            bytes[len++] = (char)key;
        bytes[len] = '\0';
    }
    free(cfg->stopInput);
    cfg->stopInput = bytes;
    cfg->stopInputLen = len;
    return 0;
}

static int setNever(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    (void)self;
    (void)value;
    (void)out;
    cfg->settings.mode = psModeNever;
    return 0;
}

static int setOneShot(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    (void)self;
    (void)value;
    (void)out;
    cfg->settings.mode = psModeOneShot;
    return 0;
}

/* clang-format off */
#define AT(m) offsetof(psConfig, m)
static const psConfigRow rows[] = {
    {PS_OPTION("coresize", 0, 3, Required, Child, "<n>",
               "soft limit for core dumps in bytes [as inherited]"),
     setCoreSize, AT(coreSizeBytes)},
    {PS_OPTION("chdir", 'c', 4, Required, Child, "<dir>",
               "directory in which the child starts [the current one]"),
     psConfigSetText, AT(dir)},
    {PS_OPTION("exec", 'e', 6, Required, Child, "<file>",
               "execute <file> with <command args ...> as its arguments"),
     psConfigSetText, AT(execFile)},
    {PS_OPTION("killsig", 0, 13, Required, Stop, "<signal>",
               "signal that kills or stops the child: a name or number [KILL]"),
     setKillSignal, AT(killSignal)},
    {PS_OPTION("name", 'n', 17, Required, Child, "<text>",
               "name of the child in messages and PVs [the command]"),
     setName, AT(name)},
    {PS_OPTION("noautorestart", 0, 18, None, Restart, NULL,
               "do not restart the child automatically"),
     setNever, AT(settings.mode)},
    {PS_OPTION("oneshot", 'o', 19, None, Restart, NULL,
               "end when the child has ended, with its exit status"),
     setOneShot, AT(settings.mode)},
    {PS_OPTION("wait", 'w', 26, None, Restart, NULL,
               "wait for a first start by key or PV"),
     psConfigSetTrue, AT(wait)},
    {PS_OPTION("stop-input", 0, 104, Required, Stop, "<text>",
               "text typed to the child first when it is to stop: exit^M [none]"),
     setStopInput, AT(stopInput)},
};
/* clang-format on */

const psConfigRow *psConfigProcessRow(unsigned index)
{
    return index < NELEMENTS(rows) ? &rows[index] : NULL;
}
