/* SPDX-License-Identifier: EPICS */
/* Options of a child: its consoles, keys and log. */
#include <errno.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>

#include "base/psKey.h"
#include "model/psConfigPvt.h"

/* Without a value the default format; procServ shows nothing where the format is empty. */
static int setLogStamp(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    return psConfigSetText(cfg, self, !value ? "" : *value ? value : NULL, out);
}

/* procServ took the first character of whatever was given: -k XX made a plain X kill the child. */
static int setKey(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    const char *end = value;
    unsigned char key = psKeyParse(value, &end);

    if (*end)
        return psConfigRefuse(self->option.name, value,
                              "is not one key; give ^A, ^], a single character, or \"\" for none",
                              out);
    *(unsigned char *)psConfigMember(cfg, self) = key;
    return 0;
}

static int setIgnore(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    unsigned char key;

    (void)self;
    (void)out;
    memset(cfg->ignore, 0, sizeof(cfg->ignore));
    while (psKeyNext(&value, &key))
        cfg->ignore[key] = true;
    return 0;
}

static int addEndpoint(psConfig *cfg, const psConfigRow *self, const char *value, bool readOnly,
                       psComplaint out)
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
        return psConfigNoMemory(self->option.name, out);
    slot->readOnly = readOnly;
    if (slot == &cfg->endpoints[cfg->endpointCount])
        cfg->endpointCount++;
    return 0;
}

static int setPort(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    return addEndpoint(cfg, self, value, false, out);
}

static int setLogPort(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    return addEndpoint(cfg, self, value, true, out);
}

static int setHistory(psConfig *cfg, const psConfigRow *self, const char *value, psComplaint out)
{
    epicsInt32 lines;

    if (epicsParseInt32(value, &lines, 10, NULL) || lines < 0 || lines > PS_HISTORY_LINES)
        return psConfigRefuse(self->option.name, value, "must be a number of lines from 0 to 10000",
                              out);
    cfg->historyLines = lines;
    return 0;
}

/* clang-format off */
#define AT(m) offsetof(psConfig, m)
static const psConfigRow rows[] = {
    {PS_OPTION("allow", 0, 1, None, Console, NULL,
               "control ports (TCP) listen on any interface [127.0.0.1]"),
     psConfigSetTrue, AT(allow)},
    {PS_OPTION("autorestartcmd", 0, 2, Required, Console, "<key>",
               "key that changes the restart mode, \"\" for none [^T]"),
     setKey, AT(toggleKey)},
    {PS_OPTION("ignore", 'i', 10, Required, Console, "<keys>",
               "typed keys that never reach the child: ^D^C^]"),
     setIgnore, AT(ignore)},
    {PS_OPTION("killcmd", 'k', 12, Required, Console, "<key>",
               "key that kills or starts the child, \"\" for none [^X]"),
     setKey, AT(killKey)},
    {PS_OPTION("logport", 'l', 14, Required, Log, "<endpoint>",
               "read-only console; a port alone listens on any interface"),
     setLogPort, AT(endpoints)},
    {PS_OPTION("logfile", 'L', 15, Required, Log, "<file>",
               "append all console output to <file>; - is standard output"),
     psConfigSetTextOrNone, AT(logFile)},
    {PS_OPTION("logstamp", 0, 16, Optional, Log, "[=<format>]",
               "print the time before each line of the log [\"[\" timefmt \"] \"]"),
     setLogStamp, AT(logStamp)},
    {PS_OPTION("port", 'P', 21, Required, Console, "<endpoint>",
               "console endpoint; can be repeated"),
     setPort, AT(endpoints)},
    {PS_OPTION("restrict", 0, 23, None, Log, NULL,
               "the log port listens on 127.0.0.1 only"),
     psConfigSetTrue, AT(restrictLog)},
    {PS_OPTION("timefmt", 0, 24, Required, Log, "<format>",
               "format of times in messages and log, as for strftime [%c]"),
     psConfigSetText, AT(timeFormat)},
    {PS_OPTION("logoutcmd", 'x', 27, Required, Console, "<key>",
               "key that ends the connection on which it is typed [none]"),
     setKey, AT(logoutKey)},
    {PS_OPTION("history", 0, 130, Required, Console, "<lines>",
               "a new console is shown the last <lines> lines of this run [0]"),
     setHistory, AT(historyLines)},
    {PS_OPTION("key-guard", 0, 131, None, Console, NULL,
               "kill and quit keys count only when pressed twice within 2 s"),
     psConfigSetTrue, AT(keyGuard)},
    {PS_OPTION("audit", 0, 132, None, Log, NULL,
               "write to the log who connects and who presses keys"),
     psConfigSetTrue, AT(audit)},
};
/* clang-format on */

const psConfigRow *psConfigConsoleRow(unsigned index)
{
    return index < NELEMENTS(rows) ? &rows[index] : NULL;
}
