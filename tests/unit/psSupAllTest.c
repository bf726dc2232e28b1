/* SPDX-License-Identifier: EPICS */
/* Commands to all children of a real supervisor: order, stagger, outcome, what ends them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MANY 30 /* more than are served in one round of the loop */

/* ---- a command to all, and its end ---- */

typedef struct allCommand {
    epicsEventId event;
    psSup *sup;
    int calls;
    psCmdState how;
    char msg[PS_TEXT_BYTES];
    psAllStatus then; /* published when the end was reported */
} allCommand;

static void allDone(void *ctx, psCmdState how, const char *msg)
{
    allCommand *command = ctx;

    command->calls++;
    command->how = how;
    snprintf(command->msg, sizeof(command->msg), "%s", msg);
    psSupAllStatus(command->sup, &command->then);
    epicsEventMustTrigger(command->event);
}

static void give(allCommand *command, psSupFixture *f, psVerb verb)
{
    psCommand cmd = {.verb = verb, .reason = psReasonOperator, .by = "ops@test"};

    memset(command, 0, sizeof(*command));
    command->event = epicsEventMustCreate(epicsEventEmpty);
    command->sup = f->sup;
    int status = psSupSubmitAll(f->sup, &cmd, allDone, command);
    if (status)
        testAbort("psSupSubmitAll: %s", strerror(-status));
}

static psCmdState await(allCommand *command)
{
    if (epicsEventWaitWithTimeout(command->event, PS_TEST_SEC) != epicsEventOK)
        testAbort("waited %g s for the end of a command to all", PS_TEST_SEC);
    return command->how;
}

static void forget(allCommand *command)
{
    epicsEventDestroy(command->event);
}

static void add(psSupFixture *f, const char *name, const char *option)
{
    psConfig *cfg = psSupFixtureConfig(f, name, WORDS("wait"));

    if (option)
        psSupFixtureSet(cfg, option, NULL);
    psSupFixtureAdd(f, cfg);
}

static psStatus statusOf(psSupFixture *f, const char *name)
{
    psStatus status;

    psSupStatus(psSupFind(f->sup, name), &status);
    return status;
}

/* "one", "two" and "three", which run unless @p option keeps them from it. */
static void openThree(psSupFixture *f, const char *option)
{
    static const char *const names[] = {"one", "two", "three"};

    psSupFixtureOpen(f, false);
    for (size_t i = 0; i < NELEMENTS(names); i++)
        add(f, names[i], option);
    psSupFixtureStart(f);
    for (size_t i = 0; i < NELEMENTS(names); i++)
        psSupFixtureState(f, names[i], option ? psStateWaiting : psStateRunning);
}

/* ---- the tests ---- */

static void start_All_RunsAll(void)
{
    psSupFixture f;
    allCommand command;
    psAllStatus before;

    openThree(&f, "wait");
    psSupAllStatus(f.sup, &before);
    testOk(before.seq == 0 && before.cmd.state == psCmdIdle, "there was no command yet");
    give(&command, &f, psVerbStart);
    testOk(await(&command) == psCmdDone && strcmp(command.msg, "3 of 3 done") == 0, "%s",
           command.msg);
    psStatus one = statusOf(&f, "one"), three = statusOf(&f, "three");
    testOk(one.state == psStateRunning && three.state == psStateRunning, "they run");
    testOk(strcmp(three.cmd.by, "ops@test") == 0 && three.cmd.verb == psVerbStart &&
               three.startReason == psReasonOperator,
           "each shows who it was");
    const psCmdStatus *then = &command.then.cmd;
    testOk(then->state == psCmdDone && then->verb == psVerbStart && then->seq == 1 &&
               strcmp(then->by, "ops@test") == 0 && then->time.secPastEpoch &&
               strcmp(then->msg, command.msg) == 0,
           "the outcome is published before it is delivered");
    forget(&command);
    psSupFixtureClose(&f);
}

static void restart_Staggered_IsSpaced(void)
{
    static const double staggerSec = 0.3;
    psSupFixture f;
    allCommand command;

    openThree(&f, NULL);
    testOk(psSupStagger(f.sup) == 0, "no stagger at first");
    testOk(psSupSetStagger(f.sup, -1) == -EINVAL && psSupSetStagger(f.sup, 3601) == -EINVAL &&
               psSupStagger(f.sup) == 0,
           "what is out of range is refused");
    psSupSetStagger(f.sup, staggerSec);
    give(&command, &f, psVerbRestart);
    testOk(await(&command) == psCmdDone && strcmp(command.msg, "3 of 3 done") == 0, "%s",
           command.msg);
    psStatus one = statusOf(&f, "one"), two = statusOf(&f, "two"), three = statusOf(&f, "three");
    testOk(one.starts == 2 && two.starts == 2 && three.starts == 2, "each was started again");
    /* What a start takes differs a little; the orders are exactly so far apart. */
    testOk(three.startMono - one.startMono > 1.5 * staggerSec, "the third %.3f s after the first",
           three.startMono - one.startMono);
    testOk(two.startMono > one.startMono && three.startMono > two.startMono, "in their order");
    forget(&command);

    double begin = psSupMono(f.sup);
    psSupSetStagger(f.sup, 60);
    give(&command, &f, psVerbStart);
    testOk(await(&command) == psCmdDone && psSupMono(f.sup) - begin < 30,
           "nothing to do takes no time");
    forget(&command);
    give(&command, &f, psVerbStop);
    testOk(await(&command) == psCmdDone && psSupMono(f.sup) - begin < 30, "a stop is not spaced");
    forget(&command);
    psSupFixtureClose(&f);
}

static void restart_OfWhatIsStopped_LeavesItAlone(void)
{
    psSupFixture f;
    allCommand command;

    openThree(&f, NULL);
    psSupFixtureDo(&f, "two", psVerbStop, 0);
    give(&command, &f, psVerbRestart);
    testOk(await(&command) == psCmdDone &&
               strcmp(command.msg, "2 of 3 done, 1 skipped; two: it is stopped") == 0,
           "%s", command.msg);
    psStatus two = statusOf(&f, "two");
    testOk(two.state == psStateStopped && two.starts == 1, "it is still stopped");
    forget(&command);
    psSupFixtureClose(&f);
}

static void start_OneFails_NamesIt(void)
{
    psSupFixture f;
    allCommand command;

    psSupFixtureOpen(&f, false);
    add(&f, "one", "wait");
    psConfig *cfg = psSupFixtureCommand(&f, "bad", WORDS("/no/such/program"));
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    add(&f, "three", "wait");
    psSupFixtureStart(&f);
    psSupFixtureState(&f, "three", psStateWaiting);
    give(&command, &f, psVerbStart);
    testOk(await(&command) == psCmdFailed &&
               strncmp(command.msg, "2 of 3 done, 1 failed; bad: ", 28) == 0,
           "%s", command.msg);
    testOk(command.calls == 1 && statusOf(&f, "three").state == psStateRunning,
           "the others are served");
    forget(&command);
    psSupFixtureClose(&f);
}

static void restart_ThenStop_IsSuperseded(void)
{
    psSupFixture f;
    allCommand older, newer;

    openThree(&f, NULL);
    psSupSetStagger(f.sup, 60);
    give(&older, &f, psVerbRestart);
    psSupFixtureRuns(&f, "one", 2);
    give(&newer, &f, psVerbStop);
    testOk(await(&older) == psCmdFailed &&
               strncmp(older.msg, "superseded by StopAll of ops@test; 1 of 3 done", 46) == 0,
           "%s", older.msg);
    testOk(await(&newer) == psCmdDone && newer.then.cmd.verb == psVerbStop, "the newer one: %s",
           newer.msg);
    testOk(statusOf(&f, "one").state == psStateStopped &&
               statusOf(&f, "three").state == psStateStopped && statusOf(&f, "three").starts == 1,
           "all are stopped, and none was started since");
    testOk(older.calls == 1 && newer.calls == 1, "each ended once");
    forget(&older);
    forget(&newer);
    psSupFixtureClose(&f);
}

static void restart_AtShutdown_Ends(void)
{
    psSupFixture f;
    allCommand command, late;

    openThree(&f, NULL);
    psSupSetStagger(f.sup, 60);
    give(&command, &f, psVerbRestart);
    psSupFixtureRuns(&f, "one", 2);
    psSupShutdown(f.sup);
    testOk(await(&command) == psCmdFailed && strncmp(command.msg, "shutting down", 13) == 0, "%s",
           command.msg);
    psSupFixtureWait(&f);
    psCommand cmd = {.verb = psVerbStart};
    testOk(psSupSubmitAll(f.sup, &cmd, allDone, &late) == -ESHUTDOWN, "later ones are refused");
    testOk(command.calls == 1, "it ended once");
    forget(&command);
    psSupFixtureClose(&f);
}

static void stop_None_IsDone(void)
{
    psSupFixture f;
    allCommand command;

    psSupFixtureOpen(&f, false);
    psSupFixtureStart(&f);
    give(&command, &f, psVerbStop);
    testOk(await(&command) == psCmdDone && strcmp(command.msg, "0 of 0 done") == 0, "%s",
           command.msg);
    forget(&command);
    psSupFixtureClose(&f);
}

static void start_Many_ServesAll(void)
{
    psSupFixture f;
    allCommand command;
    char name[16];

    psSupFixtureOpen(&f, false);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "c%d", i);
        add(&f, name, "wait");
    }
    psSupFixtureStart(&f);
    psSupFixtureState(&f, name, psStateWaiting);
    give(&command, &f, psVerbStart);
    testOk(await(&command) == psCmdDone && strcmp(command.msg, "30 of 30 done") == 0, "%s",
           command.msg);
    testOk(statusOf(&f, name).state == psStateRunning, "the last one runs");
    forget(&command);
    psSupFixtureClose(&f);
}

static void denied_AndTold_AreShown(void)
{
    psSupFixture f;
    allCommand command;
    psTestConsole first, last;
    psCommand cmd = {.verb = psVerbStop, .by = "eve@test"};

    openThree(&f, NULL);
    psTestConsoleOpen(&first, &f, "one");
    psTestConsoleOpen(&last, &f, "three");
    psTestConsoleExpect(&first, "Child \"one\"");
    psTestConsoleExpect(&last, "Child \"three\"");
    testOk(psSupTellAll(f.sup, "eve@test asks") == 0 &&
               psTestConsoleExpect(&first, "@@@ eve@test asks") &&
               psTestConsoleExpect(&last, "@@@ eve@test asks"),
           "a line on every console");
    memset(&command, 0, sizeof(command));
    command.event = epicsEventMustCreate(epicsEventEmpty);
    command.sup = f.sup;
    psSupDenied(f.sup, NULL, &cmd, "not you", allDone, &command);
    testOk(await(&command) == psCmdDenied && command.then.cmd.state == psCmdDenied &&
               strcmp(command.then.cmd.msg, "not you") == 0 &&
               strcmp(command.then.cmd.by, "eve@test") == 0,
           "a refusal is published: %s", command.msg);
    testOk(statusOf(&f, "one").state == psStateRunning, "and nothing is done");
    forget(&command);
    psTestConsoleClose(&first);
    psTestConsoleClose(&last);
    psSupFixtureClose(&f);
}

MAIN(psSupAllTest)
{
    testPlan(30);
    start_All_RunsAll();
    restart_Staggered_IsSpaced();
    restart_OfWhatIsStopped_LeavesItAlone();
    start_OneFails_NamesIt();
    restart_ThenStop_IsSuperseded();
    restart_AtShutdown_Ends();
    stop_None_IsDone();
    start_Many_ServesAll();
    denied_AndTold_AreShown();
    return testDone();
}
