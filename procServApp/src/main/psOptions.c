/* SPDX-License-Identifier: EPICS */
/* The rules of the command line beyond single options (psOptionRows.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "psOptionRows.h"
#include "psOptions.h"

/* ---- the rules beyond single options ---- */

static void setChild(psProgram *program, const char *option, const char *value)
{
    char msg[PS_TEXT_BYTES];

    if (strcmp(option, "logfile") == 0)
        program->logFile = value;
    else if (strcmp(option, "name") != 0 && !program->childOption)
        program->childOption = option;
    if (strcmp(option, "port") == 0)
        program->haveEndpoint = true;
    if (psConfigSet(program->child, option, value, msg, sizeof(msg))) {
        fprintf(program->errFile, "%s: --%s\n", program->argv0, msg);
        program->wrong = true;
    }
}

/* Returns false once help or version was asked for: they act at once. */
static bool applyOption(psProgram *program, const psOption *option, const char *value)
{
    if (!psOptionRowApply(program, option, value))
        setChild(program, option->name, value);
    return program->action != psActionHelp && program->action != psActionVersion;
}

/* Old style: the first word is the endpoint.  New style, with -P: all words are the command. */
static void takeWords(psProgram *program, int count, char *const *words)
{
    char msg[PS_TEXT_BYTES];

    if (count > 1 && !program->haveEndpoint) {
        setChild(program, "port", words[0]);
        words++;
        count--;
    } else if (!program->haveEndpoint) {
        count = 0;
    }
    if (count < 1) {
        fprintf(program->errFile, "%s: missing argument\n", program->argv0);
        program->wrongUsage = true;
        return;
    }
    int status = psConfigSetCommand(program->child, count, (const char *const *)words);
    if (status) {
        fprintf(program->errFile, "%s: %s\n", program->argv0,
                status == -ENOMEM ? "out of memory" : "the command is empty");
        program->wrong = true;
    } else if (!program->wrong && psConfigCheck(program->child, msg, sizeof(msg))) {
        fprintf(program->errFile, "%s: --%s\n", program->argv0, msg);
        program->wrong = true;
    }
}

/* With a script, the children may all be its own; then log and name are those of the program. */
static void dropChild(psProgram *program)
{
    const char *name = psConfigName(program->child);

    if (*name && !(program->supName = strdup(name)))
        psOptionWrong(program, "name", "out of memory");
    if (program->childOption)
        psOptionWrong(program, program->childOption, "there is no command it could apply to");
    if (!program->ownLog && program->logFile && *program->logFile)
        program->ownLog = program->logFile;
    psConfigFree(program->child);
    program->child = NULL;
}

static void conclude(psProgram *program, int count, char *const *words)
{
    if (program->action == psActionCheckIoc) {
        if (count > 0)
            takeWords(program, count, words);
    } else if (count == 0 && program->script && !program->haveEndpoint) {
        dropChild(program);
    } else {
        takeWords(program, count, words);
    }
    if (program->noIoc && program->iocOption)
        psOptionWrong(program, program->iocOption, "needs the IOC that --no-ioc leaves out");
    if (program->noIoc && program->child && program->child->readyRule == psReadyPv)
        psOptionWrong(program, "ready-pv", "needs the IOC that --no-ioc leaves out");
    if (program->noIoc && program->child && program->child->watchPv)
        psOptionWrong(program, "watch-pv", "needs the IOC that --no-ioc leaves out");
    if (program->wrongUsage)
        psOptionUsage(program);
    if (program->wrong || program->wrongUsage)
        program->action = psActionUsageError;
}

static psProgram *create(int argc, char *const *argv, char *(*lookup)(const char *name))
{
    psProgram *program = calloc(1, sizeof(*program));
    const char *pidFile = lookup("PROCSERV_PID");

    if (!program)
        return NULL;
    program->argv0 = argc > 0 && argv[0] ? argv[0] : "procServIoc";
    program->pidFile = pidFile && *pidFile ? pidFile : NULL;
    program->debug = lookup("PROCSERV_DEBUG") != NULL;
    program->child = psConfigCreate();
    program->statPeriodSec = PS_STAT_PERIOD_SEC;
    program->outFile = open_memstream(&program->out, &program->outLen);
    program->errFile = open_memstream(&program->err, &program->errLen);
    if (!program->child || !program->outFile || !program->errFile) {
        psProgramFree(program);
        return NULL;
    }
    return program;
}

/* Closes the texts, so that they can be read; false if memory ran out meanwhile. */
static bool closeTexts(psProgram *program)
{
    bool good = true;

    if (program->outFile)
        good = fclose(program->outFile) == 0;
    if (program->errFile)
        good = fclose(program->errFile) == 0 && good;
    program->outFile = program->errFile = NULL;
    return good && program->out && program->err;
}

static void parse(psProgram *program, int argc, char *const *argv)
{
    psGetopt scan = {
        .at = psOptionRowAt, .argc = argc, .argv = (const char *const *)argv, .index = 1};
    const psOption *option;
    const char *value;
    char msg[1024];
    int status;

    while ((status = psGetoptNext(&scan, &option, &value, msg, sizeof(msg))) != 0) {
        if (status < 0) {
            fprintf(program->errFile, "%s: %s\n", program->argv0, msg);
            program->wrongUsage = true;
        } else if (!applyOption(program, option, value)) {
            return;
        }
    }
    conclude(program, scan.index < argc ? argc - scan.index : 0, argv + scan.index);
}

psProgram *psOptionsParse(int argc, char *const *argv, char *(*lookup)(const char *name))
{
    psProgram *program = create(argc, argv, lookup);

    if (!program)
        return NULL;
    parse(program, argc, argv);
    if (!closeTexts(program)) {
        psProgramFree(program);
        return NULL;
    }
    return program;
}

void psProgramFree(psProgram *program)
{
    if (!program)
        return;
    closeTexts(program);
    psConfigFree(program->child);
    free(program->out);
    free(program->err);
    free(program->iocEnv);
    free(program->supName);
    free(program);
}
