/* SPDX-License-Identifier: EPICS */
/*
 * What comes late: a begin behind a command.
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

MAIN(psSupLateTest)
{
    (void)argc;
    (void)argv;
    testPlan(1);
    begin_AfterAStart_StartsNoSecondProcess();
    return testDone();
}
