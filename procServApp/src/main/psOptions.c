/* SPDX-License-Identifier: EPICS */
/* The command line.
 *
 * One table holds every option.  Its first part is procServ's, in procServ's order: getopt lists
 * ambiguous possibilities in that order, and an abbreviation is resolved among them first.
 * Options act in the order given; -h and -V at once, whatever else is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>

#include "psGetopt.h"
#include "psOptions.h"

static void usage(psProgram *program)
{
    fprintf(program->outFile,
            "Usage: %s [options] -P <endpoint>... <command args ...>    (-h for help)\n"
            "       %s [options] <endpoint> <command args ...>\n",
            program->argv0, program->argv0);
}

static void wrong(psProgram *program, const char *option, const char *problem)
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

static void applyPort(psProgram *program, const char *value)
{
    char msg[PS_TEXT_BYTES];

    program->haveEndpoint = true;
    if (psConfigSet(program->child, "port", value, msg, sizeof(msg))) {
        fprintf(program->errFile, "%s: --%s\n", program->argv0, msg);
        program->wrong = true;
    }
}

static void applyNoIoc(psProgram *program, const char *value)
{
    (void)value;
    program->noIoc = true;
}

static void applyPrefix(psProgram *program, const char *value)
{
    if (!*value || strlen(value) > PS_PREFIX_BYTES)
        wrong(program, "prefix", "give 1 to 43 characters, with the separator: IOC1:PS:");
    else if (strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                           "_-+:[]<>;") != strlen(value))
        wrong(program, "prefix", "only letters, digits and _-+:[]<>; make a record name");
    program->prefix = value;
}

static void applyScript(psProgram *program, const char *value)
{
    if (!*value)
        wrong(program, "script", "give the path of an IOC shell script");
    program->script = value;
}

static void applyAcf(psProgram *program, const char *value)
{
    if (!*value)
        wrong(program, "acf", "give the path of an access security file");
    program->acf = value;
}

static void applyInsecurePvs(psProgram *program, const char *value)
{
    (void)value;
    program->insecurePvs = true;
}

static void applyIocEnv(psProgram *program, const char *value)
{
    char **longer;
    size_t len = strcspn(value, "=");

    if (len == 0 || !value[len]) {
        wrong(program, "ioc-env", "give NAME=VALUE");
        return;
    }
    longer = realloc(program->iocEnv, ((size_t)program->iocEnvCount + 2) * sizeof(*longer));
    if (!longer) {
        wrong(program, "ioc-env", "out of memory");
        return;
    }
    longer[program->iocEnvCount++] = (char *)value; /* of argv, not written to */
    longer[program->iocEnvCount] = NULL;
    program->iocEnv = longer;
}

static void applyCheck(psProgram *program, const char *value)
{
    (void)value;
    program->action = psActionCheck;
}

static void applyCheckIoc(psProgram *program, const char *value)
{
    (void)value;
    program->action = psActionCheckIoc;
}

/* ---- the table ---- */

/* clang-format off */
#define ROW(name, letter, ours, arg, group, value, help, apply) \
    {name, letter, ours, psOptionArg##arg, psOptionGroup##group, value, help, apply}
#define THEIRS false
#define OURS true
static const psOption options[] = {
    ROW("allow", 0, THEIRS, None, Console, NULL,
        "control ports (TCP) listen on any interface [127.0.0.1]", NULL),
    ROW("autorestartcmd", 0, THEIRS, Required, Console, "<key>",
        "key that changes the restart mode, \"\" for none [^T]", NULL),
    ROW("coresize", 0, THEIRS, Required, Child, "<n>",
        "soft limit of core dumps, bytes [as inherited]", NULL),
    ROW("chdir", 'c', THEIRS, Required, Child, "<dir>",
        "directory to start it in [the present one]", NULL),
    ROW("debug", 'd', THEIRS, None, Server, NULL,
        "no daemon; console traffic and diagnostics on standard output", applyDebug),
    ROW("exec", 'e', THEIRS, Required, Child, "<file>",
        "execute <file> with <command args ...> as its arguments", NULL),
    ROW("foreground", 'f', THEIRS, None, Server, NULL,
        "no daemon; this terminal is a console, unless -L -", applyForeground),
    ROW("help", 'h', THEIRS, None, Other, NULL, "print this", applyHelp),
    ROW("holdoff", 0, THEIRS, Required, Restart, "<s>",
        "seconds from one start to the next automatic one [15]", NULL),
    ROW("ignore", 'i', THEIRS, Required, Console, "<keys>",
        "typed keys that never reach the child: ^D^C^]", NULL),
    ROW("info-file", 'I', THEIRS, Required, Server, "<file>",
        "write our pid and the real endpoints to <file>", applyInfoFile),
    ROW("killcmd", 'k', THEIRS, Required, Console, "<key>",
        "key that kills, or starts, the child; \"\" for none [^X]", NULL),
    ROW("killsig", 0, THEIRS, Required, Stop, "<signal>",
        "signal that kills or stops it: a name or number [KILL]", NULL),
    ROW("logport", 'l', THEIRS, Required, Log, "<endpoint>",
        "read-only console; a bare port listens on any interface", NULL),
    ROW("logfile", 'L', THEIRS, Required, Log, "<file>",
        "append all console output to <file>; - is standard output", NULL),
    ROW("logstamp", 0, THEIRS, Optional, Log, "[=<format>]",
        "time before each line of the log [\"[\" timefmt \"] \"]", NULL),
    ROW("name", 'n', THEIRS, Required, Child, "<text>",
        "what messages and PVs call it [the command]", NULL),
    ROW("noautorestart", 0, THEIRS, None, Restart, NULL,
        "don't start it again by itself", NULL),
    ROW("oneshot", 'o', THEIRS, None, Restart, NULL,
        "end when it has ended, with its exit status", NULL),
    ROW("pidfile", 'p', THEIRS, Required, Server, "<file>",
        "write our pid to <file> [$PROCSERV_PID]", applyPidFile),
    ROW("port", 'P', THEIRS, Required, Console, "<endpoint>",
        "console endpoint; may be repeated", applyPort),
    ROW("quiet", 'q', THEIRS, None, Server, NULL,
        "say nothing when starting as a daemon", applyQuiet),
    ROW("restrict", 0, THEIRS, None, Log, NULL,
        "the log port listens on 127.0.0.1 only", NULL),
    ROW("timefmt", 0, THEIRS, Required, Log, "<format>",
        "times in messages and log, as strftime [%c]", NULL),
    ROW("version", 'V', THEIRS, None, Other, NULL, "print the version", applyVersion),
    ROW("wait", 'w', THEIRS, None, Restart, NULL,
        "the first start is by key or PV", NULL),
    ROW("logoutcmd", 'x', THEIRS, Required, Console, "<key>",
        "key that ends the connection it comes from [none]", NULL),

    ROW("holdoff-max", 0, OURS, Required, Restart, "<s>",
        "double the hold-off after each short run, up to this [never]", NULL),
    ROW("max-restarts", 0, OURS, Required, Restart, "<n>",
        "give up after so many automatic starts in the window [never]", NULL),
    ROW("restart-window", 0, OURS, Required, Restart, "<s>",
        "that window [600]", NULL),
    ROW("restart-mode", 0, OURS, Required, Restart, "<mode>",
        "always, never, oneshot or onfailure [always]", NULL),
    ROW("stop-input", 0, OURS, Required, Stop, "<text>",
        "typed to it first when it is to stop: exit^M [nothing]", NULL),
    ROW("grace", 0, OURS, Required, Stop, "<s>",
        "time each step of a stop is given before SIGKILL [5]", NULL),
    ROW("prefix", 0, OURS, Required, Ioc, "<prefix>",
        "of the PVs, with its separator [<name>:PS:]", applyPrefix),
    ROW("script", 0, OURS, Required, Ioc, "<file>",
        "run this IOC shell script, too; the command may be left out", applyScript),
    ROW("acf", 0, OURS, Required, Ioc, "<file>",
        "access security [commands: only you, from this host]", applyAcf),
    ROW("insecure-pvs", 0, OURS, None, Ioc, NULL,
        "without --acf: anybody on the network may give commands", applyInsecurePvs),
    ROW("ioc-env", 0, OURS, Required, Ioc, "<name>=<value>",
        "environment of the PVs only, not the child's; repeatable", applyIocEnv),
    ROW("no-ioc", 0, OURS, None, Ioc, NULL, "no PVs", applyNoIoc),
    ROW("check", 0, OURS, None, Other, NULL,
        "say whether this command line would work; start nothing", applyCheck),
    ROW("check-ioc", 0, OURS, None, Other, NULL, NULL, applyCheckIoc),
};
/* clang-format on */

/* ---- help ---- */

static const char *const groupTitles[psOptionGroupCount] = {
    "Console", "Log", "Command", "When it ends", "How it is stopped", "Server", "PVs", "Other",
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
    usage(program);
    fprintf(out, "\nSupervises a command, usually a soft IOC: console by telnet, log, automatic "
                 "restart,\nand PVs that show its state and take commands.\n\n"
                 "<endpoint>\n"
                 " <port>                       TCP on 127.0.0.1; 0: any free port\n"
                 " <address>:<port>             TCP on that address; needs --allow\n"
                 " unix:<path>                  Unix socket (unix:@<name>: abstract)\n"
                 " unix:<user>:<group>:<mode>:<path>   with that owner and permissions\n");
    for (int group = 0; group < psOptionGroupCount; group++) {
        fprintf(out, "%s\n", groupTitles[group]);
        for (size_t i = 0; i < NELEMENTS(options); i++)
            if ((int)options[i].group == group && options[i].help)
                helpLine(out, &options[i]);
    }
    fprintf(out,
            "Keys are written ^X or as the character itself; [] shows the default.\n\n"
            "Example: supervise ./st.cmd, console by \"telnet localhost 20000\", "
            "PVs IOC1:PS:State, ...\n"
            "  %s -n IOC1 -c /iocs/ioc1 -L /var/log/ioc1.log 20000 ./st.cmd\n",
            program->argv0);
    program->action = psActionHelp;
}

/* ---- the rules beyond single options ---- */

/* Returns false once help or version was asked for: they act at once. */
static bool applyOption(psProgram *program, const psOption *option, const char *value)
{
    char msg[PS_TEXT_BYTES];

    if (option->group == psOptionGroupIoc && option->apply != applyNoIoc && !program->iocOption)
        program->iocOption = option->name;
    if ((!option->apply || option->apply == applyPort) && !program->childOption)
        program->childOption = option->name;
    if (option->apply) {
        option->apply(program, value);
    } else if (psConfigSet(program->child, option->name, value, msg, sizeof(msg))) {
        fprintf(program->errFile, "%s: --%s\n", program->argv0, msg);
        program->wrong = true;
    }
    return program->action != psActionHelp && program->action != psActionVersion;
}

/* Old style: the first word is the endpoint.  New style, with -P: all words are the command. */
static void takeWords(psProgram *program, int count, char *const *words)
{
    char msg[PS_TEXT_BYTES];

    if (count > 1 && !program->haveEndpoint) {
        applyPort(program, words[0]);
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
    if (psConfigSetCommand(program->child, count, (const char *const *)words)) {
        fprintf(program->errFile, "%s: the command is empty\n", program->argv0);
        program->wrong = true;
    } else if (!program->wrong && psConfigCheck(program->child, msg, sizeof(msg))) {
        fprintf(program->errFile, "%s: --%s\n", program->argv0, msg);
        program->wrong = true;
    }
}

/* With a script, the children may all be its own. */
static void dropChild(psProgram *program)
{
    if (program->childOption)
        wrong(program, program->childOption, "there is no command it could apply to");
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
        wrong(program, program->iocOption, "needs the IOC that --no-ioc leaves out");
    if (program->wrongUsage)
        usage(program);
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
    psGetopt scan = {.options = options,
                     .count = NELEMENTS(options),
                     .argv0 = program->argv0,
                     .argc = argc,
                     .argv = argv,
                     .index = 1};
    const psOption *option;
    const char *value;
    int status;

    while ((status = psGetoptNext(&scan, program->errFile, &option, &value)) != 0)
        if (status < 0)
            program->wrongUsage = true;
        else if (!applyOption(program, option, value))
            return;
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
    free(program);
}
