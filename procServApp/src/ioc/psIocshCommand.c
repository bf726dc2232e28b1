/* SPDX-License-Identifier: EPICS */
/* Commands of the IOC shell that act on a child, or on all children. */
#include <errno.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <iocsh.h>

#include "psIocSup.h"
#include "psIocWho.h"
#include "psIocshCommand.h"
#include "psIocshTrial.h"
#include "psSetting.h"
#include "psVerb.h"

#define USAGE_CMD                                                                                  \
    "procServCmd NAME start|stop|restart|kill|reset|resetcounters|rotatelog\n"                     \
    "procServCmd NAME signal NUMBER|NAME\n"                                                        \
    "Give a command to a child, or to all with NAME *.  The PVs CmdState and CmdMsg show the\n"    \
    "outcome, for all children those of the supervisor.\n"
#define ALL_CHILDREN "*" /* where a name is asked for, unless a child has that name */
#define USAGE_SET                                                                                  \
    "procServSet NAME OPTION VALUE\n"                                                              \
    "Change a setting of a child while it runs, or of all children with NAME *.  It holds until\n" \
    "the supervisor ends.  OPTION is one of\n"
#define USAGE_LOCKOUT                                                                              \
    "procServLockout NAME on [REASON]\n"                                                           \
    "procServLockout NAME off\n"                                                                   \
    "Maintenance: from on to off, commands given by people to a child are refused, by PV, key\n"   \
    "and shell.  Automatic restarts go on.  NAME * stands for all children.\n"

/* ---- procServCmd ---- */

/* Console and log show who gave it, as for a put. */
static int give(psSup *sup, const char *name, const psCommand *cmd, const char *words)
{
    psChild *child = psSupFind(sup, name);
    char text[PS_TEXT_BYTES];
    int status;

    psIocWhoLine(cmd->by, words, text, sizeof(text));
    if (!child && strcmp(name, ALL_CHILDREN) == 0) {
        status = psSupTellAll(sup, text);
        return status ? status : psSupSubmitAll(sup, cmd, NULL, NULL);
    }
    if (!child)
        return -ENOENT;
    status = psSupTell(sup, child, text);
    return status ? status : psSupSubmit(sup, child, cmd, NULL, NULL);
}

static void submit(const char *command, const char *name, const psCommand *cmd, const char *words)
{
    if (psIocshTrial())
        return;
    psSup *sup = psIocSupTake();
    int status = sup ? give(sup, name, cmd, words) : -ENOENT;
    psIocSupRelease();
    if (status)
        psIocshRefuseStatus(command, name, status);
}

static void cmdCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval, *word = args[1].sval, *value = args[2].sval;
    psCommand cmd = {
        .verb = word ? psVerbParse(word) : psVerbNone, .reason = psReasonScript, .by = "iocsh"};
    char words[PS_TEXT_BYTES / 2];

    if (!name || !word) {
        psIocshRefuse("procServCmd", "procServCmd needs a name and a command");
        return;
    }
    if (cmd.verb == psVerbNone) {
        epicsSnprintf(words, sizeof(words), "procServCmd: unknown command '%s'", word);
        psIocshRefuse("procServCmd", words);
        return;
    }
    if (cmd.verb == psVerbSignal) {
        int signo = value ? psSignalParse(value) : -EINVAL;

        if (signo < 0) {
            epicsSnprintf(words, sizeof(words), "no such signal: '%s'", value ? value : "");
            psIocshRefuse("procServCmd", words);
            return;
        }
        cmd.value = signo;
    }
    epicsSnprintf(words, sizeof(words), "procServCmd %s %s%s%s", name, word, value ? " " : "",
                  value ? value : "");
    submit("procServCmd", name, &cmd, words);
}

/* ---- procServSet ---- */

/* As on the command line, or as the record is called. */
static const psSetting *settingOf(const char *option)
{
    return psSettingNamed(strncmp(option, "--", 2) ? option : option + 2);
}

static void setCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval, *option = args[1].sval, *value = args[2].sval;
    psCommand cmd = {.reason = psReasonScript, .by = "iocsh"};
    char msg[PS_TEXT_BYTES];

    if (!name || !option || !value) {
        psIocshRefuse("procServSet", "procServSet needs a name, an option and a value");
        return;
    }
    const psSetting *setting = settingOf(option);
    if (!setting) {
        epicsSnprintf(msg, sizeof(msg), "procServSet: there is no setting '%s'", option);
        psIocshRefuse("procServSet", msg);
        return;
    }
    if (psSettingParse(setting, value, &cmd.value, msg, sizeof(msg))) {
        psIocshRefuse("procServSet", msg);
        return;
    }
    cmd.verb = setting->verb;
    epicsSnprintf(msg, sizeof(msg), "procServSet %s %s %s", name, setting->option.name, value);
    submit("procServSet", name, &cmd, msg);
}

/* The usage lists the settings: from their table, so that none is missing. */
static const char *setUsage(void)
{
    static char text[2048];
    const psSetting *setting;
    size_t len = (size_t)epicsSnprintf(text, sizeof(text), "%s", USAGE_SET);

    for (unsigned i = 0; (setting = psSettingAt(i)) && len < sizeof(text); i++)
        len += (size_t)epicsSnprintf(text + len, sizeof(text) - len, "  %-14s %-6s %s\n",
                                     setting->option.name, setting->option.value,
                                     setting->option.help);
    return text;
}

/* ---- procServLockout ---- */

static void lockoutCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval, *word = args[1].sval, *reason = args[2].sval;
    bool on = word && strcmp(word, "on") == 0;
    psCommand cmd = {.verb = psVerbLockout,
                     .value = on,
                     .text = on ? reason : NULL,
                     .reason = psReasonScript,
                     .by = "iocsh"};
    char words[PS_TEXT_BYTES];

    if (!name || !word || (!on && strcmp(word, "off") != 0)) {
        psIocshRefuse("procServLockout", "procServLockout needs a name, and on or off");
        return;
    }
    if (psVerbCheckText(cmd.verb, cmd.text)) {
        psIocshRefuse("procServLockout",
                      "procServLockout: the reason is too long or has control characters");
        return;
    }
    epicsSnprintf(words, sizeof(words), "procServLockout %s %s%s%s", name, word,
                  cmd.text ? " " : "", cmd.text ? cmd.text : "");
    submit("procServLockout", name, &cmd, words);
}

/* ---- the table ---- */

static const iocshArg nameArg = {"NAME", iocshArgString};
static const iocshArg verbArg = {"COMMAND", iocshArgString};
static const iocshArg signalArg = {"SIGNAL", iocshArgString};
static const iocshArg onOffArg = {"on|off", iocshArgString};
static const iocshArg reasonArg = {"[REASON]", iocshArgString};
static const iocshArg optionArg = {"OPTION", iocshArgString};
static const iocshArg valueArg = {"VALUE", iocshArgString};
static const iocshArg *const cmdArgs[] = {&nameArg, &verbArg, &signalArg};
static const iocshArg *const lockoutArgs[] = {&nameArg, &onOffArg, &reasonArg};
static const iocshArg *const setArgs[] = {&nameArg, &optionArg, &valueArg};

static psIocshRow rows[] = {
    {{"procServCmd", NELEMENTS(cmdArgs), cmdArgs, USAGE_CMD}, cmdCall},
    {{"procServSet", NELEMENTS(setArgs), setArgs, NULL}, setCall},
    {{"procServLockout", NELEMENTS(lockoutArgs), lockoutArgs, USAGE_LOCKOUT}, lockoutCall},
};

const psIocshRow *psIocshCommandRow(unsigned index)
{
    if (index >= NELEMENTS(rows))
        return NULL;
    if (rows[index].call == setCall && !rows[index].def.usage)
        rows[index].def.usage = setUsage();
    return &rows[index];
}
