/* SPDX-License-Identifier: EPICS */
/* The records of the supervisor as a whole, whose links name no child. */
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbUnitTest.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <errlog.h>
#include <mbbiRecord.h>
#include <testMain.h>

#include "psCaRelay.h"

#define DEADLINE_SEC 20.0
#define DB_PATH "../../../db:../../db:..:."

void psSystemTest_registerRecordDeviceDriver(struct dbBase *);

static const char *textOf(const char *name)
{
    static char text[256];
    long count = sizeof(text);
    DBADDR addr;

    text[0] = '\0';
    if (dbNameToAddr(name, &addr) || dbGetField(&addr, DBR_CHAR, text, NULL, &count, NULL))
        testAbort("no %s", name);
    return text;
}

/* The clock shows it within a second. */
static void becomes(const char *name, const char *wanted)
{
    double end = (double)epicsMonotonicGet() * 1e-9 + DEADLINE_SEC;

    while (strcmp(textOf(name), wanted) != 0 && (double)epicsMonotonicGet() * 1e-9 < end)
        epicsThreadSleep(0.005);
    testOk(strcmp(textOf(name), wanted) == 0, "%s becomes \"%s\"", name, textOf(name));
}

static void testRelay(void)
{
    testdbGetFieldEqual("sup:CaRelay", DBR_STRING, "Off");
    testdbGetFieldEqual("sup:CaRelay.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("sup:CaRelay.UDF", DBR_LONG, 0);
    testdbGetFieldEqual("sup:CaSearches", DBR_LONG, 0);
    testdbGetFieldEqual("sup:CaDropped", DBR_LONG, 0);
    becomes("sup:CaRelayMsg.VAL$", "not started");
    psCaRelaySetOff("a reason");
    becomes("sup:CaRelayMsg.VAL$", "a reason");
    testdbPutFieldFail(S_db_putDisabled, "sup:CaSearches", DBR_LONG, 1);
}

static void testBadLinks(void)
{
    testdbGetFieldEqual("bad:1.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("bad:2.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("bad:3.SEVR", DBR_LONG, INVALID_ALARM);
}

MAIN(psSystemTest)
{
    testPlan(11);
    testdbPrepare();
    testdbReadDatabase("psSystemTest.dbd", NULL, NULL);
    psSystemTest_registerRecordDeviceDriver(pdbbase);
    testdbReadDatabase("psCaRelay.template", DB_PATH, "P=sup:");
    testdbReadDatabase("psSystemTest.db", DB_PATH, NULL);
    eltc(0); /* bad links are reported */
    testIocInitOk();
    eltc(1);
    testRelay();
    testBadLinks();
    testIocShutdownOk();
    testdbCleanup();
    return testDone();
}
