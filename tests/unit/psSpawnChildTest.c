/* SPDX-License-Identifier: EPICS */
/* What a process started by psSpawn inherits: nothing of ours.  Compared with the same program
 * started by a plain fork and exec from a process that has nothing special. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <envDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psExec.h"
#include "process/psPidfd.h"
#include "psSpawnFixture.h"

extern char **environ;

static psSpawnFixture f;
static psInherit inherit;
static const char *const reportWords[] = {"report", NULL};

static bool factIs(const char *key, const char *wanted)
{
    const char *value = psSpawnFixtureFact(&f, key);

    if (strcmp(value, wanted) == 0)
        return true;
    testDiag("%s is \"%s\", not \"%s\"", key, value, wanted);
    return false;
}

/* ---- the plain start ---- */

static void becomePlainly(void)
{
    static const long defaults[32]; /* SIG_DFL, no flags: all zero bits */
    sigset_t none;

    setsid();
    ioctl(f.pty.slave, TIOCSCTTY, 0);
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        dup2(f.pty.slave, fd);
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
        close(fd);
    /* whoever runs the tests may have left us some: make ignores 32 and 33 in what it starts, and
     * the C library lets nobody touch those */
    for (int signo = 1; signo <= 64; signo++)
        syscall(SYS_rt_sigaction, signo, defaults, NULL, 8);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(f.request.file, f.request.argv, f.request.envp);
    _exit(127);
}

static void runPlainly(void)
{
    psSpawnFixturePrepare(&f, reportWords);
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        testAbort("fork: %s", strerror(errno));
    if (pid == 0)
        becomePlainly();
    f.outcome.pid = pid;
    f.outcome.pidfd = psPidfdOpen(pid);
    psSpawnFixtureAwaitEnd(&f);
}

/* ---- comparing ---- */

/* These are numbers of the one process or its terminal. */
static bool isPersonal(const char *line)
{
    static const char *const keys[] = {"pid ", "pgrp ", "session ", "fd ", "tty "};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (strncmp(line, keys[i], strlen(keys[i])) == 0)
            return true;
    return false;
}

static bool hasLine(const char *text, const char *line, size_t len)
{
    for (; text && *text; text = strchr(text, '\n')) {
        text += *text == '\n';
        if (strncmp(text, line, len) == 0 && text[len] == '\n')
            return true;
    }
    return false;
}

/* Lines of one that the other lacks. */
static int countMissing(const char *from, const char *in, const char *what)
{
    int missing = 0;

    while (*from) {
        size_t len = strcspn(from, "\n");

        if (!isPersonal(from) && !hasLine(in, from, len)) {
            testDiag("%s: %.*s", what, (int)len, from);
            missing++;
        }
        from += len + (from[len] == '\n');
    }
    return missing;
}

/* ---- what could leak ---- */

static void onSignal(int signo)
{
    (void)signo;
}

static void getDirty(void)
{
    sigset_t all;

    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGUSR1, onSignal);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* neither is close-on-exec */
    if (open("/dev/null", O_RDONLY) < 0 || fcntl(0, F_DUPFD, 500) < 0)
        testAbort("open: %s", strerror(errno));
}

static void child_EqualsOneStartedPlainly(void)
{
    static char plain[sizeof(f.text)];
    char *const *environment = environ;
    int missing, added;

    testDiag("child_EqualsOneStartedPlainly");
    runPlainly();
    memcpy(plain, f.text, f.textLen + 1);
    testOk(hasLine(plain, "report end", 10), "the plain one reported");
    getDirty();
    psSpawnFixturePrepare(&f, reportWords);
    f.request.envp = environment;
    f.request.inherit = &inherit;
    psSpawnFixtureRun(&f);
    missing = countMissing(plain, f.text, "only started plainly");
    added = countMissing(f.text, plain, "only started by us");
    testOk(missing == 0 && added == 0, "%d facts missing, %d added", missing, added);
}

static void child_HasSessionTerminalAndNoMore(void)
{
    char number[16], fd[128];
    int fds = 0;

    testDiag("child_HasSessionTerminalAndNoMore");
    snprintf(number, sizeof(number), "%d", f.outcome.pid);
    testOk1(factIs("pid", number) && factIs("session", number) && factIs("pgrp", number));
    testOk1(factIs("ctty", "yes") && factIs("foreground", "yes"));
    testOk1(factIs("mask", "0") && factIs("SigBlk", "0000000000000000"));
    testOk1(factIs("SigIgn", "0000000000000000") && factIs("SigCgt", "0000000000000000"));
    testOk(factIs("action", ""), "no signal is ignored or caught, 32 and 33 included");
    for (const char *line = f.text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        fds += strncmp(line, "fd ", 3) == 0;
    }
    testOk(fds == 3, "%d descriptors", fds);
    snprintf(fd, sizeof(fd), "0 %s flags", f.pty.name);
    testOk(strncmp(psSpawnFixtureFact(&f, "fd"), fd, strlen(fd)) == 0, "%s",
           psSpawnFixtureFact(&f, "fd"));
}

static void environment_IsTheOneGiven(void)
{
    char *env[] = {"ONE=1", "TWO=with = and space", NULL};
    int count = 0;

    testDiag("environment_IsTheOneGiven");
    epicsEnvSet("PS_SPAWN_OF_OURS", "leaked");
    psSpawnFixturePrepare(&f, reportWords);
    f.request.envp = env;
    psSpawnFixtureRun(&f);
    for (const char *line = f.text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += strncmp(line, "env ", 4) == 0;
    }
    testOk(count == 2, "%d variables", count);
    testOk1(hasLine(f.text, "env ONE=1", 9) && hasLine(f.text, "env TWO=with = and space", 24));
}

static void arguments_ArePassedAsTheyAre(void)
{
    static const char *const words[] = {"report", "say=", "say=  a\tb", NULL};

    testDiag("arguments_ArePassedAsTheyAre");
    psSpawnFixturePrepare(&f, words);
    psSpawnFixtureRun(&f);
    testOk1(hasLine(f.text, "arg 2 say=", 10));
    testOk1(hasLine(f.text, "arg 3 say=  a       b", 21) ||
            hasLine(f.text, "arg 3 say=  a\tb", 15));
}

/* ---- what is given on purpose ---- */

static void limits_AreThoseSaved(void)
{
    psInherit wanted = inherit;
    struct rlimit now;
    char expected[64];

    testDiag("limits_AreThoseSaved");
    wanted.limits[RLIMIT_NOFILE].rlim_cur = 123;
    wanted.limits[RLIMIT_CORE].rlim_cur = 0;
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &wanted;
    psSpawnFixtureRun(&f);
    snprintf(expected, sizeof(expected), "123 %llu",
             (unsigned long long)wanted.limits[RLIMIT_NOFILE].rlim_max);
    testOk1(factIs("limit nofile", expected));
    testOk(strncmp(psSpawnFixtureFact(&f, "limit core"), "0 ", 2) == 0, "core %s",
           psSpawnFixtureFact(&f, "limit core"));
    getrlimit(RLIMIT_NOFILE, &now);
    testOk(now.rlim_cur == inherit.limits[RLIMIT_NOFILE].rlim_cur, "our own stay as they are");

    wanted.limits[RLIMIT_NOFILE].rlim_max = 10;
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &wanted;
    psSpawnFixtureRun(&f);
    testOk(f.outcome.stage == psSpawnStageLimits && f.outcome.error == EINVAL,
           "limits that cannot be fail the start: stage %d, %s", f.outcome.stage,
           strerror(f.outcome.error));
}

static void coreSize_IsAtMostTheHardLimit(void)
{
    psInherit wanted = inherit;

    testDiag("coreSize_IsAtMostTheHardLimit");
    wanted.limits[RLIMIT_CORE] = (struct rlimit){.rlim_cur = 0, .rlim_max = 8192};
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &wanted;
    f.request.coreSizeBytes = 4096;
    psSpawnFixtureRun(&f);
    testOk1(factIs("limit core", "4096 8192"));
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &wanted;
    f.request.coreSizeBytes = 1000000;
    psSpawnFixtureRun(&f);
    testOk1(factIs("limit core", "8192 8192"));
}

static void scheduling_IsTheOneSaved(void)
{
    psInherit wanted = inherit;
    char cpu[16];
    int first = 0;

    testDiag("scheduling_IsTheOneSaved");
    while (!CPU_ISSET(first, &wanted.affinity))
        first++;
    CPU_ZERO(&wanted.affinity);
    CPU_SET(first, &wanted.affinity);
    wanted.niceValue = inherit.niceValue < 15 ? inherit.niceValue + 3 : inherit.niceValue;
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &wanted;
    psSpawnFixtureRun(&f);
    snprintf(cpu, sizeof(cpu), "%d", first);
    testOk1(factIs("Cpus_allowed_list", cpu));
    snprintf(cpu, sizeof(cpu), "%d", wanted.niceValue);
    testOk1(factIs("nice", cpu));
}

/* Started by chrt: the program's own priority, and so the child's, is real-time. */
static void realTime_IsPassedOnAndNotInvented(void)
{
    const struct sched_param high = {.sched_priority = 7}, none = {.sched_priority = 0};
    psInherit wanted;

    testDiag("realTime_IsPassedOnAndNotInvented");
    if (inherit.schedPolicy != SCHED_OTHER || sched_setscheduler(0, SCHED_FIFO, &high) < 0) {
        testSkip(3, "real-time scheduling is not permitted here");
        return;
    }
    psInheritSave(&wanted);
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &wanted;
    psSpawnFixtureRun(&f);
    testOk1(factIs("sched", "1 7"));
    psSpawnFixturePrepare(&f, reportWords);
    f.request.inherit = &inherit;
    psSpawnFixtureRun(&f);
    testOk(factIs("sched", "0 0"), "saved as plain: plain");
    psSpawnFixturePrepare(&f, reportWords);
    psSpawnFixtureRun(&f);
    testOk(factIs("sched", "0 0"), "nothing saved: plain");
    sched_setscheduler(0, SCHED_OTHER, &none);
}

static int openAbove(int first)
{
    int count = 0;

    for (int fd = first; fd < 2000; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void closeFrom_WithoutCloseRange_ClosesAllTheSame(void)
{
    int status = 0;

    testDiag("closeFrom_WithoutCloseRange_ClosesAllTheSame");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (int fd = 20; fd < 420; fd++)
            if (dup2(STDERR_FILENO, fd) < 0)
                _exit(1);
        psExecCloseFrom(5, false);
        _exit(openAbove(5) == 0 && fcntl(STDERR_FILENO, F_GETFD) >= 0 ? 0 : 2);
    }
    waitpid(pid, &status, 0);
    testOk(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
}

MAIN(psSpawnChildTest)
{
    testPlan(25);
    psInheritSave(&inherit);
    psSpawnFixtureOpen(&f);
    child_EqualsOneStartedPlainly();
    child_HasSessionTerminalAndNoMore();
    environment_IsTheOneGiven();
    arguments_ArePassedAsTheyAre();
    limits_AreThoseSaved();
    coreSize_IsAtMostTheHardLimit();
    scheduling_IsTheOneSaved();
    realTime_IsPassedOnAndNotInvented();
    closeFrom_WithoutCloseRange_ClosesAllTheSame();
    psSpawnFixtureClose(&f);
    return testDone();
}
