/* SPDX-License-Identifier: EPICS */
/* A command that cannot be carried out says why in one line, and sets the shell's error status
 * (on error break). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>
#include <iocsh.h>

#include "psAddOptions.h"
#include "psCaRelay.h"
#include "psIocRegistry.h"
#include "psIocSup.h"
#include "psIocWho.h"
#include "psIocsh.h"
#include "psSetting.h"
#include "psVerb.h"

#define USAGE_ADD                                                                                  \
    "procServAdd NAME [options] [--] COMMAND [args...]\n"                                          \
    "Add a child.  It is supervised from iocInit or procServStart on, or at once if iocInit has\n" \
    "run already.  The records of the child must be loaded before iocInit.\n"                      \
    "The options are those of procServIoc's command line, long or short; NAME is its --name.\n"    \
    "All words after NAME may be one quoted word:\n"                                               \
    "  procServAdd ioc1 \"-P 20001 -L /tmp/ioc1.log --holdoff 5 -- ./st.cmd\"\n"
#define USAGE_START                                                                                \
    "procServStart [NAME]\n"                                                                       \
    "Supervise NAME, or all children added so far, from now on.\n"
#define USAGE_REPORT                                                                               \
    "procServReport [NAME] [LEVEL]\n"                                                              \
    "Show the child NAME, or all children and the search relay.  LEVEL 0 is one line per child,\n" \
    "1 adds how it is run and its last exit, 2 all that its records show.\n"
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
#define USAGE_INSECURE                                                                             \
    "procServInsecurePvs\n"                                                                        \
    "Let anybody on the network give commands to the processes while access security is not\n"     \
    "active.\n"

static const psIocTrial *trial; /* NULL: what is asked is done; fixed before any script runs */

void psIocSetTrial(const psIocTrial *with)
{
    trial = with;
}

static void refuse(const char *command, const char *msg)
{
    if (trial)
        trial->refused(trial->ctx, msg);
    fprintf(stderr, "%s; see 'help %s'\n", msg, command);
    iocshSetError(-1);
}

/* ---- procServAdd ---- */

/* @p sup is not used in a trial.
 * @p outName what it is called in the end: --name, and blanks around a name, count */
static int addChild(psSup *sup, const char *name, int argc, const char *const *argv,
                    char outName[PS_NAME_BYTES], char *msg, size_t msgSize)
{
    psConfig *cfg = psConfigCreate();

    if (!cfg) {
        epicsSnprintf(msg, msgSize, "out of memory");
        return -ENOMEM;
    }
    int status = psConfigSet(cfg, "name", name, msg, msgSize);
    if (!status)
        status = psAddApply(cfg, argc, argv, msg, msgSize);
    if (!status && trial)
        trial->add(trial->ctx, cfg);
    else if (!status)
        status = psSupAddChild(sup, cfg, msg, msgSize);
    if (!status)
        epicsSnprintf(outName, PS_NAME_BYTES, "%s", psConfigName(cfg));
    psConfigFree(cfg);
    return status;
}

/* After iocInit nobody else begins it. */
static void begin(psSup *sup, const char *name)
{
    psIocRegistryAttach(sup);
    if (!psIocSupBegun())
        return;
    int status = psSupStartChild(sup, psSupFind(sup, name)); /* it was added just now */
    if (status) {
        fprintf(stderr, "%s: added, but not started: %s; try procServStart %s\n", name,
                strerror(-status), name);
        iocshSetError(-1);
        return;
    }
    printf("%s: started%s\n", name,
           psIocRegistryHas(name) ? "" : " without PVs: records must be loaded before iocInit");
}

static int addAndBegin(const char *name, int argc, const char *const *argv, char *msg,
                       size_t msgSize)
{
    psSup *sup = psIocSupNeed();
    char added[PS_NAME_BYTES];
    int status = -ENOMEM;

    if (sup)
        status = addChild(sup, name, argc, argv, added, msg, msgSize);
    else
        epicsSnprintf(msg, msgSize, "there is no supervisor");
    if (!status)
        begin(sup, added);
    psIocSupRelease();
    return status;
}

static void add(const char *name, int argc, const char *const *argv)
{
    char msg[PS_TEXT_BYTES] = "", line[PS_TEXT_BYTES + PS_NAME_BYTES], added[PS_NAME_BYTES];
    int status = trial ? addChild(NULL, name, argc, argv, added, msg, sizeof(msg))
                       : addAndBegin(name, argc, argv, msg, sizeof(msg));

    if (status) {
        size_t len = strlen(name);
        bool named = !strncmp(msg, name, len) && !strncmp(msg + len, ": ", 2);

        epicsSnprintf(line, sizeof(line), "%s%s%s", named ? "" : name, named ? "" : ": ", msg);
        refuse("procServAdd", line);
    }
}

static void addCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval;
    int argc = args[1].aval.ac - 1;
    char **argv = args[1].aval.av + 1;
    char **words = NULL;

    if (!name || argc < 1) {
        refuse("procServAdd", "procServAdd needs a name and a command");
        return;
    }
    if (argc == 1) {
        argc = psAddSplit(argv[0], &words);
        argv = words;
    }
    if (argc < 0)
        refuse("procServAdd", argc == -ENOMEM ? "out of memory" : "a quote is not closed");
    else
        add(name, argc, (const char *const *)argv);
    free(words);
}

/* ---- procServStart ---- */

static void refuseStatus(const char *command, const char *name, int status)
{
    char msg[PS_TEXT_BYTES];

    epicsSnprintf(msg, sizeof(msg), "%s: %s", name ? name : command,
                  status == -ENOENT ? "there is no child of that name" : strerror(-status));
    refuse(command, msg);
}

static void startCall(const iocshArgBuf *args)
{
    if (trial)
        return;
    psSup *sup = psIocSupTake();
    const char *name = args[0].sval; /* NULL: all */
    psChild *child = sup && name ? psSupFind(sup, name) : NULL;
    int status = sup && (child || !name) ? 0 : -ENOENT;

    if (!status && child)
        status = psSupStartChild(sup, child);
    else if (!status)
        psSupStartAll(sup);

    psIocSupRelease();
    if (status)
        refuseStatus("procServStart", name, status);
}

/* ---- procServReport ---- */

static void reportAll(int level)
{
    psSup *sup = psIocSupTake();

    if (sup)
        psSupReport(sup, epicsGetStdout(), level);
    else
        printf("There are no children.\n");
    psIocSupRelease();
    psCaRelayReport(epicsGetStdout(), level);
}

static void reportOne(const char *name, int level)
{
    psSup *sup = psIocSupTake();
    psChild *child = sup ? psSupFind(sup, name) : NULL;

    if (child)
        psSupReportChild(sup, child, epicsGetStdout(), level);
    psIocSupRelease();
    if (!child)
        refuseStatus("procServReport", name, -ENOENT);
}

/* A child may have a number as its name: a first word of two is always a name. */
static void reportCall(const iocshArgBuf *args)
{
    const char *first = args[0].sval, *second = args[1].sval;
    const char *levelWord = second ? second : first;
    epicsInt32 level = 0;
    bool isLevel = !levelWord || !epicsParseInt32(levelWord, &level, 10, NULL);

    if (second && !isLevel)
        refuse("procServReport", "procServReport: the level must be a number");
    else if (second || !isLevel)
        reportOne(first, level);
    else
        reportAll(level);
}

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
    if (trial)
        return;
    psSup *sup = psIocSupTake();
    int status = sup ? give(sup, name, cmd, words) : -ENOENT;
    psIocSupRelease();
    if (status)
        refuseStatus(command, name, status);
}

static void cmdCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval, *word = args[1].sval, *value = args[2].sval;
    psCommand cmd = {
        .verb = word ? psVerbParse(word) : psVerbNone, .reason = psReasonScript, .by = "iocsh"};
    char words[PS_TEXT_BYTES / 2];

    if (!name || !word) {
        refuse("procServCmd", "procServCmd needs a name and a command");
        return;
    }
    if (cmd.verb == psVerbNone) {
        epicsSnprintf(words, sizeof(words), "procServCmd: unknown command '%s'", word);
        refuse("procServCmd", words);
        return;
    }
    if (cmd.verb == psVerbSignal) {
        int signo = value ? psSignalParse(value) : -EINVAL;

        if (signo < 0) {
            epicsSnprintf(words, sizeof(words), "no such signal: '%s'", value ? value : "");
            refuse("procServCmd", words);
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
        refuse("procServSet", "procServSet needs a name, an option and a value");
        return;
    }
    const psSetting *setting = settingOf(option);
    if (!setting) {
        epicsSnprintf(msg, sizeof(msg), "procServSet: there is no setting '%s'", option);
        refuse("procServSet", msg);
        return;
    }
    if (psSettingParse(setting, value, &cmd.value, msg, sizeof(msg))) {
        refuse("procServSet", msg);
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
        refuse("procServLockout", "procServLockout needs a name, and on or off");
        return;
    }
    if (psVerbCheckText(cmd.verb, cmd.text)) {
        refuse("procServLockout",
               "procServLockout: the reason is too long or has control characters");
        return;
    }
    epicsSnprintf(words, sizeof(words), "procServLockout %s %s%s%s", name, word,
                  cmd.text ? " " : "", cmd.text ? cmd.text : "");
    submit("procServLockout", name, &cmd, words);
}

/* ---- procServInsecurePvs ---- */

static void insecureCall(const iocshArgBuf *args)
{
    (void)args;
    psIocSetInsecure(true);
}

/* ---- registration ---- */

static const iocshArg nameArg = {"NAME", iocshArgString};
static const iocshArg optionsArg = {"\"options -- COMMAND\"", iocshArgArgv};
static const iocshArg nameOrLevelArg = {"[NAME]", iocshArgString};
static const iocshArg levelArg = {"[LEVEL]", iocshArgString};
static const iocshArg verbArg = {"COMMAND", iocshArgString};
static const iocshArg signalArg = {"SIGNAL", iocshArgString};
static const iocshArg onOffArg = {"on|off", iocshArgString};
static const iocshArg reasonArg = {"[REASON]", iocshArgString};
static const iocshArg optionArg = {"OPTION", iocshArgString};
static const iocshArg valueArg = {"VALUE", iocshArgString};

static const iocshArg *const addArgs[] = {&nameArg, &optionsArg};
static const iocshArg *const startArgs[] = {&nameArg};
static const iocshArg *const reportArgs[] = {&nameOrLevelArg, &levelArg};
static const iocshArg *const cmdArgs[] = {&nameArg, &verbArg, &signalArg};
static const iocshArg *const lockoutArgs[] = {&nameArg, &onOffArg, &reasonArg};
static const iocshArg *const setArgs[] = {&nameArg, &optionArg, &valueArg};

static struct {
    iocshFuncDef def;
    iocshCallFunc call;
} commands[] = {
    {{"procServAdd", NELEMENTS(addArgs), addArgs, USAGE_ADD}, addCall},
    {{"procServStart", NELEMENTS(startArgs), startArgs, USAGE_START}, startCall},
    {{"procServReport", NELEMENTS(reportArgs), reportArgs, USAGE_REPORT}, reportCall},
    {{"procServCmd", NELEMENTS(cmdArgs), cmdArgs, USAGE_CMD}, cmdCall},
    {{"procServSet", NELEMENTS(setArgs), setArgs, NULL}, setCall},
    {{"procServLockout", NELEMENTS(lockoutArgs), lockoutArgs, USAGE_LOCKOUT}, lockoutCall},
    {{"procServInsecurePvs", 0, NULL, USAGE_INSECURE}, insecureCall},
};

int psIocCommand(int argc, const char *const *argv)
{
    iocshArgBuf args[3] = {{0}};

    for (size_t i = 0; argc > 0 && i < NELEMENTS(commands); i++) {
        const iocshFuncDef *def = &commands[i].def;

        if (strcmp(def->name, argv[0]) != 0)
            continue;
        for (int arg = 0; arg < def->nargs; arg++) {
            if (def->arg[arg]->type == iocshArgArgv) { /* begins with the word before, as Base's */
                args[arg].aval.ac = argc > arg ? argc - arg : 0;
                args[arg].aval.av = (char **)argv + arg;
            } else if (def->arg[arg]->type == iocshArgString) {
                args[arg].sval = arg + 1 < argc ? (char *)argv[arg + 1] : NULL;
            }
        }
        commands[i].call(args);
        return 0;
    }
    return -ENOENT;
}

void psIocshRegister(void)
{
    for (size_t i = 0; i < NELEMENTS(commands); i++) {
        if (commands[i].call == setCall)
            commands[i].def.usage = setUsage();
        iocshRegister(&commands[i].def, commands[i].call);
    }
}
