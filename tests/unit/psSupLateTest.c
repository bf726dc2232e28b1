/* SPDX-License-Identifier: EPICS */
/*
 * What comes late: a begin behind a command, a child added while all ends.
 */
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A script adds a child, starts it by hand, and comes to iocInit. */
static void begin_AfterAStart_StartsNoSecondProcess(void)
{
    psSupFixture f;
    psStatus first, status;

    psSupFixtureOpen(&f, false);
    psSupFixtureStart(&f);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "one", WORDS("/bin/sleep", "1000")));
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    first = psSupFixtureRuns(&f, "one", 1);
    psSupBegin(f.sup, "one");
    psSupFixtureDo(&f, "one", psVerbRotateLog, 0); /* behind it */
    psSupStatus(f.sup, "one", &status);
    testOk(status.starts == 1 && status.pid == first.pid && status.state == psStateRunning,
           "%d starts, pid %d and %d, %s", status.starts, first.pid, status.pid,
           psStateName(status.state));
    psSupFixtureClose(&f);
}

static void shutdown_ChildAddedMeanwhile_EndsToo(void)
{
    static const char deaf[] = "trap '' TERM; echo deaf; while :; do sleep 1; done";
    psSupFixture f;
    psConfig *cfg;
    psStatus status;
    psTestConsole console;
    int code;

    psSupFixtureOpen(&f, false);
    cfg = psSupFixtureCommand(&f, "one", WORDS("/bin/sh", "-c", deaf));
    psSupFixtureSet(cfg, "grace", "1");
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureState(&f, "one", psStateWaiting);
    psTestConsoleOpen(&console, &f, "one");
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    psTestConsoleExpect(&console, "deaf");
    psSupShutdown(f.sup);
    psSupFixtureState(&f, "one", psStateStopping);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "two", WORDS("/bin/sleep", "1000")));
    code = psSupFixtureWait(&f); /* aborts if it does not end */
    psSupStatus(f.sup, "two", &status);
    testOk(status.starts == 0, "the end came, code %d; the late one never started", code);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

MAIN(psSupLateTest)
{
    (void)argc;
    (void)argv;
    testPlan(2);
    begin_AfterAStart_StartsNoSecondProcess();
    shutdown_ChildAddedMeanwhile_EndsToo();
    return testDone();
}
