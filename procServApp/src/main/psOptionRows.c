/* SPDX-License-Identifier: EPICS */
/* The options that concern a child are core's (psConfigOption()); those of the program itself are
 * the table here, and the help shows both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdlib.h>

#include "psOptionRows.h"
#include "psPrefix.h"

/* An option that is no setting of the child. */
typedef struct programOption {
    psOption option;
    void (*apply)(psProgram *program, const char *value);
} programOption;

void psOptionUsage(psProgram *program)
{
    fprintf(program->outFile,
            "Usage: %s [options] -P <endpoint>... <command args ...>    (-h for help)\n"
            "       %s [options] <endpoint> <command args ...>\n",
            program->argv0, program->argv0);
}

void psOptionWrong(psProgram *program, const char *option, const char *problem)
{
    fprintf(program->errFile, "%s: --%s: %s\n", program->argv0, option, problem);
    program->wrong = true;
}

/* ---- what options do that are no setting of the child ---- */

static void applyHelp(psProgram *program, const char *value);

static void applyVersion(psProgram *program, const char *value)
{
    (void)value;
    fprintf(program->outFile, "%s\n", PS_PROGRAM_VERSION);
    program->action = psActionVersion;
}

static void applyDebug(psProgram *program, const char *value)
{
    (void)value;
    program->debug = true;
}

static void applyForeground(psProgram *program, const char *value)
{
    (void)value;
    program->foreground = true;
}

static void applyQuiet(psProgram *program, const char *value)
{
    (void)value;
    program->quiet = true;
}

/* Empty means none: scripts pass empty variables. */
static void applyPidFile(psProgram *program, const char *value)
{
    program->pidFile = *value ? value : NULL;
}

static void applyInfoFile(psProgram *program, const char *value)
{
    program->infoFile = *value ? value : NULL;
}

static void applyOwnLog(psProgram *program, const char *value)
{
    program->ownLog = *value ? value : NULL;
}

static void applyNoIoc(psProgram *program, const char *value)
{
    (void)value;
    program->noIoc = true;
}

static void applyPrefix(psProgram *program, const char *value)
{
    if (!*value || strlen(value) > PS_PREFIX_BYTES)
        psOptionWrong(program, "prefix", "give 1 to 43 characters, with the separator: IOC1:PS:");
    else if (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                           "_-+:[]<>;") != strlen(value))
        psOptionWrong(program, "prefix", "only letters, digits and _-+:[]<>; make a record name");
    program->prefix = value;
}

static void applyScript(psProgram *program, const char *value)
{
    if (!*value)
        psOptionWrong(program, "script", "give the path of an IOC shell script");
    program->script = value;
}

static void applyAcf(psProgram *program, const char *value)
{
    if (!*value)
        psOptionWrong(program, "acf", "give the path of an access security file");
    program->acf = value;
}

static void applyInsecurePvs(psProgram *program, const char *value)
{
    (void)value;
    program->insecurePvs = true;
}

static void applyCaRelay(psProgram *program, const char *value)
{
    static const struct {
        const char *text;
        psRelayMode mode;
    } modes[] = {{"udp", psRelayUdp}, {"full", psRelayFull}, {"off", psRelayOff}};

    for (size_t i = 0; i < NELEMENTS(modes); i++)
        if (strcmp(modes[i].text, value) == 0) {
            program->relay = modes[i].mode;
            return;
        }
    psOptionWrong(program, "ca-relay", "give udp, full or off");
}

static void applyIocEnv(psProgram *program, const char *value)
{
    char **longer;
    size_t len = strcspn(value, "=");

    if (len == 0 || !value[len]) {
        psOptionWrong(program, "ioc-env", "give NAME=VALUE");
        return;
    }
    longer = realloc(program->iocEnv, ((size_t)program->iocEnvCount + 2) * sizeof(*longer));
    if (!longer) {
        psOptionWrong(program, "ioc-env", "out of memory");
        return;
    }
    longer[program->iocEnvCount++] = (char *)value; /* of argv, not written to */
    longer[program->iocEnvCount] = NULL;
    program->iocEnv = longer;
}

static void applyStatPeriod(psProgram *program, const char *value)
{
    double sec;

    if (epicsParseDouble(value, &sec, NULL) ||
        !(sec == 0 || (sec >= PS_STAT_PERIOD_MIN_SEC && sec <= PS_STAT_PERIOD_MAX_SEC)))
        psOptionWrong(program, "stat-period", "give seconds, 0.5 to 3600, or 0 for never");
    else
        program->statPeriodSec = sec;
}

static void applyStagger(psProgram *program, const char *value)
{
    double sec;

    if (epicsParseDouble(value, &sec, NULL) || !(sec >= 0 && sec <= PS_STAGGER_MAX_SEC))
        psOptionWrong(program, "stagger", "give seconds, 0 to 3600");
    else
        program->staggerSec = sec;
}

static void applyCheck(psProgram *program, const char *value)
{
    (void)value;
    program->action = psActionCheck;
}

static void applyCheckIoc(psProgram *program, const char *value)
{
    program->trialMode = value;
    program->action = psActionCheckIoc;
}

/* The trial of a supervisor that has a name and no child. */
static void applyCheckName(psProgram *program, const char *value)
{
    free(program->supName);
    program->supName = strdup(value);
    if (!program->supName)
        psOptionWrong(program, "check-name", "out of memory");
}

/* ---- the table ---- */

/* clang-format off */
static const programOption ownOptions[] = {
    {PS_OPTION("debug", 'd', 5, None, Server, NULL,
               "stay in the foreground; print console traffic and diagnostics"),
     applyDebug},
    {PS_OPTION("foreground", 'f', 7, None, Server, NULL,
               "stay in the foreground; this terminal is a console, unless -L -"),
     applyForeground},
    {PS_OPTION("help", 'h', 8, None, Other, NULL,
               "print this list of options"),
     applyHelp},
    {PS_OPTION("info-file", 'I', 11, Required, Server, "<file>",
               "write the process number of procServIoc and the endpoints to <file>"),
     applyInfoFile},
    {PS_OPTION("pidfile", 'p', 20, Required, Server, "<file>",
               "write the process number of procServIoc to <file> [$PROCSERV_PID]"),
     applyPidFile},
    {PS_OPTION("quiet", 'q', 22, None, Server, NULL,
               "print nothing when starting as a daemon"),
     applyQuiet},
    {PS_OPTION("version", 'V', 25, None, Other, NULL,
               "print the version"),
     applyVersion},
    {PS_OPTION("own-log", 0, 121, Required, Server, "<file>",
               "log of procServIoc and its PVs [with --script alone: of -L]"),
     applyOwnLog},
    {PS_OPTION("prefix", 0, 106, Required, Ioc, "<prefix>",
               "prefix of the PV names, with its separator [<name>:PS:]"),
     applyPrefix},
    {PS_OPTION("script", 0, 107, Required, Ioc, "<file>",
               "run this IOC shell script; the command is then optional"),
     applyScript},
    {PS_OPTION("acf", 0, 108, Required, Ioc, "<file>",
               "access security file [commands: your user name, from this host]"),
     applyAcf},
    {PS_OPTION("insecure-pvs", 0, 109, None, Ioc, NULL,
               "without --acf: anybody on the network may give commands"),
     applyInsecurePvs},
    {PS_OPTION("ioc-env", 0, 110, Required, Ioc, "<name>=<value>",
               "environment variable for the PVs, not for the child; can be repeated"),
     applyIocEnv},
    {PS_OPTION("ca-relay", 0, 120, Required, Ioc, "udp|full|off",
               "how CA clients find every IOC here [full with several children]"),
     applyCaRelay},
    {PS_OPTION("stat-period", 0, 170, Required, Ioc, "<sec>",
               "how often CPU, memory and so on are read; 0: never [5]"),
     applyStatPeriod},
    {PS_OPTION("stagger", 0, 180, Required, Ioc, "<sec>",
               "from one start to the next when all children are started [0]"),
     applyStagger},
    {PS_OPTION("no-ioc", 0, 111, None, Ioc, NULL,
               "run without PVs"),
     applyNoIoc},
    {PS_OPTION("check", 0, 112, None, Other, NULL,
               "report whether this command line would work; start nothing"),
     applyCheck},
    {PS_OPTION("check-ioc", 0, 113, Required, Other, NULL, NULL), applyCheckIoc},
    {PS_OPTION("check-name", 0, 114, Required, Other, NULL, NULL), applyCheckName},
};
/* clang-format on */

/* The child's options, then ours. */
const psOption *psOptionRowAt(unsigned index)
{
    unsigned count = 0;

    for (const psOption *option; (option = psConfigOption(count)) != NULL; count++)
        if (count == index)
            return option;
    return index - count < NELEMENTS(ownOptions) ? &ownOptions[index - count].option : NULL;
}

static const programOption *ownOption(const psOption *option)
{
    for (size_t i = 0; i < NELEMENTS(ownOptions); i++)
        if (&ownOptions[i].option == option)
            return &ownOptions[i];
    return NULL;
}

/* ---- help ---- */

static const char *const groupTitles[psOptionGroupCount] = {
    [psOptionGroupConsole] = "Console",
    [psOptionGroupLog] = "Log",
    [psOptionGroupChild] = "Command",
    [psOptionGroupRestart] = "When the child ends",
    [psOptionGroupStop] = "How the child is stopped",
    [psOptionGroupReady] = "When the child is ready",
    [psOptionGroupWatch] = "Watchdogs",
    [psOptionGroupServer] = "Server",
    [psOptionGroupIoc] = "PVs",
    [psOptionGroupOther] = "Other",
};

static void helpLine(FILE *out, const psOption *option)
{
    char left[64];
    const char *gap = option->value && option->value[0] != '[' ? " " : "";

    snprintf(left, sizeof(left), "%c%c --%s%s%s", option->letter ? '-' : ' ',
             option->letter ? option->letter : ' ', option->name, gap,
             option->value ? option->value : "");
    fprintf(out, " %-28s %s\n", left, option->help);
}

static void applyHelp(psProgram *program, const char *value)
{
    FILE *out = program->outFile;

    (void)value;
    psOptionUsage(program);
    fprintf(out, "\nSupervises a command, usually a soft IOC: console by telnet, log, automatic "
                 "restart,\nand PVs that show its state and take commands.\n\n"
                 "<endpoint>\n"
                 " <port>                       TCP on 127.0.0.1; 0: any free port\n"
                 " <address>:<port>             TCP on that address; needs --allow\n"
                 " [<address>]:<port>           TCP over IPv6; any address but ::1 needs --allow\n"
                 " unix:<path>                  Unix socket (unix:@<name>: abstract)\n"
                 " unix:<user>:<group>:<mode>:<path>   with that owner and permissions\n");
    for (int group = 0; group < psOptionGroupCount; group++) {
        fprintf(out, "%s\n", groupTitles[group]);
        for (const psOption *option = psOptionAfter(psOptionRowAt, 0); option;
             option = psOptionAfter(psOptionRowAt, option->place))
            if ((int)option->group == group && option->help)
                helpLine(out, option);
    }
    fprintf(out,
            "Keys are written ^X or as the character itself; [] shows the default.\n\n"
            "Example: supervise ./st.cmd, console by \"telnet localhost 20000\", "
            "PVs IOC1:PS:State, ...\n"
            "  %s -n IOC1 -c /iocs/ioc1 -L /var/log/ioc1.log 20000 ./st.cmd\n",
            program->argv0);
    program->action = psActionHelp;
}

/* ---- the public face ---- */

bool psOptionRowApply(psProgram *program, const psOption *option, const char *value)
{
    const programOption *own = ownOption(option);

    if (!own)
        return false;
    if (option->group == psOptionGroupIoc && own->apply != applyNoIoc && !program->iocOption)
        program->iocOption = option->name;
    own->apply(program, value);
    return true;
}
