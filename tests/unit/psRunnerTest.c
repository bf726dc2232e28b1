/* SPDX-License-Identifier: EPICS */
/* Short commands, for real: /bin/sh is in every system. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdlib.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psRunner.h"
#include "psTestUtil.h"

#define WAIT_SEC 30.0

typedef struct fixture {
    psLoop *loop;
    psRunner *runner;
    int ends;
    psRunnerEnd end;
    char why[256];
    char text[65536];
    size_t len;   /* of text */
    size_t total; /* bytes that came */
} fixture;

static const char *const names[] = {"PS_ONE", "PS_TWO", NULL};
static char *const base[] = {"PATH=/usr/bin:/bin", "PS_ONE=old", "KEPT=yes", NULL};

static void output(void *ctx, const char *bytes, size_t len)
{
    fixture *f = ctx;

    f->total += len;
    for (size_t i = 0; i < len && f->len < sizeof(f->text) - 1; i++)
        f->text[f->len++] = bytes[i];
    f->text[f->len] = '\0';
}

static void ended(void *ctx, const psRunnerEnd *end)
{
    fixture *f = ctx;

    f->ends++;
    f->end = *end;
    snprintf(f->why, sizeof(f->why), "%s", end->why ? end->why : "");
}

static const psRunnerOps ops = {.output = output, .ended = ended};

static void prepareIn(fixture *f, const char *dir, double limitSec, const char *command)
{
    psRunnerPlan plan = {
        .command = command, .envp = base, .names = names, .dir = dir, .limitSec = limitSec};

    memset(f, 0, sizeof(*f));
    f->loop = psLoopCreate(psClockSystem());
    f->runner = f->loop ? psRunnerCreate(f->loop, &plan, &ops, f) : NULL;
    if (!f->runner)
        testAbort("psRunnerCreate");
}

static void begin(fixture *f, const char *input)
{
    const char *values[] = {"first one", "second"};
    int status = psRunnerStart(f->runner, values, input, strlen(input));

    if (status)
        testAbort("psRunnerStart: %s", strerror(-status));
}

static void await(fixture *f, int ends)
{
    double deadline = psClockMono(psClockSystem()) + WAIT_SEC;

    while (f->ends < ends) {
        if (psClockMono(psClockSystem()) > deadline)
            testAbort("no end within %.0f s; it printed: %s", WAIT_SEC, f->text);
        psLoopRound(f->loop, 1.0);
    }
}

static void awaitText(fixture *f, const char *text)
{
    double deadline = psClockMono(psClockSystem()) + WAIT_SEC;

    while (!strstr(f->text, text)) {
        if (psClockMono(psClockSystem()) > deadline)
            testAbort("'%s' did not come within %.0f s: %s", text, WAIT_SEC, f->text);
        psLoopRound(f->loop, 1.0);
    }
}

static void finish(fixture *f)
{
    psRunnerFree(f->runner);
    psLoopFree(f->loop);
}

static void run(fixture *f, const char *command, const char *input)
{
    prepareIn(f, NULL, WAIT_SEC, command);
    begin(f, input);
    testOk(psRunnerBusy(f->runner) && f->ends == 0, "%s: under way", command);
    await(f, 1);
    finish(f);
}

/* Until @p pid is gone, or a zombie that init has not reaped. */
static bool isGone(int pid)
{
    double deadline = psClockMono(psClockSystem()) + WAIT_SEC;
    char path[64], stat[256];

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    while (psClockMono(psClockSystem()) < deadline) {
        FILE *file = fopen(path, "r");
        const char *rest = NULL;

        if (file && fgets(stat, sizeof(stat), file))
            rest = strrchr(stat, ')');
        if (file)
            fclose(file);
        if (!rest || rest[2] == 'Z' || rest[2] == 'X')
            return true;
        usleep(10000);
    }
    return false;
}

/* What it printed, as a number; 0: it is none. */
static int number(const fixture *f)
{
    epicsInt32 value;
    char *end;

    return epicsParseInt32(f->text, &value, 10, &end) ? 0 : value;
}

static void isText(const fixture *f, const char *want, const char *what)
{
    testOk(strcmp(f->text, want) == 0, "%s", what);
    if (strcmp(f->text, want) != 0)
        testDiag("it printed: %s", f->text);
}

static void output_AndStatus_AreHandedOut(void)
{
    fixture f;

    run(&f, "echo out; echo err >&2; exit 3", "");
    isText(&f, "out\nerr\n", "both outputs");
    testOk(f.end.info.code == 3 && f.end.info.signo == -1 && !f.end.timedOut && !f.end.why,
           "exit status 3");
    run(&f, "kill -SEGV $$", "");
    testOk(f.end.info.signo == SIGSEGV, "ended by SIGSEGV");
}

static void environment_IsThePlansAndTheVariables(void)
{
    fixture f;

    run(&f, "echo \"$KEPT,$PS_ONE,$PS_TWO,$HOME\"; env | grep -c PS_ONE", "");
    isText(&f, "yes,first one,second,\n1\n", "no other environment, nothing twice");
}

static void input_IsReadToItsEnd(void)
{
    static char large[300000];
    fixture f;

    run(&f, "cat", "one\ntwo");
    isText(&f, "one\ntwo", "what was given");
    memset(large, 'x', sizeof(large) - 1);
    run(&f, "wc -c", large);
    testOk(number(&f) == (int)sizeof(large) - 1, "more than a pipe holds");
    run(&f, "true", large);
    testOk(f.end.info.code == 0, "a command that does not read it does no harm");
}

static void output_IsBounded(void)
{
    fixture f;

    run(&f, "head -c 200000 /dev/zero", "");
    testOk(f.total == 200000 && f.end.dropped == 0, "more than a pipe holds: %lu bytes",
           (unsigned long)f.total);
    run(&f, "head -c 3000000 /dev/zero", "");
    testOk(f.total == PS_RUNNER_OUTPUT_BYTES && f.end.dropped == 3000000 - PS_RUNNER_OUTPUT_BYTES,
           "%lu bytes, %lu dropped", (unsigned long)f.total, (unsigned long)f.end.dropped);
}

static void limit_KillsItsGroup(void)
{
    fixture f;

    prepareIn(&f, NULL, 0.3, "trap '' TERM INT HUP; sleep 100 & echo $!; wait; sleep 100");
    begin(&f, "");
    await(&f, 1);
    testOk(f.end.timedOut && f.end.info.signo == SIGKILL, "killed at its limit");
    testOk(isGone(number(&f)), "with what it has started");
    finish(&f);
}

static void background_IsNotWaitedFor(void)
{
    fixture f;

    run(&f, "sleep 100 & echo $!", "");
    testOk(f.end.info.code == 0 && !f.end.timedOut, "the end of the shell counts");
    testOk(isGone(number(&f)), "what it left in its group is killed");
    run(&f, "setsid sleep 100 & echo $!", "");
    int pid = number(&f);
    testOk(f.end.info.code == 0 && !f.end.timedOut, "nor is a process of another session");
    kill(pid, SIGKILL);
}

static void start_CanFail(void)
{
    fixture f;

    prepareIn(&f, "/no/such/directory", WAIT_SEC, "true");
    begin(&f, "");
    await(&f, 1);
    testOk(strstr(f.why, "/no/such/directory") != NULL, "%s", f.why);
    testOk(!psRunnerBusy(f.runner), "it is over");
    finish(&f);
}

static void runs_FollowEachOther(void)
{
    const char *values[] = {"", ""};
    int before = psTestDescriptors();
    fixture f;

    prepareIn(&f, NULL, WAIT_SEC, "cat; echo $PS_TWO");
    int open = psTestDescriptors();
    for (int i = 1; i <= 3; i++) {
        begin(&f, "x");
        testOk(psRunnerStart(f.runner, values, "", 0) == -EBUSY, "one at a time");
        await(&f, i);
    }
    isText(&f, "xsecond\nxsecond\nxsecond\n", "three runs");
    testOk(psTestDescriptors() == open, "no descriptor is left open");
    finish(&f);
    testOk(psTestDescriptors() == before, "none at all");
}

static void kill_EndsIt(void)
{
    fixture f;

    prepareIn(&f, NULL, WAIT_SEC, "echo up; sleep 100");
    psRunnerKill(f.runner);
    begin(&f, "");
    awaitText(&f, "up");
    psRunnerKill(f.runner);
    await(&f, 1);
    testOk(f.end.killed && !f.end.timedOut, "killed by us");
    begin(&f, "");
    psRunnerKill(f.runner); /* most likely before exec */
    await(&f, 2);
    testOk(f.end.killed, "also while it starts");
    finish(&f);
    psRunnerKill(NULL);
    psRunnerFree(NULL);
}

static void free_KillsIt(void)
{
    fixture f;

    prepareIn(&f, NULL, WAIT_SEC, "sleep 100 & echo $!; wait");
    begin(&f, "");
    awaitText(&f, "\n");
    finish(&f);
    testOk(f.ends == 0 && isGone(number(&f)), "a run under way is killed, and not reported");
    prepareIn(&f, NULL, WAIT_SEC, "sleep 100");
    begin(&f, "");
    finish(&f);
    testOk(f.ends == 0, "also one that has just begun");
}

MAIN(psRunnerTest)
{
    testPlan(36);
    output_AndStatus_AreHandedOut();
    environment_IsThePlansAndTheVariables();
    input_IsReadToItsEnd();
    output_IsBounded();
    limit_KillsItsGroup();
    background_IsNotWaitedFor();
    start_CanFail();
    runs_FollowEachOther();
    kill_EndsIt();
    free_KillsIt();
    return testDone();
}
