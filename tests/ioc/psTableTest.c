/* SPDX-License-Identifier: EPICS */
/* The table of all children, of 0, 1 and 200 children, in one program. */
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbUnitTest.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <errlog.h>
#include <testMain.h>

#include "psIoc.h"
#include "psTestDb.h"
#include "psTestSup.h"

#define DB_PATH "../../../db:../../db:..:."
#define MANY 200

void psTableTest_registerRecordDeviceDriver(struct dbBase *);

static psSup *sup;

/* ---- helpers ---- */

typedef char text[MAX_STRING_SIZE];

/* @return how many elements a column has */
static long column(const char *name, short type, void *out)
{
    char pv[60];
    long count = MANY + 10;
    DBADDR addr;

    epicsSnprintf(pv, sizeof(pv), "sup:Table%s", name);
    if (dbNameToAddr(pv, &addr) || dbGetField(&addr, type, out, NULL, &count, NULL))
        testAbort("no %s", pv);
    return count;
}

static long texts(const char *name, text out[])
{
    return column(name, DBR_STRING, out);
}

static long numbers(const char *name, epicsInt32 out[])
{
    return column(name, DBR_LONG, out);
}

static epicsInt32 seq(void)
{
    epicsInt32 out[MANY + 10];

    numbers("Seq", out);
    return out[0];
}

static void addChild(const char *name)
{
    static const char *const argv[] = {"/bin/sleep", "1000"};

    psTestSupAdd(sup, name, "wait", 2, argv);
}

static void setUp(int children)
{
    char name[64];

    sup = psTestSupCreate();
    for (int i = 0; i < children; i++) {
        epicsSnprintf(name, sizeof(name), "c%d", i);
        addChild(name);
    }
    eltc(0); /* many children need many descriptors */
    psTestSupStart(sup);
    testdbPrepare();
    testdbReadDatabase("psTableTest.dbd", NULL, NULL);
    psTableTest_registerRecordDeviceDriver(pdbbase);
    psIocSetInsecure(true);
    psIocSetSup(sup);
    testdbReadDatabase("psSystem.template", DB_PATH, "P=sup:");
    testdbReadDatabase("psChild.template", DB_PATH, "P=a-prefix:of:c0:,CHILD=c0");
    testIocInitOk();
    eltc(1);
}

static void tearDown(void)
{
    psTestSupEnd(sup);
    sup = NULL;
}

/* The table is made anew with each beat of the clock. */
static void waitBeats(int beats)
{
    epicsInt32 first, beat;
    double end = psTestNow() + PS_TEST_SEC;
    DBADDR addr;
    long count = 1;

    dbNameToAddr("sup:Heartbeat", &addr);
    dbGetField(&addr, DBR_LONG, &first, NULL, &count, NULL);
    do {
        epicsThreadSleep(0.01);
        dbGetField(&addr, DBR_LONG, &beat, NULL, &count, NULL);
    } while (beat - first < beats && psTestNow() < end);
}

/* Wait until the first row of a column is @p wanted. */
static void firstBecomes(const char *name, const char *wanted)
{
    double end = psTestNow() + PS_TEST_SEC;
    text got[MANY + 10] = {""};

    while ((texts(name, got) < 1 || strcmp(got[0], wanted) != 0) && psTestNow() < end)
        epicsThreadSleep(0.01);
    testOk(strcmp(got[0], wanted) == 0, "%s of the first row is \"%s\"", name, got[0]);
}

/* ---- tests ---- */

static void testNone(void)
{
    text got[MANY + 10];

    testDiag("no child");
    setUp(0);
    testOk(texts("Name", got) == 0 && texts("Prefix", got) == 0, "no row");
    testdbGetFieldEqual("sup:TableName.SEVR", DBR_LONG, NO_ALARM);
    testOk(texts("Labels", got) == 9 && strcmp(got[8], "Prefix") == 0, "nine headings");
    tearDown();
}

static void testOne(void)
{
    text got[MANY + 10];
    epicsInt32 pids[MANY + 10], uptimes[MANY + 10];

    testDiag("one child");
    setUp(1);
    firstBecomes("State", "Waiting");
    firstBecomes("Prefix", "a-prefix:of:c0:");
    epicsInt32 before = seq();
    waitBeats(2);
    testOk(seq() == before, "nothing has changed, and so says TableSeq");
    psCommand start = {.verb = psVerbStart};
    psSupSubmitAll(sup, &start, NULL, NULL);
    firstBecomes("State", "Running");
    long count = numbers("Pid", pids);
    testOk(count == 1 && pids[0] > 0, "its pid is %d", (int)pids[0]);
    testOk(seq() != before, "TableSeq has changed");
    testOk(texts("Msg", got) == 1 && strncmp(got[0], "Running: pid ", 13) == 0, "%s", got[0]);
    testOk(texts("Exit", got) == 1 && got[0][0] == '\0', "nothing has ended");
    numbers("Uptime", uptimes);
    psCommand stop = {.verb = psVerbStop};
    psSupSubmitAll(sup, &stop, NULL, NULL);
    firstBecomes("State", "Stopped");
    firstBecomes("Exit", "Killed: SIGKILL");
    firstBecomes("Health", "OK");
    testOk(numbers("Uptime", uptimes) == 1 && uptimes[0] == 0, "no uptime while it is down");
    tearDown();
}

static void testMany(void)
{
    text got[MANY + 10];

    testDiag("%d children", MANY);
    setUp(MANY);
    firstBecomes("Name", "c0");
    testOk(texts("Name", got) == MANY && strcmp(got[MANY - 1], "c199") == 0, "%d rows in order",
           MANY);
    testOk(texts("State", got) == MANY && strcmp(got[MANY - 1], "Waiting") == 0,
           "the last one, too");
    testOk(texts("Prefix", got) == MANY && got[MANY - 1][0] == '\0', "no records, no prefix");
    addChild("late");
    double end = psTestNow() + PS_TEST_SEC;
    while (texts("Name", got) != MANY + 1 && psTestNow() < end)
        epicsThreadSleep(0.01);
    testOk(texts("Name", got) == MANY + 1 && strcmp(got[MANY], "late") == 0, "one more, later");
    tearDown();
}

MAIN(psTableTest)
{
    testPlan(23);
    testNone();
    testOne();
    testMany();
    return testDone();
}
