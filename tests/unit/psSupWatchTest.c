/* SPDX-License-Identifier: EPICS */
/* Watchdogs and commands of a real child. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool isAlive(const psStatus *status, long arg)
{
    return status->state == psStateRunning && status->alive == (arg != 0);
}

static bool hasPv(const psStatus *status, long arg)
{
    (void)arg;
    return strstr(status->aliveMsg, "X:PV") && !strstr(status->aliveMsg, "none yet");
}

static bool isStartedBy(const psStatus *status, long reason)
{
    return status->state == psStateRunning && status->startReason == (psStartReason)reason;
}

/* A child with watchdogs; options in pairs. */
static void begin(psSupFixture *f, const char *const *words, const char *const *options)
{
    psSupFixtureOpen(f, false);
    psConfig *cfg = psSupFixtureConfig(f, "one", words);
    for (; options[0]; options += 2)
        psSupFixtureSet(cfg, options[0], options[1]);
    psSupFixtureAdd(f, cfg);
    psSupFixtureStart(f);
}

/* Does the log have @p text, soon? */
static bool logs(const psSupFixture *f, const char *text)
{
    bool found = false;

    for (int i = 0; i < 3000 && !found; i++) {
        psText log = psSupFixtureLog(f, "one");

        found = log.data && strstr(log.data, text);
        psTextClear(&log);
        if (!found)
            epicsThreadSleep(0.01);
    }
    return found;
}

static void silent_IsHungUntilItPrints(void)
{
    psSupFixture f;
    psTestConsole console;

    begin(&f, WORDS("echo"), WORDS("silent-after", "0.3"));
    psStatus status = psSupFixtureUntil(&f, "one", isAlive, 0, "hung");
    testOk(status.health == psHealthHung && strstr(status.aliveMsg, "no output since"), "%s",
           status.aliveMsg);
    testOk(strncmp(status.stateMsg, "Hung: no output since", 21) == 0, "%s", status.stateMsg);
    testOk(psSupAliveAge(psSupFind(f.sup, "one"), psSupMono(f.sup)) >= 0.3, "since 0.3 s");
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleType(&console, "x");
    status = psSupFixtureUntil(&f, "one", isAlive, 1, "alive");
    testOk(status.health != psHealthHung && status.starts == 1, "alive again, and never restarted");
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

/* A signal given here begins no new watch: the time of the last sign of life would be lost. */
static void hung_AndStoppedByASignal_StaysSoUntilItPrints(void)
{
    psSupFixture f;
    psTestConsole console;

    begin(&f, WORDS("echo"), WORDS("silent-after", "0.3"));
    psStatus before = psSupFixtureUntil(&f, "one", isAlive, 0, "hung");
    psSupFixtureDo(&f, "one", psVerbSignal, SIGSTOP);
    psStatus status;
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(!status.alive && strcmp(status.aliveMsg, before.aliveMsg) == 0, "still: %s",
           status.aliveMsg);
    testOk(psSupAliveAge(psSupFind(f.sup, "one"), psSupMono(f.sup)) >= 0.3, "its age goes on");
    psSupFixtureDo(&f, "one", psVerbSignal, SIGCONT);
    epicsThreadSleep(0.5); /* more than the limit: nothing may happen */
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleType(&console, "x");
    psSupFixtureUntil(&f, "one", isAlive, 1, "alive");
    psTestConsoleClose(&console);
    psText log = psSupFixtureLog(&f, "one");
    const char *first = strstr(log.data, "\"one\" is hung");
    testOk(first && !strstr(first + 1, "\"one\" is hung"), "one line said so");
    psTextClear(&log);
    psSupFixtureClose(&f);
}

static void hung_WithRestart_IsStartedAgain(void)
{
    psSupFixture f;

    begin(&f, WORDS("say=up", "wait"),
          WORDS("silent-after", "0.3", "hung-action", "restart", "hung-command",
                "echo pid $PS_PID of $PS_NAME"));
    psStatus first = psSupFixtureRuns(&f, "one", 1);
    psStatus status = psSupFixtureUntil(&f, "one", isStartedBy, psReasonWatchdog, "a restart");
    testOk(status.exitClass == psExitSignal && status.crashes >= 1 && status.autoRestarts >= 1,
           "class Signal, %d crashes", status.crashes);
    testOk(strstr(status.exitMsg, "as it was hung") != NULL, "%s", status.exitMsg);
    char line[80];
    epicsSnprintf(line, sizeof(line), "@@@ hung command: pid %d of one", first.pid);
    testOk(logs(&f, line), "%s", line);
    psSupFixtureClose(&f);
}

static void hung_InModeNever_IsAnAlarmOnly(void)
{
    psSupFixture f;

    begin(&f, WORDS("wait"),
          WORDS("silent-after", "0.3", "hung-action", "restart", "restart-mode", "never"));
    psStatus status = psSupFixtureUntil(&f, "one", isAlive, 0, "hung");
    testOk(status.health == psHealthHung && status.pid > 0, "it is hung, and runs");
    psCmdState how = psSupFixtureDo(&f, "one", psVerbStop, 0);
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(how == psCmdDone && status.state == psStateStopped && status.exitClass == psExitKilled &&
               status.alive && status.health == psHealthOk,
           "a stop ends the alarm");
    psSupFixtureClose(&f);
}

static void pv_CountsFromItsFirstUpdateOn(void)
{
    psSupFixture f;

    begin(&f, WORDS("wait"), WORDS("watch-pv", "X:PV", "watch-after", "0.5"));
    psChild *child = psSupFind(f.sup, "one");
    psStatus status = psSupFixtureRuns(&f, "one", 1);
    testOk(psSupPvUpdated(child) == 1, "an update, at once");
    epicsThreadSleep(1.1); /* that one may have been of the process before; later ones are not */
    psSupStatus(child, &status);
    testOk(status.alive && psSupAliveAge(child, psSupMono(f.sup)) == 0,
           "an update just after the start does not count");
    testOk(strcmp(psSupFacts(child)->watchPv, "X:PV") == 0, "the name is a fact");
    testOk(psSupPvUpdated(child) == 2, "another update");
    status = psSupFixtureUntil(&f, "one", hasPv, 0, "the PV to count");
    testOk(status.alive, "%s", status.aliveMsg);
    status = psSupFixtureUntil(&f, "one", isAlive, 0, "hung");
    testOk(strstr(status.aliveMsg, "no update of X:PV since") != NULL, "%s", status.aliveMsg);
    psSupPvUpdated(child);
    status = psSupFixtureUntil(&f, "one", isAlive, 1, "alive");
    testOk(status.starts == 1, "an update ends it");
    psSupFixtureClose(&f);
}

static void event_OfACrash_IsPassedOn(void)
{
    psSupFixture f;

    begin(&f, WORDS("say=last words", "exit=3"),
          WORDS("event-command", "echo $PS_EVENT of $PS_NAME: $PS_EXIT, $PS_REASON; grep last",
                "restart-mode", "never"));
    testOk(logs(&f, "@@@ event command: crash of one: 3, exit status 3 after 0 s"), "its facts");
    testOk(logs(&f, "@@@ event command: last words"), "the last lines");
    psSupFixtureClose(&f);
}

static void event_ThatCannotRun_IsReported(void)
{
    psSupFixture f;

    begin(&f, WORDS("exit=3"), WORDS("event-command", "exit 4", "restart-mode", "never"));
    testOk(logs(&f, "@@@ the event command failed with exit status 4"), "how it failed");
    psSupFixtureClose(&f);
}

static void end_WaitsForTheEventCommandOfTheLastCrash(void)
{
    psSupFixture f;

    psSupFixtureOpen(&f, true);
    psConfig *cfg = psSupFixtureConfig(&f, "one", WORDS("exit=3"));
    psSupFixtureSet(cfg, "oneshot", NULL);
    psSupFixtureSet(cfg, "event-command", "sleep 0.3; echo still there");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    testOk(psSupFixtureWait(&f) == 3, "it ends");
    testOk(logs(&f, "@@@ event command: still there"), "after the command");
    psSupFixtureClose(&f);
}

MAIN(psSupWatchTest)
{
    testPlan(24);
    silent_IsHungUntilItPrints();
    hung_AndStoppedByASignal_StaysSoUntilItPrints();
    hung_WithRestart_IsStartedAgain();
    hung_InModeNever_IsAnAlarmOnly();
    pv_CountsFromItsFirstUpdateOn();
    event_OfACrash_IsPassedOn();
    event_ThatCannotRun_IsReported();
    end_WaitsForTheEventCommandOfTheLastCrash();
    return testDone();
}
