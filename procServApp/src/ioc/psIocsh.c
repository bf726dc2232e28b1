/* SPDX-License-Identifier: EPICS */
/* The commands of the IOC shell: children are added, started and shown here. */
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
#include "psIocsh.h"
#include "psIocshCommand.h"
#include "psIocshTrial.h"

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
#define USAGE_INSECURE                                                                             \
    "procServInsecurePvs\n"                                                                        \
    "Let anybody on the network give commands to the processes while access security is not\n"     \
    "active.\n"

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
    if (!status && psIocshTrial())
        psIocshTrial()->add(psIocshTrial()->ctx, cfg);
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
    int status = psIocshTrial() ? addChild(NULL, name, argc, argv, added, msg, sizeof(msg))
                                : addAndBegin(name, argc, argv, msg, sizeof(msg));

    if (status) {
        size_t len = strlen(name);
        bool named = !strncmp(msg, name, len) && !strncmp(msg + len, ": ", 2);

        epicsSnprintf(line, sizeof(line), "%s%s%s", named ? "" : name, named ? "" : ": ", msg);
        psIocshRefuse("procServAdd", line);
    }
}

static void addCall(const iocshArgBuf *args)
{
    const char *name = args[0].sval;
    int argc = args[1].aval.ac - 1;
    char **argv = args[1].aval.av + 1;
    char **words = NULL;

    if (!name || argc < 1) {
        psIocshRefuse("procServAdd", "procServAdd needs a name and a command");
        return;
    }
    if (argc == 1) {
        argc = psAddSplit(argv[0], &words);
        argv = words;
    }
    if (argc < 0)
        psIocshRefuse("procServAdd", argc == -ENOMEM ? "out of memory" : "a quote is not closed");
    else
        add(name, argc, (const char *const *)argv);
    free(words);
}

/* ---- procServStart ---- */

static void startCall(const iocshArgBuf *args)
{
    if (psIocshTrial())
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
        psIocshRefuseStatus("procServStart", name, status);
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
        psIocshRefuseStatus("procServReport", name, -ENOENT);
}

/* A child may have a number as its name: a first word of two is always a name. */
static void reportCall(const iocshArgBuf *args)
{
    const char *first = args[0].sval, *second = args[1].sval;
    const char *levelWord = second ? second : first;
    epicsInt32 level = 0;
    bool isLevel = !levelWord || !epicsParseInt32(levelWord, &level, 10, NULL);

    if (second && !isLevel)
        psIocshRefuse("procServReport", "procServReport: the level must be a number");
    else if (second || !isLevel)
        reportOne(first, level);
    else
        reportAll(level);
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

static const iocshArg *const addArgs[] = {&nameArg, &optionsArg};
static const iocshArg *const startArgs[] = {&nameArg};
static const iocshArg *const reportArgs[] = {&nameOrLevelArg, &levelArg};

static const psIocshRow ownRows[] = {
    {{"procServAdd", NELEMENTS(addArgs), addArgs, USAGE_ADD}, addCall},
    {{"procServStart", NELEMENTS(startArgs), startArgs, USAGE_START}, startCall},
    {{"procServReport", NELEMENTS(reportArgs), reportArgs, USAGE_REPORT}, reportCall},
    {{"procServInsecurePvs", 0, NULL, USAGE_INSECURE}, insecureCall},
};

/* Those of this file, then the others.  @return NULL after the last one */
static const psIocshRow *rowAt(unsigned index)
{
    return index < NELEMENTS(ownRows) ? &ownRows[index]
                                      : psIocshCommandRow(index - NELEMENTS(ownRows));
}

int psIocCommand(int argc, const char *const *argv)
{
    iocshArgBuf args[3] = {{0}};
    const psIocshRow *row;

    for (unsigned i = 0; argc > 0 && (row = rowAt(i)); i++) {
        const iocshFuncDef *def = &row->def;

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
        row->call(args);
        return 0;
    }
    return -ENOENT;
}

void psIocshRegister(void)
{
    const psIocshRow *row;

    for (unsigned i = 0; (row = rowAt(i)); i++)
        iocshRegister(&row->def, row->call);
}
