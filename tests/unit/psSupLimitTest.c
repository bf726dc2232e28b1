/* SPDX-License-Identifier: EPICS */
/* Consoles when descriptors are short. */
#include <string.h>
#include <sys/resource.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define CALLERS 12

/* The limit leaves nothing for consoles: that means a few, not any number. */
static void consoles_UnderATinyLimit_AreFewAndTheRestIsTold(void)
{
    struct rlimit before, tiny;
    psSupFixture f;
    psTestConsole consoles[CALLERS];
    int welcome = 0, told = 0;

    getrlimit(RLIMIT_NOFILE, &before);
    tiny = before;
    tiny.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &tiny);
    psSupFixtureOpen(&f, false);
    setrlimit(RLIMIT_NOFILE, &before);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "one", WORDS("/bin/sleep", "1000")));
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    for (int i = 0; i < CALLERS; i++) {
        psTestConsoleOpen(&consoles[i], &f, "one");
        psTestConsoleExpect(&consoles[i], "@@@ ");
        psTestConsoleExpect(&consoles[i], "\r\n");
        welcome += strstr(consoles[i].got.data, "@@@ Welcome") != NULL;
        told += strstr(consoles[i].got.data, "@@@ All 8 console connections are in use") != NULL;
    }
    testOk(welcome == 8 && told == CALLERS - 8, "%d are welcome, %d get the limit", welcome, told);
    for (int i = 0; i < CALLERS; i++)
        psTestConsoleClose(&consoles[i]);
    psSupFixtureClose(&f);
}

MAIN(psSupLimitTest)
{
    (void)argc;
    (void)argv;
    testPlan(1);
    consoles_UnderATinyLimit_AreFewAndTheRestIsTold();
    return testDone();
}
