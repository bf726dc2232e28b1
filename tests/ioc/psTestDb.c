/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <dbAccess.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <epicsUnitTest.h>

#include "psTestDb.h"

double psTestNow(void)
{
    return (double)epicsMonotonicGet() * 1e-9;
}

const char *psTestText(const char *name)
{
    static char text[256];
    int isLong = strchr(name, '$') != NULL;
    long count = isLong ? (long)sizeof(text) : 1;
    DBADDR addr;

    text[0] = '\0';
    if (dbNameToAddr(name, &addr) ||
        dbGetField(&addr, isLong ? DBR_CHAR : DBR_STRING, text, NULL, &count, NULL))
        testAbort("no %s", name);
    return text;
}

void psTestBecomes(const char *name, const char *wanted)
{
    double end = psTestNow() + PS_TEST_SEC;

    while (strcmp(psTestText(name), wanted) != 0 && psTestNow() < end)
        epicsThreadSleep(0.002);
    testOk(strcmp(psTestText(name), wanted) == 0, "%s is \"%s\"", name, psTestText(name));
}
