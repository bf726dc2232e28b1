/* SPDX-License-Identifier: EPICS */
/* Commands to all children by records, against the real supervisor, twice in one program. */
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbChannel.h>
#include <dbNotify.h>
#include <dbUnitTest.h>
#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <errlog.h>
#include <testMain.h>

#include "psIoc.h"
#include "psTestDb.h"
#include "psTestSup.h"

#define DB_PATH "../../../db:../../db:..:."

void psAllTest_registerRecordDeviceDriver(struct dbBase *);

static psSup *sup;

/* ---- helpers ---- */

static psStatus statusOf(const char *name)
{
    psStatus status;

    psSupStatus(psSupFind(sup, name), &status);
    return status;
}

static void waitState(const char *name, psState state)
{
    double end = psTestNow() + PS_TEST_SEC;

    while (statusOf(name).state != state && psTestNow() < end)
        epicsThreadSleep(0.002);
    if (statusOf(name).state != state)
        testAbort("%s is %s", name, psStateName(statusOf(name).state));
}

/* ---- a put with callback, as caput -c ---- */

typedef struct putter {
    processNotify notify;
    epicsEventId done;
} putter;

static int putOne(processNotify *notify, notifyPutType type)
{
    static const epicsInt32 one = 1;

    return type != putDisabledType && dbChannelPut(notify->chan, DBR_LONG, &one, 1) == 0;
}

static void putDone(processNotify *notify)
{
    epicsEventMustTrigger(((putter *)notify->usrPvt)->done);
}

static void putBegin(putter *self, const char *pv)
{
    memset(self, 0, sizeof(*self));
    self->done = epicsEventMustCreate(epicsEventEmpty);
    self->notify.requestType = putProcessRequest;
    self->notify.chan = dbChannelCreate(pv);
    self->notify.putCallback = putOne;
    self->notify.doneCallback = putDone;
    self->notify.usrPvt = self;
    if (!self->notify.chan || dbChannelOpen(self->notify.chan))
        testAbort("cannot open %s", pv);
    dbProcessNotify(&self->notify);
}

static bool putEnds(putter *self, double sec)
{
    return epicsEventWaitWithTimeout(self->done, sec) == epicsEventOK;
}

static void putClear(putter *self)
{
    dbNotifyCancel(&self->notify);
    dbChannelDelete(self->notify.chan);
    epicsEventDestroy(self->done);
}

static void putAndWait(const char *pv)
{
    putter put;

    putBegin(&put, pv);
    testOk(putEnds(&put, PS_TEST_SEC), "a put with callback to %s ends", pv);
    putClear(&put);
}

/* ---- set up ---- */

static void addChild(const char *name, const char *program)
{
    const char *const argv[] = {program, "1000"};

    psTestSupAdd(sup, name, "wait", 2, argv);
}

static void setUp(bool supervised)
{
    sup = psTestSupCreate();
    addChild("one", "/bin/sleep");
    addChild("two", "/bin/sleep");
    psTestSupStart(sup);
    testdbPrepare();
    testdbReadDatabase("psAllTest.dbd", NULL, NULL);
    psAllTest_registerRecordDeviceDriver(pdbbase);
    psIocSetInsecure(true);
    psIocSetSup(supervised ? sup : NULL);
    testdbReadDatabase("psSystem.template", DB_PATH, "P=sup:");
    testIocInitOk();
}

static void tearDown(void)
{
    psTestSupEnd(sup);
    sup = NULL;
}

/* ---- tests ---- */

static void testNothing(void)
{
    testDiag("no supervisor");
    testdbGetFieldEqual("sup:CmdState.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("sup:CmdState.AMSG", DBR_STRING, "there is no supervisor");
    testdbPutFieldOk("sup:StartAll", DBR_LONG, 1);
    testdbGetFieldEqual("sup:StartAll.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("sup:StartAll.AMSG", DBR_STRING, "nothing is supervised");
    testdbGetFieldEqual("sup:StartAll", DBR_LONG, 0);
    testdbGetFieldEqual("sup:StartAll.PACT", DBR_LONG, 0);
}

static void testStagger(void)
{
    testDiag("Stagger");
    testdbGetFieldEqual("sup:Stagger", DBR_DOUBLE, 0.0);
    testdbGetFieldEqual("sup:Stagger.UDF", DBR_LONG, 0);
    putAndWait("sup:Stagger");
    testOk(psSupStagger(sup) == 1.0, "a put sets it");
    psTestBecomes("sup:Stagger_RBV", "1.0");
    psSupSetStagger(sup, 0.25);
    psTestBecomes("sup:Stagger_RBV", "0.3");
    double end = psTestNow() + PS_TEST_SEC;
    epicsFloat64 shown = 0;
    long count = 1;
    DBADDR addr;
    dbNameToAddr("sup:Stagger", &addr);
    while (shown != 0.25 && psTestNow() < end) {
        dbGetField(&addr, DBR_DOUBLE, &shown, NULL, &count, NULL);
        epicsThreadSleep(0.01);
    }
    testOk(shown == 0.25, "it follows a change made elsewhere");
    testdbPutFieldOk("sup:Stagger", DBR_DOUBLE, 5000.0);
    testOk(psSupStagger(sup) <= 3600, "and is kept in its range");
    psSupSetStagger(sup, 0);
}

static void testCommands(void)
{
    testDiag("commands");
    testdbGetFieldEqual("sup:CmdState", DBR_STRING, "Idle");
    testdbGetFieldEqual("sup:CmdState.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("sup:CmdSeq", DBR_LONG, 0);
    testdbPutFieldOk("sup:StartAll", DBR_LONG, 0);
    putAndWait("sup:StartAll");
    /* whoever has waited reads what it led to */
    testdbGetFieldEqual("sup:CmdState", DBR_STRING, "Done");
    testdbGetFieldEqual("sup:CmdLast", DBR_STRING, "StartAll");
    testdbGetFieldEqual("sup:CmdSeq", DBR_LONG, 1);
    testdbGetFieldEqual("sup:StartAll", DBR_LONG, 0);
    psTestBecomes("sup:CmdMsg.VAL$", "2 of 2 done");
    psTestBecomes("sup:CmdBy.VAL$", "unknown (access security is off)");
    testOk(statusOf("one").state == psStateRunning && statusOf("two").state == psStateRunning,
           "both run");
    testOk(strcmp(statusOf("two").cmd.by, "unknown (access security is off)") == 0,
           "each child shows who it was");
    putAndWait("sup:RestartAll");
    testOk(statusOf("two").starts == 2, "both were started again");
}

static void testFailure(void)
{
    testDiag("one cannot be started");
    addChild("bad", "/no/such/program");
    psSupStartAll(sup);
    waitState("bad", psStateWaiting);
    putAndWait("sup:StartAll");
    testdbGetFieldEqual("sup:CmdState", DBR_STRING, "Failed");
    testdbGetFieldEqual("sup:CmdState.SEVR", DBR_LONG, MINOR_ALARM);
    testdbGetFieldEqual("sup:StartAll.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("sup:StartAll.AMSG", DBR_STRING, "2 of 3 done, 1 failed; bad: cannot exe");
}

static void testSuperseded(void)
{
    putter older, newer;

    testDiag("a newer command ends an older one");
    psSupSetStagger(sup, 600);
    putBegin(&older, "sup:RestartAll");
    testOk(!putEnds(&older, 0.2), "a staggered restart takes its time");
    psTestBecomes("sup:CmdState", "Busy");
    putBegin(&newer, "sup:StopAll");
    testOk(putEnds(&older, PS_TEST_SEC), "the older one ends");
    testdbGetFieldEqual("sup:RestartAll.SEVR", DBR_LONG, INVALID_ALARM);
    testOk(putEnds(&newer, PS_TEST_SEC), "the newer one ends");
    testdbGetFieldEqual("sup:CmdState", DBR_STRING, "Done");
    testdbGetFieldEqual("sup:StopAll.SEVR", DBR_LONG, NO_ALARM);
    testOk(statusOf("one").state == psStateStopped && statusOf("two").state == psStateStopped,
           "all are stopped");
    putClear(&older);
    putClear(&newer);
}

static void testDetached(void)
{
    testDiag("the supervisor is taken away while the IOC runs");
    psIocSetSup(NULL);
    psTestBecomes("sup:CmdState.SEVR", "INVALID");
    testdbPutFieldOk("sup:StopAll", DBR_LONG, 1);
    testdbGetFieldEqual("sup:StopAll.AMSG", DBR_STRING, "nothing is supervised");
    psIocSetSup(sup);
    psTestBecomes("sup:CmdState", "Done");
}

MAIN(psAllTest)
{
    testPlan(50);
    setUp(false);
    testNothing();
    tearDown();
    setUp(true);
    testStagger();
    testCommands();
    testFailure();
    testSuperseded();
    testDetached();
    tearDown();
    return testDone();
}
