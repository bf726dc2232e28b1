/* SPDX-License-Identifier: EPICS */
/*
 * Every cell of the state machine's table, by name.  A test may be right and still miss its
 * cell, so what really happened is recorded: the first event, and the state it met.
 */
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psMachineFixture.h"

#define STATES psStateUnknown /* states of the machine come before it */

static int tested[psEventCount][STATES];

static int count(const psCellTest *cells)
{
    int n = 0;

    while (cells[n].fn)
        n++;
    return n;
}

static void run(const psCellTest *cells)
{
    for (; cells->fn; cells++) {
        psFixture f = {.good = true};

        psFixtureBring(&f, cells->state);
        cells->fn(&f);
        WANT(&f, f.fired && f.event == cells->event && f.in == cells->state);
        if (f.good)
            tested[f.event][f.in]++;
        testOk(f.good, "%s: %s in %s", cells->name, psEventName(cells->event),
               psStateName(cells->state));
    }
}

static void everyCell_HasATest(void)
{
    int missing = 0;

    for (int event = 0; event < psEventCount; event++) {
        for (int state = 0; state < STATES; state++) {
            if (tested[event][state] == 0) {
                missing++;
                testDiag("no test passed for %s in %s", psEventName((psEvent)event),
                         psStateName((psState)state));
            }
        }
    }
    testOk(missing == 0, "each of %d events has a test in each of %d states", (int)psEventCount,
           (int)STATES);
}

static void everyCell_HasAText(void)
{
    bool good = true;

    for (int event = 0; event < psEventCount; event++) {
        good = good && strcmp(psEventName((psEvent)event), "?") != 0;
        for (int state = 0; state < STATES; state++)
            good = good && psMachineCell((psState)state, (psEvent)event)[0] != '\0';
    }
    testOk(good && strcmp(psEventName(psEventCount), "?") == 0, "each cell says what it does");
}

MAIN(psMachineTest)
{
    testPlan(count(psCommandCells) + count(psProcessCells) + count(psUnfitCells) + 2);
    run(psCommandCells);
    run(psProcessCells);
    run(psUnfitCells);
    everyCell_HasATest();
    everyCell_HasAText();
    return testDone();
}
