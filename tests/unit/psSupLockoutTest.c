/* SPDX-License-Identifier: EPICS */
/* A child of a real supervisor that is locked out: what is refused, and what goes on. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

typedef struct outcome {
    epicsEventId event;
    psCmdState how;
    char msg[2 * PS_TEXT_BYTES];
} outcome;

static void done(void *ctx, psCmdState how, const char *msg)
{
    outcome *out = ctx;

    out->how = how;
    snprintf(out->msg, sizeof(out->msg), "%s", msg);
    epicsEventMustTrigger(out->event);
}

/* Give a command as @p by and wait for its end. */
static outcome command(psSupFixture *f, const char *by, psVerb verb, double value, const char *text)
{
    psCommand cmd = {.verb = verb, .value = value, .text = text, .reason = psReasonOperator};
    outcome out = {.event = epicsEventMustCreate(epicsEventEmpty)};

    snprintf(cmd.by, sizeof(cmd.by), "%s", by);
    int status = psSupSubmit(f->sup, psSupFind(f->sup, "one"), &cmd, done, &out);
    if (status)
        testAbort("psSupSubmit: %s", strerror(-status));
    if (epicsEventWaitWithTimeout(out.event, PS_TEST_SEC) != epicsEventOK)
        testAbort("waited %g s for the end of a command", PS_TEST_SEC);
    epicsEventDestroy(out.event);
    return out;
}

static psStatus statusNow(psSupFixture *f)
{
    psStatus status;

    psSupStatus(psSupFind(f->sup, "one"), &status);
    return status;
}

static void lockOne(psSupFixture *f)
{
    psSupFixtureOpen(f, false);
    psSupFixtureAdd(f, psSupFixtureConfig(f, "one", WORDS("echo")));
    psSupFixtureStart(f);
    psSupFixtureState(f, "one", psStateRunning);
    command(f, "ops@ws3", psVerbLockoutMsg, 1, "vacuum work");
    command(f, "ops@ws3", psVerbLockout, 1, NULL);
}

/* Does @p text end with a whole UTF-8 character?  The reason has only those of two bytes. */
static bool endsWhole(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && ((unsigned char)text[len - 1] & 0xc0) != 0xc0;
}

/* Each length puts the cut at another byte. */
static void longReason_IsCutBetweenCharacters(void)
{
    psSupFixture f;
    bool whole = true;

    lockOne(&f);
    for (int blanks = 0; blanks < 2; blanks++) {
        char reason[PS_TEXT_BYTES] = "  ";

        for (size_t len = (size_t)blanks; len + 2 < sizeof(reason); len += 2)
            memcpy(reason + len, "\xc3\xa4", 3);
        command(&f, "ops@ws3", psVerbLockoutMsg, 1, reason);
        psStatus now = statusNow(&f);
        whole = whole && endsWhole(now.stateMsg);
        command(&f, "anna@ws1", psVerbStop, 0, NULL);
        now = statusNow(&f);
        whole = whole && now.cmd.state == psCmdDenied && endsWhole(now.cmd.msg);
    }
    testOk(whole, "StateMsg and CmdMsg end with a whole character");
    psSupFixtureClose(&f);
}

static void commands_OfPeople_AreRefusedWithTheReason(void)
{
    static const psVerb verbs[] = {psVerbStart, psVerbStop,          psVerbRestart,  psVerbKill,
                                   psVerbReset, psVerbResetCounters, psVerbRotateLog};
    psSupFixture f;

    lockOne(&f);
    psStatus before = statusNow(&f);
    testOk(before.lockout.on && !strcmp(before.lockout.by, "ops@ws3") &&
               !strcmp(before.lockout.msg, "vacuum work") && before.lockout.time.secPastEpoch,
           "it is known who has locked it out, why and when");
    testOk(strstr(before.stateMsg, "; locked out by ops@ws3 since ") != NULL, "%s",
           before.stateMsg);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        outcome out = command(&f, "anna@ws1", verbs[i], 0, NULL);
        psStatus now = statusNow(&f);

        testOk(out.how == psCmdDenied && now.cmd.state == psCmdDenied &&
                   !strncmp(out.msg, "locked out by ops@ws3 since ", 28) &&
                   strstr(out.msg, ": vacuum work") && !strcmp(out.msg, now.cmd.msg),
               "%d: %s", verbs[i], out.msg);
    }
    testOk1(command(&f, "anna@ws1", psVerbSignal, SIGTERM, NULL).how == psCmdDenied);
    testOk1(command(&f, "anna@ws1", psVerbMode, psModeNever, NULL).how == psCmdDenied);
    testOk1(command(&f, "anna@ws1", psVerbGrace, 1, NULL).how == psCmdDenied);
    psStatus now = statusNow(&f);
    testOk(now.pid == before.pid && now.starts == 1 && now.settings.mode == psModeAlways &&
               now.settings.graceSec == before.settings.graceSec,
           "nothing has changed");
    psSupFixtureClose(&f);
}

static void keys_AreRefusedAndTypingIsNot(void)
{
    psTestConsole console;
    psSupFixture f;

    lockOne(&f);
    int pid = statusNow(&f).pid;
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleExpect(&console, "plus you)");
    psTestConsoleType(&console, "\x18");
    testOk(psTestConsoleExpect(&console, "@@@ ^X of console ") &&
               psTestConsoleExpect(&console, " refused: locked out by ops@ws3 since ") &&
               psTestConsoleExpect(&console, ": vacuum work\r\n"),
           "^X: one line says why, and who it was");
    psTestConsoleType(&console, "\x14");
    testOk(psTestConsoleExpect(&console, "@@@ ^T of console "), "^T");
    psTestConsoleType(&console, "hello\r");
    testOk(psTestConsoleExpect(&console, "hello"), "what is typed goes to the process");
    psStatus now = statusNow(&f);
    testOk(now.pid == pid && now.settings.mode == psModeAlways, "which is the same");
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

static bool hasRestarted(const psStatus *status, long pid)
{
    return status->state == psStateRunning && status->pid != pid;
}

static void restarts_ByThemselves_GoOn(void)
{
    psSupFixture f;

    lockOne(&f);
    psStatus before = statusNow(&f);
    kill(before.pid, SIGKILL);
    psStatus now = psSupFixtureUntil(&f, "one", hasRestarted, before.pid, "another process");
    testOk(now.lockout.on && !strcmp(now.lockout.msg, "vacuum work"),
           "it is restarted, and locked out still");
    psSupFixtureClose(&f);
}

static void unlock_ByAnybody_ForgetsTheReason(void)
{
    psSupFixture f;

    lockOne(&f);
    outcome out = command(&f, "anna@ws1", psVerbLockout, 1, "magnets");
    psStatus now = statusNow(&f);
    testOk(out.how == psCmdDone && !strcmp(out.msg, "it was locked out already") &&
               !strcmp(now.lockout.by, "ops@ws3") && !strcmp(now.lockout.msg, "magnets"),
           "a second lockout is the first, with another reason");
    testOk1(command(&f, "anna@ws1", psVerbLockout, 0, NULL).how == psCmdDone);
    now = statusNow(&f);
    testOk(!now.lockout.on && now.lockout.msg[0] == '\0' && !strstr(now.stateMsg, "locked"), "%s",
           now.stateMsg);
    testOk1(command(&f, "anna@ws1", psVerbRestart, 0, NULL).how == psCmdDone);
    psSupFixtureClose(&f);
}

static void command_ToAll_SkipsIt(void)
{
    psCommand cmd = {.verb = psVerbRestart, .reason = psReasonOperator, .by = "ops@ws1"};
    outcome out = {.event = epicsEventMustCreate(epicsEventEmpty)};
    psSupFixture f;

    lockOne(&f);
    if (psSupSubmitAll(f.sup, &cmd, done, &out) ||
        epicsEventWaitWithTimeout(out.event, PS_TEST_SEC) != epicsEventOK)
        testAbort("no end of a command to all");
    testOk(out.how == psCmdDone &&
               strstr(out.msg, "0 of 1 done, 1 skipped; one: locked out by ops@ws3"),
           "%s", out.msg);
    epicsEventDestroy(out.event);
    psSupFixtureClose(&f);
}

#define MANY 20 /* more than are given a command in one round of the loop */

static void lockout_OfAll_HasAReason(void)
{
    char reason[] = "beam on"; /* the caller's, and gone soon */
    psCommand cmd = {.verb = psVerbLockout, .value = 1, .text = reason, .by = "ops@ws1"};
    outcome out = {.event = epicsEventMustCreate(epicsEventEmpty)};
    psStatus status;
    psSupFixture f;
    char name[20];
    int right = 0;

    psSupFixtureOpen(&f, false);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        psConfig *cfg = psSupFixtureConfig(&f, name, WORDS("wait"));
        psSupFixtureSet(cfg, "wait", NULL);
        psSupFixtureAdd(&f, cfg);
    }
    psSupFixtureStart(&f);
    int refused = psSupSubmitAll(f.sup, &cmd, done, &out);
    memset(reason, 'x', strlen(reason));
    if (!refused && epicsEventWaitWithTimeout(out.event, PS_TEST_SEC) != epicsEventOK)
        testAbort("no end of a command to all");
    for (int i = 0; i < MANY; i++) {
        psSupStatus(psSupAt(f.sup, i), &status);
        right += status.lockout.on && strcmp(status.lockout.msg, "beam on") == 0;
    }
    testOk(!refused && right == MANY, "%d of %d are locked out with the reason", right, MANY);
    epicsEventDestroy(out.event);
    psSupFixtureClose(&f);
}

static void quitKey_OfALockedOutChild_DoesNotEndTheServer(void)
{
    psTestConsole console, other;
    psSupFixture f;

    psSupFixtureOpen(&f, true);
    psSupFixtureAdd(&f, psSupFixtureConfig(&f, "one", WORDS("wait")));
    psSupFixtureAdd(&f, psSupFixtureConfig(&f, "two", WORDS("wait")));
    psSupFixtureStart(&f);
    psSupFixtureDo(&f, "one", psVerbStop, 0);
    psSupFixtureDo(&f, "two", psVerbStop, 0);
    command(&f, "ops@ws3", psVerbLockout, 1, "vacuum work");
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleExpect(&console, "plus you)");
    psTestConsoleType(&console, "\x12");
    testOk(psTestConsoleExpect(&console, "@@@ ^R of console "), "^R starts nothing");
    psTestConsoleType(&console, "\x11");
    testOk(psTestConsoleExpect(&console, "@@@ ^Q of console "), "^Q is refused");
    psTestConsoleOpen(&other, &f, "two");
    psTestConsoleExpect(&other, "plus you)");
    psTestConsoleType(&other, "\x11");
    testOk(psTestConsoleExpect(&other, "another child is locked out"), "on another console, too");
    testOk1(statusNow(&f).state == psStateStopped);
    psTestConsoleClose(&other);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

MAIN(psSupLockoutTest)
{
    testPlan(29);
    longReason_IsCutBetweenCharacters();
    commands_OfPeople_AreRefusedWithTheReason();
    keys_AreRefusedAndTypingIsNot();
    restarts_ByThemselves_GoOn();
    unlock_ByAnybody_ForgetsTheReason();
    command_ToAll_SkipsIt();
    lockout_OfAll_HasAReason();
    quitKey_OfALockedOutChild_DoesNotEndTheServer();
    return testDone();
}
