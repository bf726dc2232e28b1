/* SPDX-License-Identifier: EPICS */
/* The command line.  Error texts are those a procServ under glibc was seen to print. */
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>
#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psOptions.h"

#define USAGE                                                                                      \
    "Usage: procServ [options] -P <endpoint>... <command args ...>    (-h for help)\n"             \
    "       procServ [options] <endpoint> <command args ...>\n"

static char *fakePid, *fakeDebug;

static char *lookup(const char *name)
{
    if (strcmp(name, "PROCSERV_PID") == 0)
        return fakePid;
    return strcmp(name, "PROCSERV_DEBUG") == 0 ? fakeDebug : NULL;
}

/* Splits at blanks; "''" is the empty word.  @p text must live as long as the result. */
static psProgram *parse(char *text)
{
    char *argv[40] = {(char *)"procServ"};
    int argc = 1;

    for (char *word = strtok(text, " "); word && argc < 39; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
    return psOptionsParse(argc, argv, lookup);
}

static char line[2000];

static psProgram *run(const char *options)
{
    epicsSnprintf(line, sizeof(line), "%s", options);
    return parse(line);
}

static void isSame(const char *got, const char *want, const char *what)
{
    bool same = got && want ? strcmp(got, want) == 0 : got == want;

    testOk(same, "%s", what);
    if (!same)
        testDiag("got '%s', want '%s'", got ? got : "(NULL)", want ? want : "(NULL)");
}

/* ---- errors ---- */

static const struct {
    const char *options, *err;
    bool usage;
} mistakes[] = {
    {"", "procServ: missing argument\n", true},
    {"-P 20001", "procServ: missing argument\n", true},
    {"20001", "procServ: missing argument\n", true},
    {"-z 20001 cat", "procServ: invalid option -- 'z'\n", true},
    {"-r 20001 cat", "procServ: invalid option -- 'r'\n", true},
    {"-fz -y 0",
     "procServ: invalid option -- 'z'\nprocServ: invalid option -- 'y'\n"
     "procServ: missing argument\n",
     true},
    {"--ki ^X 20001 cat",
     "procServ: option '--ki' is ambiguous; possibilities: '--killcmd' '--killsig'\n", true},
    {"--lo 0 cat",
     "procServ: option '--lo' is ambiguous; possibilities: '--logport' '--logfile' "
     "'--logstamp' '--logoutcmd'\n",
     true},
    {"--h 0 cat", "procServ: option '--h' is ambiguous; possibilities: '--help' '--holdoff'\n",
     true},
    {"-f -k", "procServ: option requires an argument -- 'k'\nprocServ: missing argument\n", true},
    {"--chdir", "procServ: option '--chdir' requires an argument\nprocServ: missing argument\n",
     true},
    {"-f -5 cat", "procServ: invalid option -- '5'\nprocServ: missing argument\n", true},
    {"--no=3 0 cat", "procServ: option '--noautorestart' doesn't allow an argument\n", true},
    {"--nosuch=4 0 cat", "procServ: unrecognized option '--nosuch=4'\n", true},
    {"--holdoff abc 0 cat",
     "procServ: --holdoff: 'abc' must be a number of seconds from 0 to 86400\n", false},
    {"--holdoff= 0 cat", "procServ: --holdoff: '' must be a number of seconds from 0 to 86400\n",
     false},
    {"--killsig 0 0 cat",
     "procServ: --killsig: '0' is not a signal; give a name (TERM, INT...) or 1 to 64\n", false},
    {"--holdoff-max 3 0 cat", "procServ: --holdoff-max: 3 s is less than the hold-off of 15 s\n",
     false},
    {"0 ''", "procServ: the command is empty\n", false},
    {"--ioc-env FOO 0 cat", "procServ: --ioc-env: give NAME=VALUE\n", false},
    {"--ioc-env =x 0 cat", "procServ: --ioc-env: give NAME=VALUE\n", false},
    {"--prefix a.b 0 cat",
     "procServ: --prefix: only letters, digits and _-+:[]<>; make a record name\n", false},
    {"--prefix 12345678901234567890123456789012345678901234 0 cat",
     "procServ: --prefix: give 1 to 43 characters, with the separator: IOC1:PS:\n", false},
    {"--no-ioc --script s 0 cat", "procServ: --script: needs the IOC that --no-ioc leaves out\n",
     false},
    {"--script s --holdoff 3", "procServ: --holdoff: there is no command it could apply to\n",
     false},
    {"--script s 2000", "procServ: missing argument\n", true},
    {"--script s -P 2000", "procServ: missing argument\n", true},
};

static void mistakes_AreToldAsProcServDoes(void)
{
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        psProgram *program = run(mistakes[i].options);

        testOk(program->action == psActionUsageError, "refused: %s", mistakes[i].options);
        isSame(program->err, mistakes[i].err, "its text");
        isSame(program->out, mistakes[i].usage ? USAGE : "", "its usage");
        psProgramFree(program);
    }
}

/* ---- what is right ---- */

static void styles_OldAndNew(void)
{
    psProgram *program = run("2000 cat -n x");

    testOk1(program->action == psActionRun && program->child->endpointCount == 1);
    isSame(program->child->endpoints[0].spec, "2000", "old style: first word is the endpoint");
    testOk(program->child->argc == 3, "options after the command belong to it");
    isSame(program->child->argv[2], "x", "last argument");
    testOk1(!program->child->name && !program->foreground);
    psProgramFree(program);

    program = run("-P 2000 -P unix:/x -l 3 cat y");
    testOk1(program->action == psActionRun && program->child->endpointCount == 3);
    isSame(program->child->argv[0], "cat", "new style: first word is the command");
    psProgramFree(program);

    program = run("-f -- -5 cat");
    testOk1(program->action == psActionRun);
    isSame(program->child->endpoints[0].spec, "-5", "-- ends the options");
    psProgramFree(program);

    program = run("-f - cat");
    testOk1(program->action == psActionRun);
    isSame(program->child->endpoints[0].spec, "-", "a single - is no option");
    psProgramFree(program);
}

static void shapes_OfOptions(void)
{
    psProgram *program = run("-fqLlog -n N --chdir=/d --logstamp -k ^A --holdoff 2 0 cat");

    testOk1(program->action == psActionRun && program->foreground && program->quiet);
    isSame(program->child->logFile, "log", "attached value");
    isSame(program->child->name, "N", "value in the next word");
    isSame(program->child->dir, "/d", "value after =");
    isSame(program->child->logStamp, "", "optional value left out");
    testOk1(program->child->killKey == 1 && program->child->settings.holdoffSec == 2.0);
    psProgramFree(program);

    program = run("--logstamp FMT cat");
    isSame(program->child->endpoints[0].spec, "FMT", "an optional value needs =");
    psProgramFree(program);

    program = run("-n -- 0 cat");
    testOk(strcmp(program->child->name, "--") == 0, "a value may look like an option");
    psProgramFree(program);
}

static void abbreviations_ProcServsGoFirst(void)
{
    psProgram *program = run("--no --re --ch /x --inf i 0 cat");

    testOk1(program->action == psActionRun);
    testOk(program->child->settings.mode == psModeNever && !program->noIoc, "--no");
    testOk(program->child->restrictLog, "--re");
    isSame(program->child->dir, "/x", "--ch");
    isSame(program->infoFile, "i", "--inf");
    psProgramFree(program);

    program = run("--no-i --holdoff- 99 --max 3 0 cat");
    testOk1(program->action == psActionRun && program->noIoc);
    testOk1(program->child->settings.holdoffMaxSec == 99.0);
    testOk1(program->child->settings.maxRestarts == 3);
    psProgramFree(program);
}

static void helpAndVersion_ActAtOnce(void)
{
    psProgram *program = run("--version --nosuch");

    testOk1(program->action == psActionVersion);
    isSame(program->out, PS_PROGRAM_VERSION "\n", "version");
    testOk(strncmp(PS_PROGRAM_VERSION, "procServ Process Server ", 24) == 0, "scripts look for it");
    isSame(program->err, "", "nothing said of what follows");
    psProgramFree(program);

    program = run("-z -h");
    testOk1(program->action == psActionHelp);
    isSame(program->err, "procServ: invalid option -- 'z'\n", "what went before is reported");
    testOk(strncmp(program->out, USAGE, strlen(USAGE)) == 0, "help begins with the usage");
    testOk1(strstr(program->out, " -P --port <endpoint> ") != NULL);
    testOk1(strstr(program->out, "--restart-window <s> ") != NULL);
    testOk1(strstr(program->out, "check-ioc") == NULL);
    psProgramFree(program);
}

static void help_FitsATerminal(void)
{
    psProgram *program = run("-h");
    size_t longest = 0;

    for (const char *p = program->out; *p; p += strcspn(p, "\n") + 1)
        if (strcspn(p, "\n") > longest)
            longest = strcspn(p, "\n");
    testOk(longest <= 100, "longest line has %u characters", (unsigned)longest);
    psProgramFree(program);
}

static void environment_IsHonoured(void)
{
    fakePid = (char *)"envpid";
    fakeDebug = (char *)"";
    psProgram *program = run("0 cat");
    isSame(program->pidFile, "envpid", "PROCSERV_PID");
    testOk(program->debug, "PROCSERV_DEBUG, even if empty");
    psProgramFree(program);

    fakeDebug = NULL;
    program = run("-p mine 0 cat");
    isSame(program->pidFile, "mine", "-p overrides PROCSERV_PID");
    testOk1(!program->debug);
    psProgramFree(program);

    fakePid = (char *)"";
    program = run("0 cat");
    testOk(!program->pidFile, "empty is none");
    psProgramFree(program);
    fakePid = NULL;
}

static void iocOptions_AreKept(void)
{
    psProgram *program =
        run("--prefix A:PS: --acf f --insecure-pvs --ioc-env A=1 --ioc-env B= -d 0 cat");

    testOk1(program->action == psActionRun && program->insecurePvs && program->debug);
    isSame(program->prefix, "A:PS:", "prefix");
    isSame(program->acf, "f", "access security file");
    testOk1(program->iocEnvCount == 2 && program->iocEnv[2] == NULL);
    isSame(program->iocEnv[0], "A=1", "variable");
    isSame(program->iocEnv[1], "B=", "empty variable");
    psProgramFree(program);

    program = run("--script st.cmd");
    testOk(program->action == psActionRun && !program->child, "a script may bring the children");
    isSame(program->script, "st.cmd", "script");
    psProgramFree(program);

    program = run("--script st.cmd -n host");
    testOk(program->action == psActionRun && !program->child,
           "a name is no option of a child then");
    isSame(program->supName, "host", "name of the supervisor");
    psProgramFree(program);

    program = run("--script st.cmd -n host 0 cat");
    testOk(program->action == psActionRun && program->child && !program->supName,
           "else it is that of the child");
    psProgramFree(program);

    program = run("--script st.cmd 0 cat");
    testOk(program->action == psActionRun && program->child, "or there is one more");
    psProgramFree(program);
}

static void statPeriod_HasARange(void)
{
    static const struct {
        const char *line;
        bool good;
        double sec;
    } cases[] = {
        {"--stat-period 0 0 cat", true, 0},       {"--stat-period 0.5 0 cat", true, 0.5},
        {"--stat-period 3600 0 cat", true, 3600}, {"0 cat", true, 5},
        {"--stat-period 0.4 0 cat", false, 0},    {"--stat-period 3601 0 cat", false, 0},
        {"--stat-period -1 0 cat", false, 0},     {"--stat-period nan 0 cat", false, 0},
        {"--stat-period 5s 0 cat", false, 0},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psProgram *program = run(cases[i].line);

        testOk(cases[i].good == (program->action == psActionRun) &&
                   (!cases[i].good || program->statPeriodSec == cases[i].sec),
               "%s", cases[i].line);
        psProgramFree(program);
    }
}

static void stagger_HasARange(void)
{
    static const struct {
        const char *line;
        bool good;
        double sec;
    } cases[] = {
        {"0 cat", true, 0},
        {"--stagger 2.5 0 cat", true, 2.5},
        {"--stagger 3600 0 cat", true, 3600},
        {"--stagger 3601 0 cat", false, 0},
        {"--stagger -1 0 cat", false, 0},
        {"--stagger nan 0 cat", false, 0},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psProgram *program = run(cases[i].line);

        testOk(cases[i].good == (program->action == psActionRun) &&
                   (!cases[i].good || program->staggerSec == cases[i].sec),
               "%s", cases[i].line);
        psProgramFree(program);
    }
}

static void checks_AreActions(void)
{
    psProgram *program = run("--check 0 cat");

    testOk1(program->action == psActionCheck && program->child->argc == 1);
    psProgramFree(program);
    program = run("--check --holdoff x 0 cat");
    testOk1(program->action == psActionUsageError);
    psProgramFree(program);
    program = run("--check-ioc=start --name N --acf f");
    testOk1(program->action == psActionCheckIoc);
    isSame(psConfigName(program->child), "N", "name for the trial");
    psProgramFree(program);
}

static void nothing_IsSurvived(void)
{
    psProgram *program = psOptionsParse(0, NULL, lookup);

    testOk1(program->action == psActionUsageError);
    isSame(program->err, "procServIoc: missing argument\n", "message");
    psProgramFree(program);
    psProgramFree(NULL);
}

MAIN(psOptionsTest)
{
    (void)argc;
    (void)argv;
    testPlan(157);
    mistakes_AreToldAsProcServDoes();
    styles_OldAndNew();
    shapes_OfOptions();
    abbreviations_ProcServsGoFirst();
    helpAndVersion_ActAtOnce();
    help_FitsATerminal();
    environment_IsHonoured();
    iocOptions_AreKept();
    statPeriod_HasARange();
    stagger_HasARange();
    checks_AreActions();
    nothing_IsSurvived();
    return testDone();
}
