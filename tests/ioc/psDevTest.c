/* SPDX-License-Identifier: EPICS */
/* Device support and template against the real supervisor.  Everything runs twice in one program:
 * scan lists, records and the supervisor of the first round are gone in the second. */
#include <math.h>
#include <signal.h>
#include <string.h>

#include <alarm.h>
#include <asDbLib.h>
#include <asLib.h>
#include <asTrapWrite.h>
#include <dbAccess.h>
#include <dbChannel.h>
#include <dbEvent.h>
#include <dbNotify.h>
#include <dbUnitTest.h>
#include <epicsEvent.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <testMain.h>

#include "psIoc.h"
#include "psTestDb.h"
#include "psTestSup.h"

#define TEMPLATE_PATH "../../../db:../../db"

void psDevTest_registerRecordDeviceDriver(struct dbBase *);

static psSup *sup;

/* ---- helpers ---- */

static long getLong(const char *pv)
{
    DBADDR addr;
    epicsInt32 value = -999999;
    long count = 1;

    if (dbNameToAddr(pv, &addr) || dbGetField(&addr, DBR_LONG, &value, NULL, &count, NULL))
        testDiag("cannot read %s", pv);
    return value;
}

static void getString(const char *pv, char *out)
{
    DBADDR addr;
    long count = 1;

    out[0] = '\0';
    if (dbNameToAddr(pv, &addr) || dbGetField(&addr, DBR_STRING, out, NULL, &count, NULL))
        testDiag("cannot read %s", pv);
}

/* Wait until it is so, or the deadline has come: records follow the supervisor. */
static bool waitLong(const char *pv, long wanted)
{
    double end = psTestNow() + PS_TEST_SEC;

    while (getLong(pv) != wanted) {
        if (psTestNow() > end) {
            testDiag("%s is %ld, not %ld, after %.0f s", pv, getLong(pv), wanted, PS_TEST_SEC);
            return false;
        }
        epicsThreadSleep(0.002);
    }
    return true;
}

static void expectLong(const char *pv, long wanted)
{
    testOk(waitLong(pv, wanted), "%s becomes %ld", pv, wanted);
}

static void expectString(const char *pv, const char *wanted)
{
    char value[MAX_STRING_SIZE];

    getString(pv, value);
    testOk(strcmp(value, wanted) == 0, "%s is \"%s\" (\"%s\")", pv, wanted, value);
}

static void putPlain(const char *pv, long value)
{
    testdbPutFieldOk(pv, DBR_LONG, value);
}

static psStatus statusOf(const char *name)
{
    psStatus st;

    memset(&st, 0, sizeof(st));
    psChild *child = psSupFind(sup, name);
    if (child)
        psSupStatus(child, &st);
    else
        testDiag("%s is not supervised", name);
    return st;
}

/* ---- a put with callback, as caput -c ---- */

static int putCallback(processNotify *notify, notifyPutType type)
{
    static const epicsInt32 one = 1;

    if (type == putDisabledType)
        return 0;
    return dbChannelPut(notify->chan, DBR_LONG, &one, 1) == 0;
}

static void doneCallback(processNotify *notify)
{
    epicsEventMustTrigger(notify->usrPvt);
}

static void putAndWait(const char *pv)
{
    epicsEventId done = epicsEventMustCreate(epicsEventEmpty);
    processNotify notify;

    memset(&notify, 0, sizeof(notify));
    notify.requestType = putProcessRequest;
    notify.chan = dbChannelCreate(pv);
    notify.putCallback = putCallback;
    notify.doneCallback = doneCallback;
    notify.usrPvt = done;
    if (!notify.chan || dbChannelOpen(notify.chan))
        testAbort("cannot open %s", pv);
    dbProcessNotify(&notify);
    testOk(epicsEventWaitWithTimeout(done, PS_TEST_SEC) == epicsEventOK,
           "a put with callback to %s ends", pv);
    dbNotifyCancel(&notify);
    dbChannelDelete(notify.chan);
    epicsEventDestroy(done);
}

/* ---- Seq, as a CA client follows it ---- */

typedef struct follower {
    dbChannel *chan;
    dbEventSubscription subscription;
    _Atomic int updates, gaps, last;
} follower;

static dbEventCtx events;

static void seqUpdate(void *user, struct dbChannel *chan, int remaining, struct db_field_log *log)
{
    follower *self = user;
    epicsInt32 value = 0;
    long count = 1;

    dbChannelGet(chan, DBR_LONG, &value, NULL, &count, log);
    if (self->updates && value != self->last + 1 && value != self->last)
        self->gaps++;
    self->last = value;
    self->updates++;
}

static void followStart(follower *self, const char *pv)
{
    events = db_init_events();
    if (db_start_events(events, "psDevTest", NULL, NULL, epicsThreadPriorityLow))
        testAbort("cannot start events");
    self->chan = dbChannelCreate(pv);
    if (!self->chan || dbChannelOpen(self->chan))
        testAbort("cannot open %s", pv);
    self->subscription = db_add_event(events, self->chan, seqUpdate, self, DBE_VALUE);
    db_event_enable(self->subscription);
}

static void followEnd(follower *self)
{
    db_cancel_event(self->subscription);
    dbChannelDelete(self->chan);
    db_close_events(events);
}

/* ---- set up and tear down ---- */

static void addChild(const char *name, const char *mode)
{
    static const char *const argv[] = {"/bin/sleep", "1000"};

    psTestSupAdd(sup, name, mode, 2, argv);
}

static void setUp(bool secured)
{
    sup = psTestSupCreate();
    addChild("one", "restrict");
    addChild("two", "wait");
    psTestSupStart(sup);
    testdbPrepare();
    testdbReadDatabase("psDevTest.dbd", "O.Common:../O.Common:.", NULL);
    psDevTest_registerRecordDeviceDriver(pdbbase);
    psIocSetInsecure(!secured);
    psIocSetSup(sup);
    testdbReadDatabase("psChild.template", TEMPLATE_PATH, "P=one:,CHILD=one");
    testdbReadDatabase("psChild.template", TEMPLATE_PATH, "P=two:,CHILD=two");
    testdbReadDatabase("psChild.template", TEMPLATE_PATH, "P=ghost:,CHILD=ghost");
    testdbReadDatabase("psDevTest.db", "..:.", NULL);
    asSetFilename(secured ? "../psDevTest.acf" : NULL);
    eltc(0); /* the bad links are reported */
    testIocInitOk();
    eltc(1);
}

static void tearDown(void)
{
    /* A command is under way when the records go: its end must find nothing of them. */
    putPlain("one:Restart", 1);
    psTestSupEnd(sup);
    sup = NULL;
}

/* ---- tests ---- */

static void testStatus(void)
{
    char text[MAX_STRING_SIZE];
    DBADDR addr;

    testDiag("status records");
    expectLong("one:State", psStateRunning);
    expectLong("twin:State", psStateRunning);
    psStatus st = statusOf("one");
    expectLong("one:Seq", (long)st.seq);
    expectLong("one:Pid", st.pid);
    expectLong("one:Running", 1);
    expectLong("one:Ready", 1);
    expectLong("one:Desired", 1);
    expectLong("one:Starts", 1);
    expectLong("one:Restarts", 0);
    expectLong("one:ExitClass", psExitNone);
    expectString("one:StartReason", "Boot");
    expectString("one:Name", "one");
    expectString("one:Cmd", "/bin/sleep 1000");
    getString("one:StartTime", text);
    testOk(strlen(text) == 25 && text[10] == 'T', "StartTime is ISO 8601: %s", text);
    expectLong("two:State", psStateWaiting);
    expectLong("two:Pid", 0);
    testdbGetFieldEqual("two:Pid.SEVR", DBR_LONG, NO_ALARM);

    dbNameToAddr("one:State", &addr);
    testOk(epicsTimeEqual(&addr.precord->time, &st.time), "State has the transition's time stamp");
    testdbGetFieldEqual("one:State.DESC", DBR_STRING, "What the process is doing");
    expectString("one:State.TSE", "-2");
}

static void testUnknown(void)
{
    testDiag("names without a child");
    testdbGetFieldEqual("ghost:State", DBR_LONG, psStateUnknown);
    testdbGetFieldEqual("ghost:State.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("ghost:Pid.SEVR", DBR_LONG, INVALID_ALARM);
    expectString("ghost:Pid.AMSG", "there is no child of that name");
    testdbPutFieldFail(-1, "bad:In.PROC", DBR_LONG, 1);
    testdbGetFieldEqual("bad:In.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("bad:In.PACT", DBR_LONG, 0);
    testdbPutFieldFail(-1, "bad:Long.PROC", DBR_LONG, 1);
    testdbGetFieldEqual("bad:Long.SEVR", DBR_LONG, INVALID_ALARM);
    putPlain("bad:Out", 1);
    testdbGetFieldEqual("bad:Out.STAT", DBR_LONG, WRITE_ALARM);
    testdbGetFieldEqual("bad:Out.PACT", DBR_LONG, 0);
    putPlain("ghost:Start", 1);
    testdbGetFieldEqual("ghost:Start.STAT", DBR_LONG, WRITE_ALARM);
    testdbGetFieldEqual("ghost:Start", DBR_LONG, 0);
    testdbGetFieldEqual("ghost:Start.PACT", DBR_LONG, 0);
}

static void testCommands(bool secured)
{
    char text[MAX_STRING_SIZE];
    long pid = getLong("one:Pid");
    long seq = getLong("one:CmdSeq");

    testDiag("commands");
    testdbGetFieldEqual("one:Restart.SEVR", DBR_LONG, NO_ALARM);
    putPlain("one:Restart", 0);
    putPlain("one:SignalNum", 0);
    testOk(getLong("one:CmdSeq") == seq, "0 is no command");

    putAndWait("one:Restart");
    testOk(statusOf("one").pid != pid, "then another process runs");
    expectLong("one:Restart", 0);
    expectLong("one:Restart.PACT", 0);
    expectLong("one:CmdState", psCmdDone);
    expectLong("one:Restarts", 1);
    expectString("one:CmdLast", "Restart");
    expectString("one:CmdBy", secured ? "local" : "unknown (access security is off)");
    expectString("one:StartReason", "Operator");

    putAndWait("one:Stop");
    expectLong("one:State", psStateStopped);
    expectLong("one:State.SEVR", MINOR_ALARM);
    expectLong("one:Desired", 0);
    expectLong("one:Uptime", 0);
    expectLong("one:ExitClass", psExitKilled);
    testdbGetFieldEqual("one:ExitClass.SEVR", DBR_LONG, NO_ALARM);
    getString("one:ExitMsg", text);
    testOk(strncmp(text, "killed by SIGKILL (9) after ", 28) == 0, "ExitMsg is \"%s\"", text);

    putPlain("one:SignalNum", 70);
    expectLong("one:CmdState", psCmdDenied);
    expectString("one:CmdMsg", "70 is outside 1...64");

    putPlain("one:Signal", SIGHUP);
    expectLong("one:Signal.STAT", WRITE_ALARM);
    expectLong("one:Signal", 0);
    expectLong("one:CmdState", psCmdFailed);
    expectLong("one:CmdState.SEVR", MINOR_ALARM);
    putAndWait("one:Start");
    expectLong("one:State", psStateRunning);
    expectLong("one:State.SEVR", NO_ALARM);
}

static void testThreePuts(void)
{
    testDiag("puts in quick succession");
    waitLong("one:Restart.PACT", 0);
    long restarts = getLong("one:Restarts");
    dbScanLock(testdbRecordPtr("one:Restart"));
    putPlain("one:Restart", 1);
    putPlain("one:Restart", 1);
    putPlain("one:Restart", 1);
    dbScanUnlock(testdbRecordPtr("one:Restart"));
    waitLong("one:Restart.PACT", 0);
    expectLong("one:CmdState", psCmdDone);
    expectLong("one:Restart", 0);
    expectLong("one:Restarts", restarts + 1);

    dbScanLock(testdbRecordPtr("one:SignalNum"));
    long seq = getLong("one:CmdSeq");
    putPlain("one:SignalNum", SIGCONT);
    putPlain("one:SignalNum", SIGWINCH);
    dbScanUnlock(testdbRecordPtr("one:SignalNum"));
    expectLong("one:CmdSeq", seq + 2);
    expectLong("one:SignalNum", 0);
    expectString("one:CmdLast", "Signal SIGWINCH");

    /* The first one is refused.  How it went is not shown any more when the second one is sent. */
    dbScanLock(testdbRecordPtr("one:SignalNum"));
    putPlain("one:SignalNum", 99);
    putPlain("one:SignalNum", SIGCONT);
    dbScanUnlock(testdbRecordPtr("one:SignalNum"));
    expectLong("one:CmdSeq", seq + 4);
    putAndWait("one:Reset"); /* its end is shown after theirs */
    testdbGetFieldEqual("one:SignalNum.SEVR", DBR_LONG, NO_ALARM);
    expectString("one:SignalNum.AMSG", "");
}

static void testSettings(void)
{
    psCommand cmd = {.verb = psVerbHoldoff, .value = 4, .reason = psReasonScript};
    double seconds = NAN;

    testDiag("settings");
    testdbGetFieldEqual("one:Grace", DBR_DOUBLE, 5.0);
    testdbGetFieldEqual("one:Grace.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("one:AutoRestart", DBR_LONG, psModeAlways);
    putPlain("one:Holdoff", 3);
    expectLong("one:Holdoff_RBV", 3);
    expectLong("one:Overridden", 1);
    expectLong("one:Overridden.SEVR", MINOR_ALARM);
    waitLong("one:Holdoff.PACT", 0);

    if (psSupSubmit(sup, psSupFind(sup, "one"), &cmd, NULL, NULL))
        testAbort("cannot submit");
    expectLong("one:Holdoff", 4);
    expectLong("one:Holdoff_RBV", 4);

    testdbPutFieldOk("one:Holdoff", DBR_DOUBLE, seconds);
    expectLong("one:Holdoff.STAT", WRITE_ALARM);
    expectLong("one:Holdoff", 4);
    putPlain("one:Holdoff", 0);
    expectLong("one:Holdoff_RBV", 0);
    expectLong("one:Holdoff.SEVR", NO_ALARM);
    expectString("one:Holdoff.AMSG", "");
    expectLong("one:Overridden", 0);

    putPlain("one:AutoRestart", psModeOnFailure);
    expectLong("one:AutoRestart_RBV", psModeOnFailure);
    putPlain("one:AutoRestart", psModeAlways);
    expectLong("one:AutoRestart_RBV", psModeAlways);
    putPlain("one:MaxRestarts", 2000);
    expectLong("one:MaxRestarts_RBV", 1000);
    waitLong("one:MaxRestarts.PACT", 0);
    putPlain("one:MaxRestarts", 0);
    expectLong("one:MaxRestarts_RBV", 0);
}

static void testCrash(void)
{
    static follower seq;
    long auto0 = getLong("one:AutoRestarts");
    epicsInt32 codes[2] = {0, 0};
    DBADDR addr;
    long count = 2;

    testDiag("crashes");
    memset(&seq, 0, sizeof(seq));
    followStart(&seq, "one:Seq");
    for (int i = 1; i <= 3; i++) {
        long pid = getLong("one:Pid");

        if (pid <= 0 || kill((pid_t)pid, SIGKILL))
            testAbort("one:Pid is %ld", pid);
        waitLong("one:AutoRestarts", auto0 + i);
        waitLong("one:State", psStateRunning);
    }
    expectLong("one:AutoRestarts", auto0 + 3);
    expectLong("one:Crashes", 3);
    expectLong("one:WindowCrashes", 3);
    expectLong("one:WindowCrashes.SEVR", MINOR_ALARM);
    expectLong("one:ExitClass", psExitSignal);
    expectLong("one:ExitSignal", SIGKILL);
    expectLong("one:ExitCode", -1);
    expectString("one:ExitSignalName", "SIGKILL");
    expectString("one:StartReason", "AutoRestart");
    dbNameToAddr("one:ExitHistCode", &addr);
    dbGetField(&addr, DBR_LONG, codes, NULL, &count, NULL);
    testOk(count == 2 && codes[0] == 128 + SIGKILL && codes[1] == codes[0],
           "history of exits: %d %d", codes[0], codes[1]);
    expectLong("one:Seq", (long)statusOf("one").seq);
    db_flush_extra_labor_event(events);
    testOk(seq.gaps == 0 && seq.updates > 3, "Seq shows no gap in %d updates", seq.updates);
    followEnd(&seq);
    putPlain("one:ResetCounters", 1);
    expectLong("one:Crashes", 0);
}

/* What a server does for a put of this user. */
static void putAs(const char *user, const char *pv, long value)
{
    dbChannel *chan = dbChannelCreate(pv);
    ASCLIENTPVT client = NULL;
    epicsInt32 number = (epicsInt32)value;
    char host[] = "ws3", name[32];

    if (!chan || dbChannelOpen(chan))
        testAbort("cannot open %s", pv);
    epicsSnprintf(name, sizeof(name), "%s", user);
    asAddClient(&client, (ASMEMBERPVT)dbChannelRecord(chan)->asp, 0, name, host);
    void *trap = asTrapWriteWithData(client, name, host, chan, DBR_LONG, 1, &number);
    dbChannelPutField(chan, DBR_LONG, &number, 1);
    asTrapWriteAfter(trap);
    asRemoveClient(&client);
    dbChannelDelete(chan);
}

static void testWho(void)
{
    long seq = getLong("one:CmdSeq");

    testDiag("who gave a command");
    putAs("ops", "one:SignalNum", SIGCONT);
    expectLong("one:CmdSeq", seq + 1);
    expectString("one:CmdBy", "ops@ws3");
    waitLong("one:SignalNum.PACT", 0);
    putAs("ops", "one:SignalNum", 0);
    putPlain("one:SignalNum", SIGCONT);
    expectLong("one:CmdSeq", seq + 2);
    expectString("one:CmdBy", "local");
}

static void testClosed(bool secured)
{
    testDiag("commands are closed by DISP while access security is not active");
    testdbGetFieldEqual("one:Start.DISP", DBR_LONG, 0);
    if (secured)
        return;
    psIocSetInsecure(false);
    expectLong("one:Start.DISP", 1);
    expectLong("one:Grace.DISP", 1);
    testdbPutFieldFail(S_db_putDisabled, "one:Start", DBR_LONG, 1);
    psIocSetInsecure(true);
    expectLong("one:Start.DISP", 0);
}

static void testClock(void)
{
    DBADDR addr;

    testDiag("what the clock changes");
    dbNameToAddr("one:Uptime", &addr);
    long before = getLong("one:Uptime");
    double end = psTestNow() + PS_TEST_SEC;
    while (getLong("one:Uptime") == before && psTestNow() < end)
        epicsThreadSleep(0.01);
    testOk(getLong("one:Uptime") > before, "Uptime counts");
}

static void playRound(bool secured)
{
    setUp(secured);
    testStatus();
    testUnknown();
    testCommands(secured);
    testThreePuts();
    testSettings();
    testCrash();
    if (secured)
        testWho();
    testClosed(secured);
    testClock();
    tearDown();
}

MAIN(psDevTest)
{
    testPlan(0);
    testDiag("with access security");
    playRound(true);
    testDiag("again, without");
    playRound(false);
    return testDone();
}
