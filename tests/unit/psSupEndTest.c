/* SPDX-License-Identifier: EPICS */
/*
 * A real supervisor: how processes and the supervisor itself end, what is kept of their output,
 * and the keys of a console.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <errlog.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Dead, or dead and not yet reaped by whoever inherited it. */
static bool isGone(int pid)
{
    char path[64], stat[512] = "";

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    if (!fgets(stat, sizeof(stat), file))
        stat[0] = '\0';
    fclose(file);
    const char *state = strrchr(stat, ')');
    return !state || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

static bool contains(const psText *text, const char *part)
{
    return memmem(text->data, text->len, part, strlen(part)) != NULL;
}

/* ---- stop ---- */

static void stop_IgnoringTheSignal_IsKilledAfterTheGrace(void)
{
    psSupFixture f;
    psTestConsole console;
    psStatus status;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("ignore=TERM", "lines"));
    psSupFixtureSet(cfg, "grace", "0.2");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleType(&console, "x\r");
    psTestConsoleExpect(&console, "got 1 x"); /* it ignores TERM by now */
    psCmdState how = psSupFixtureDo(&f, "one", psVerbStop, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(how == psCmdDone && status.exitClass == psExitTimeout && status.exitSignal == SIGKILL &&
               status.exitAlarm && status.state == psStateStopped,
           "%s", status.exitMsg);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

/* A half-typed line does not spoil it; what is typed later comes later. */
static void stop_Input_EndsWithoutASignal(void)
{
    psSupFixture f;
    psTestConsole console;
    psStatus status;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("say=ready", "count=4"));
    psSupFixtureSet(cfg, "stop-input", "bye^M");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleType(&console, "garbage");
    psTestConsoleExpect(&console, "garbage"); /* the terminal has it */
    psCmdState how = psSupFixtureDo(&f, "one", psVerbStop, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    bool asked = psTestConsoleExpect(&console, "read 4");
    testOk(how == psCmdDone && asked && status.exitClass == psExitClean && status.exitCode == 0,
           "%s", status.exitMsg);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

/* The wrapper dies of the signal at once; what it wraps needs its time, and has it.  It ignores
 * HUP, as IOCs do: the kernel sends it to the foreground group when the session's leader ends. */
static void stop_OfAWrapper_WaitsForWhatItWraps(void)
{
    psSupFixture f;
    psTestConsole console;
    psStatus status;
    bool ready, well;
    char script[512];

    snprintf(script, sizeof(script),
             "%s ignore=HUP ignore=TERM say=ready sleep=1.5 'say=ended well' & wait",
             psTestChildProgram());
    psSupFixtureOpen(&f, false);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "one", WORDS("/bin/sh", "-c", script)));
    psTestConsoleOpen(&console, &f, "one"); /* waits in the listener's queue */
    psSupFixtureStart(&f);
    ready = psTestConsoleExpect(&console, "ready\r\n");
    psCmdState how = psSupFixtureDo(&f, "one", psVerbStop, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    well = psTestConsoleExpect(&console, "ended well\r\n");
    testOk(ready && how == psCmdDone && well && status.exitSignal == SIGTERM &&
               status.exitClass == psExitKilled,
           "%s; what it wrapped ended well", status.exitMsg);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

/* Nobody asked for this end: what is left of the group goes at once, before the next start. */
static void exit_Unasked_TakesTheGroupAlong(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("stubborn=same", "exit=1"));
    psSupFixtureSet(cfg, "holdoff", "0");
    psSupFixtureSet(cfg, "max-restarts", "1");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psStatus status = psSupFixtureState(&f, "one", psStateCrashLoop);
    psSupShutdown(f.sup);
    psSupFixtureWait(&f);
    psText log = psSupFixtureLog(&f, "one");
    const char *found = strstr(log.data, "grandchild ");
    int pid = found ? (int)strtol(found + 11, NULL, 10) : 0;
    bool gone = pid > 0 && isGone(pid);
    testOk(status.starts == 2 && gone, "the first grandchild, %d, is gone", pid);
    psTextClear(&log);
    psSupFixtureClose(&f);
}

/* ---- shutdown ---- */

static void noteLine(void *ctx, const char *message)
{
    if (strstr(message, "given up"))
        atomic_fetch_add((_Atomic int *)ctx, 1);
}

static void shutdown_WithConsoles_SendsAllAndClosesThem(void)
{
    psSupFixture f;
    psTestConsole consoles[3];
    _Atomic int givenUp = 0;
    int good = 0;

    psSupFixtureOpen(&f, false);
    psSupFixtureAdd(&f, psSupFixtureConfig(&f, "one", WORDS("endon=TERM", "lines")));
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    for (size_t i = 0; i < NELEMENTS(consoles); i++) {
        psTestConsoleOpen(&consoles[i], &f, "one");
        psTestConsoleExpect(&consoles[i], "@@@ Welcome to procServ (procServIoc test)");
    }
    psTestConsoleType(&consoles[0], "hi\r");
    psTestConsoleExpect(&consoles[0], "got 2 hi");
    eltc(0); /* messages are expected here */
    errlogAddListener(noteLine, &givenUp);
    psSupShutdown(f.sup);
    psSupFixtureWait(&f);
    errlogFlush();
    errlogRemoveListeners(noteLine, &givenUp);
    eltc(1);
    for (size_t i = 0; i < NELEMENTS(consoles); i++) {
        psTestConsoleDrain(&consoles[i]);
        good += contains(&consoles[i].got, "ending 15") &&
                contains(&consoles[i].got, "@@@ Child process is shutting down");
        psTestConsoleClose(&consoles[i]);
    }
    psText log = psSupFixtureLog(&f, "one");
    testOk(good == 3 && contains(&log, "ending 15") &&
               contains(&log, "@@@ Child process is shutting down"),
           "consoles and log have everything to the end");
    testOk(givenUp == 0, "and nothing had to be given up");
    psTextClear(&log);
    psSupFixtureClose(&f);
}

static void shutdown_Twice_DoesNotWaitForTheGrace(void)
{
    psSupFixture f;
    psTestConsole console;
    psStatus status;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("ignore=TERM", "lines"));
    psSupFixtureSet(cfg, "grace", "3600");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleType(&console, "x\r");
    psTestConsoleExpect(&console, "got 1 x");
    psSupRaise(f.sup, SIGTERM);
    psSupFixtureState(&f, "one", psStateStopping);
    psSupRaise(f.sup, SIGINT);
    psSupFixtureWait(&f);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(status.exitSignal == SIGKILL && status.exitClass == psExitKilled, "%s", status.exitMsg);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

static void shutdown_RightAtTheStart_Ends(void)
{
    int gone = 0;

    for (int i = 0; i < 20; i++) { /* it meets the start at one stage or another */
        psSupFixture f;
        psStatus status;

        psSupFixtureOpen(&f, false);
        psSupFixtureAdd(&f, psSupFixtureConfig(&f, "one", WORDS("wait")));
        psSupFixtureStart(&f);
        for (int k = 0; k < i; k++)
            psSupStatus(psSupFind(f.sup, "one"), &status); /* some microseconds */
        psSupShutdown(f.sup);
        psSupFixtureWait(&f);
        psSupStatus(psSupFind(f.sup, "one"), &status);
        gone += status.state == psStateStopped && status.pid == 0;
        psSupFixtureClose(&f);
    }
    testOk(gone == 20, "%d of 20 are down", gone);
}

static bool isStateAfter(const psStatus *status, long state)
{
    bool ended =
        state == psStateRunning || state == psStateWaiting || status->exitClass != psExitNone;

    return (long)status->state == state && ended;
}

static void shutdown_InEachState_Ends(void)
{
    static const struct {
        const char *word, *option, *value;
        psState state;
    } cases[] = {
        {"exit=1", "holdoff", "3600", psStateHoldoff},
        {"wait", "wait", NULL, psStateWaiting},
        {"exit=1", "noautorestart", NULL, psStateStopped},
        {"exit=1", "max-restarts", "1", psStateCrashLoop},
        {"wait", "name", "one", psStateRunning},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psSupFixture f;
        psStatus status;

        psSupFixtureOpen(&f, false);
        psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS(cases[i].word));
        psSupFixtureSet(cfg, cases[i].option, cases[i].value);
        psSupFixtureAdd(&f, cfg);
        psSupFixtureStart(&f);
        psSupFixtureUntil(&f, "one", isStateAfter, (long)cases[i].state,
                          psStateName(cases[i].state));
        psSupShutdown(f.sup);
        psSupFixtureWait(&f);
        psSupStatus(psSupFind(f.sup, "one"), &status);
        testOk(status.state == psStateStopped && status.pid == 0, "from %s",
               psStateName(cases[i].state));
        psSupFixtureClose(&f);
    }
}

/* ---- commands at shutdown ---- */

#define GIVEN 200000

typedef struct psGiver {
    psSupFixture *f;
    epicsEventId begun;
    int accepted;
    _Atomic int done[GIVEN];
} psGiver;

static void countDone(void *ctx, psCmdState how, const char *msg)
{
    (void)how;
    (void)msg;
    atomic_fetch_add((_Atomic int *)ctx, 1);
}

static void giverThread(void *arg)
{
    static const psVerb verbs[] = {psVerbRestart, psVerbStop, psVerbStart, psVerbKill,
                                   psVerbSignal};
    psGiver *giver = arg;
    int status = 0;

    while (giver->accepted < GIVEN && status != -ESHUTDOWN) {
        psCommand cmd = {.verb = verbs[giver->accepted % NELEMENTS(verbs)], .value = SIGCONT};
        psChild *child = psSupAt(giver->f->sup, giver->accepted % 2);

        status = psSupSubmit(giver->f->sup, child, &cmd, countDone, &giver->done[giver->accepted]);
        if (status == 0)
            giver->accepted++;
        if (giver->accepted == 50)
            epicsEventMustTrigger(giver->begun);
    }
    epicsEventMustTrigger(giver->begun);
}

static void commands_AtShutdown_EachEndsOnce(void)
{
    static psGiver giver;
    psSupFixture f;
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    int once = 0;

    psSupFixtureOpen(&f, false);
    psSupFixtureAdd(&f, psSupFixtureConfig(&f, "one", WORDS("wait")));
    psSupFixtureAdd(&f, psSupFixtureConfig(&f, "two", WORDS("wait")));
    psSupFixtureStart(&f);
    giver.f = &f;
    giver.begun = epicsEventMustCreate(epicsEventEmpty);
    opts.joinable = 1;
    epicsThreadId thread = epicsThreadCreateOpt("giver", giverThread, &giver, &opts);
    if (!thread || epicsEventWaitWithTimeout(giver.begun, PS_TEST_SEC) != epicsEventOK)
        testAbort("waited %g s for 50 commands to be accepted", PS_TEST_SEC);
    psSupShutdown(f.sup);
    psSupFixtureWait(&f);
    epicsThreadMustJoin(thread);
    psSupFree(f.sup); /* whatever was queued is cancelled by now */
    f.sup = NULL;
    for (int i = 0; i < giver.accepted; i++)
        once += giver.done[i] == 1;
    testOk(giver.accepted >= 50 && once == giver.accepted, "%d of %d commands ended once", once,
           giver.accepted);
    epicsEventDestroy(giver.begun);
    psSupFixtureClose(&f);
}

/* ---- output ---- */

/* A run's lines: "%010lu ..." from 0 to 1023, one after the other.  @return where they end */
static const char *checkRun(const char *at, bool *good)
{
    char want[16];

    for (int line = 0; line < 1024; line++) {
        snprintf(want, sizeof(want), "%010d ", line);
        if (strncmp(at, want, 11) != 0 || strncmp(at + 63, "\r\n", 2) != 0) {
            *good = false;
            testDiag("line %d is '%.70s'", line, at);
            return at;
        }
        at += 65;
    }
    return at;
}

static void exit_RightAfter64KiB_KeepsEveryByte(void)
{
    enum { runs = 20 };
    psSupFixture f;
    psTestConsole console;
    const char *at, *shown;
    bool good = true;
    int count = 0;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("write=65536", "exit=0"));
    psSupFixtureSet(cfg, "noautorestart", NULL);
    psSupFixtureAdd(&f, cfg);
    psTestConsoleOpen(&console, &f, "one");
    psSupFixtureStart(&f);
    for (int i = 0; i < runs; i++) {
        if (i > 0)
            psSupFixtureDo(&f, "one", psVerbStart, 0);
        psSupFixtureState(&f, "one", psStateStopped);
        good = psTestConsoleExpect(&console, "@@@ Child process is shutting down") && good;
    }
    psSupShutdown(f.sup);
    psSupFixtureWait(&f);
    psTestConsoleDrain(&console);
    psText log = psSupFixtureLog(&f, "one");
    for (at = log.data; good && (at = strstr(at, "0000000000 ")); count++)
        at = checkRun(at, &good);
    testOk(good && count == runs, "%d of %d runs are whole in the log", count, (int)runs);
    /* from the first line on: the console may have come after the first start was reported */
    at = strstr(log.data, "0000000000 ");
    shown = strstr(console.got.data, "0000000000 ");
    testOk(at && shown && strcmp(at, shown) == 0, "%u bytes on the console, %u in the log",
           (unsigned)console.got.len, (unsigned)log.len);
    psTextClear(&log);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

/* ---- keys ---- */

static void keys_KillToggleRestartQuit(void)
{
    psSupFixture f;
    psTestConsole console;

    psSupFixtureOpen(&f, true);
    psSupFixtureAdd(&f, psSupFixtureConfig(&f, "one", WORDS("say=ready", "wait")));
    psTestConsoleOpen(&console, &f, "one");
    psSupFixtureStart(&f);
    bool good = psTestConsoleExpect(&console, "ready\r\n");
    psTestConsoleType(&console, "\x18");
    good = good && psTestConsoleExpect(&console, "@@@ Got a kill command") &&
           psTestConsoleExpect(&console, "a new one will be restarted") &&
           psTestConsoleExpect(&console, "ready\r\n");
    testOk(good, "^X: killed, and started again");
    psTestConsoleType(&console, "\x14");
    good = psTestConsoleExpect(&console, "@@@ Toggled auto restart mode to OFF");
    psTestConsoleType(&console, "\x18");
    good = good && psTestConsoleExpect(&console, "@@@ Child process is shutting down");
    psStatus status = psSupFixtureState(&f, "one", psStateStopped);
    testOk(good && !status.desiredUp, "^T: it stays down");
    psTestConsoleType(&console, "\x12");
    good = psTestConsoleExpect(&console, "ready\r\n");
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(good && status.startReason == psReasonConsole &&
               strncmp(status.cmd.by, "console ", 8) == 0,
           "^R starts it at rest: %s", status.cmd.by);
    psTestConsoleType(&console, "\x11"); /* no key while it runs: it is typed */
    epicsThreadSleep(0.6);               /* pressed sooner, ^X would belong to the start by ^R */
    psTestConsoleType(&console, "\x18");
    psTestConsoleExpect(&console, "@@@ Child process is shutting down");
    psSupFixtureState(&f, "one", psStateStopped);
    psTestConsoleType(&console, "\x11");
    int code = psSupFixtureWait(&f);
    testOk(code == 0 && f.ended == 1, "^Q ends the program at rest");
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

MAIN(psSupEndTest)
{
    testPlan(20);
    stop_IgnoringTheSignal_IsKilledAfterTheGrace();
    stop_Input_EndsWithoutASignal();
    stop_OfAWrapper_WaitsForWhatItWraps();
    exit_Unasked_TakesTheGroupAlong();
    shutdown_WithConsoles_SendsAllAndClosesThem();
    shutdown_Twice_DoesNotWaitForTheGrace();
    shutdown_RightAtTheStart_Ends();
    shutdown_InEachState_Ends();
    commands_AtShutdown_EachEndsOnce();
    exit_RightAfter64KiB_KeepsEveryByte();
    keys_KillToggleRestartQuit();
    return testDone();
}
