/* SPDX-License-Identifier: EPICS */
/* iocsh commands.  Each says what is wrong and how it is used, and sets the shell's error status
 * (on error break). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>
#include <iocsh.h>

#include "psAddOptions.h"
#include "psIocChild.h"
#include "psHooks.h"

#define USAGE_ADD                                                                                  \
    "procServAdd NAME [options] [--] COMMAND [args...]\n"                                          \
    "Add a process to be supervised; it begins at iocInit or by procServStart.\n"                  \
    "Options as on the command line of procServIoc, long or short; NAME is its --name.\n"          \
    "All behind NAME may be one quoted word:\n"                                                    \
    "  procServAdd ioc1 \"-P 20001 -L /tmp/ioc1.log --holdoff 5 -- ./st.cmd\"\n"
#define USAGE_START                                                                                \
    "procServStart [NAME]\n"                                                                       \
    "Begin supervising NAME, or all that were added, before iocInit.\n"
#define USAGE_REPORT                                                                               \
    "procServReport [LEVEL]\n"                                                                     \
    "What is supervised and how it is; LEVEL 0 to 2.\n"
#define USAGE_CMD                                                                                  \
    "procServCmd NAME start|stop|restart|kill|reset|resetcounters|rotatelog\n"                     \
    "procServCmd NAME signal NUMBER|NAME\n"                                                        \
    "Ask something of a supervised process; the outcome is told by its PVs CmdState and CmdMsg.\n"
#define USAGE_INSECURE                                                                             \
    "procServInsecurePvs\n"                                                                        \
    "Let anybody on the network command the processes while access security is not active.\n"

static void fail(const char *usage, const char *msg)
{
    fprintf(stderr, "%s\nUsage: %s", msg, usage);
    iocshSetError(-1);
}

static void failCode(const char *usage, const char *name, int rc)
{
    char msg[PS_TEXT_BYTES];
    if (rc == -ENOENT)
        epicsSnprintf(msg, sizeof msg, "%s: no such process is supervised", name);
    else
        epicsSnprintf(msg, sizeof msg, "%s: %s", name, strerror(-rc));
    fail(usage, msg);
}

/* ---- procServAdd ---- */

static int addChild(const char *name, int argc, const char *const *argv, char *msg, size_t size)
{
    psConfig *cfg = psConfigCreate();
    if (!cfg) {
        epicsSnprintf(msg, size, "out of memory");
        return -ENOMEM;
    }
    int rc = psConfigSet(cfg, "name", name, msg, size);
    rc = rc ? rc : psAddApply(cfg, argc, argv, msg, size);
    rc = rc ? rc : psConfigCheck(cfg, msg, size);
    psSup *sup = rc ? NULL : psHooksNeedSup();
    if (!rc && !sup) {
        epicsSnprintf(msg, size, "there is no supervisor");
        rc = -ENOMEM;
    }
    rc = rc ? rc : psSupAddChild(sup, cfg, msg, size);
    psConfigFree(cfg);
    return rc;
}

static void addCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval;
    int argc = args[1].aval.ac - 1;
    char **argv = args[1].aval.av + 1;
    char **words = NULL;
    char msg[PS_TEXT_BYTES] = "";
    if (!name || argc < 1) {
        fail(USAGE_ADD, "procServAdd needs a name and a command");
        return;
    }
    if (argc == 1) {
        argc = psAddSplit(argv[0], &words);
        argv = words;
    }
    if (argc < 0) {
        fail(USAGE_ADD, "a quote is not closed");
        return;
    }
    if (addChild(name, argc, (const char *const *)argv, msg, sizeof msg)) {
        char line[PS_TEXT_BYTES + PS_NAME_BYTES];
        size_t len = strlen(name);
        bool named = !strncmp(msg, name, len) && !strncmp(msg + len, ": ", 2);
        epicsSnprintf(line, sizeof line, "%s%s%s", named ? "" : name, named ? "" : ": ", msg);
        fail(USAGE_ADD, line);
    }
    free(words);
    psIocChildrenAttach(); /* added after iocInit: its records wait for it */
}

/* ---- procServStart ---- */

static void startCall(const iocshArgBuf *args)
{
    psSup *sup = psIocSup();
    int rc = sup ? psSupBegin(sup, args[0].sval) : -ENOENT;
    if (rc)
        failCode(USAGE_START, args[0].sval ? args[0].sval : "procServStart", rc);
}

/* ---- procServReport ---- */

static void reportCall(const iocshArgBuf *args)
{
    psSup *sup = psIocSup();
    if (sup)
        psSupReport(sup, epicsGetStdout(), args[0].ival);
    else
        printf("Nothing is supervised.\n");
}

/* ---- procServCmd ---- */

static const struct {
    const char *word;
    psVerb verb;
} verbs[] = {
    {"start", psVerbStart},
    {"stop", psVerbStop},
    {"restart", psVerbRestart},
    {"kill", psVerbKill},
    {"signal", psVerbSignal},
    {"reset", psVerbReset},
    {"resetcounters", psVerbResetCounters},
    {"rotatelog", psVerbRotateLog},
};

static psVerb verbOf(const char *word)
{
    for (size_t i = 0; i < NELEMENTS(verbs); i++)
        if (!strcmp(verbs[i].word, word))
            return verbs[i].verb;
    return psVerbNone;
}

static void cmdCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval, *word = args[1].sval, *value = args[2].sval;
    psCommand cmd = {.verb = word ? verbOf(word) : psVerbNone, .reason = psReasonScript};
    if (!name || !word) {
        fail(USAGE_CMD, "procServCmd needs a name and a command");
        return;
    }
    if (cmd.verb == psVerbNone) {
        char msg[PS_TEXT_BYTES];
        epicsSnprintf(msg, sizeof msg, "procServCmd knows no command '%s'", word);
        fail(USAGE_CMD, msg);
        return;
    }
    if (cmd.verb == psVerbSignal) {
        int signo = value ? psSignalParse(value) : -EINVAL;
        if (signo < 0) {
            fail(USAGE_CMD, "no such signal");
            return;
        }
        cmd.value = signo;
    }
    psSup *sup = psIocSup();
    int rc = sup ? psSupSubmit(sup, name, &cmd, NULL, NULL) : -ENOENT;
    if (rc)
        failCode(USAGE_CMD, name, rc);
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
static const iocshArg levelArg = {"LEVEL", iocshArgInt};
static const iocshArg verbArg = {"COMMAND", iocshArgString};
static const iocshArg valueArg = {"SIGNAL", iocshArgString};

static const iocshArg *const addArgs[] = {&nameArg, &optionsArg};
static const iocshArg *const startArgs[] = {&nameArg};
static const iocshArg *const reportArgs[] = {&levelArg};
static const iocshArg *const cmdArgs[] = {&nameArg, &verbArg, &valueArg};

static const struct {
    iocshFuncDef def;
    iocshCallFunc call;
} commands[] = {
    {{"procServAdd", NELEMENTS(addArgs), addArgs, USAGE_ADD}, addCall},
    {{"procServStart", NELEMENTS(startArgs), startArgs, USAGE_START}, startCall},
    {{"procServReport", NELEMENTS(reportArgs), reportArgs, USAGE_REPORT}, reportCall},
    {{"procServCmd", NELEMENTS(cmdArgs), cmdArgs, USAGE_CMD}, cmdCall},
    {{"procServInsecurePvs", 0, NULL, USAGE_INSECURE}, insecureCall},
};

void psIocshRegister(void)
{
    for (size_t i = 0; i < NELEMENTS(commands); i++)
        iocshRegister(&commands[i].def, commands[i].call);
}
