/* SPDX-License-Identifier: EPICS */
/* Records of a child's console against the real supervisor: the second head, and lines that are
 * typed.  Everything runs twice in one program: nothing of the first round is used in the second.
 */
#include <string.h>

#include <alarm.h>
#include <asDbLib.h>
#include <asLib.h>
#include <asTrapWrite.h>
#include <dbAccess.h>
#include <dbChannel.h>
#include <dbEvent.h>
#include <dbUnitTest.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <testMain.h>

#include "psIoc.h"
#include "psTestDb.h"
#include "psTestSup.h"

#define TEMPLATE_PATH "../../../db:../../db"
#define TEXT39 "123456789012345678901234567890123456789"

void psConsoleDevTest_registerRecordDeviceDriver(struct dbBase *);

static psSup *sup;

/* ---- helpers ---- */

static void getText(const char *pv, char *out, long size)
{
    dbChannel *chan = dbChannelCreate(pv);
    long count = size - 1;

    memset(out, 0, (size_t)size);
    if (!chan || dbChannelOpen(chan) || dbChannelGetField(chan, DBR_CHAR, out, NULL, &count, NULL))
        testAbort("cannot read %s", pv);
    dbChannelDelete(chan);
}

static long getLong(const char *pv)
{
    DBADDR addr;
    epicsInt32 value = -999999;
    long count = 1;

    if (dbNameToAddr(pv, &addr) || dbGetField(&addr, DBR_LONG, &value, NULL, &count, NULL))
        testDiag("cannot read %s", pv);
    return value;
}

/* Wait until the text of a record contains this. */
static void expectText(const char *pv, const char *wanted)
{
    static char text[PS_TAIL_BYTES + 1];
    double end = psTestNow() + PS_TEST_SEC;

    do
        getText(pv, text, sizeof(text));
    while (!strstr(text, wanted) && psTestNow() < end && (epicsThreadSleep(0.005), true));
    testOk(strstr(text, wanted) != NULL, "%s shows \"%s\"", pv,
           wanted[0] == '\n' ? wanted + 1 : wanted);
    if (!strstr(text, wanted))
        testDiag("it is \"%s\"", text);
}

static void expectLong(const char *pv, long wanted)
{
    double end = psTestNow() + PS_TEST_SEC;

    while (getLong(pv) != wanted && psTestNow() < end)
        epicsThreadSleep(0.002);
    testOk(getLong(pv) == wanted, "%s becomes %ld (%ld)", pv, wanted, getLong(pv));
}

/* What a server does for a put of the user ops, or of anybody without access security. */
static void put(const char *pv, short type, const char *text)
{
    dbChannel *chan = dbChannelCreate(pv);
    ASCLIENTPVT client = NULL;
    char user[] = "ops", host[] = "ws3", value[PS_COMMAND_TEXT_BYTES] = "";
    long count = type == DBR_STRING ? 1 : (long)strlen(text) + 1;

    if (!chan || dbChannelOpen(chan))
        testAbort("cannot open %s", pv);
    epicsSnprintf(value, type == DBR_STRING ? MAX_STRING_SIZE : sizeof(value), "%s", text);
    asAddClient(&client, (ASMEMBERPVT)dbChannelRecord(chan)->asp, 0, user, host);
    void *trap = client ? asTrapWriteWithData(client, user, host, chan, type, count, value) : NULL;
    dbChannelPutField(chan, type, value, count);
    asTrapWriteAfter(trap);
    asRemoveClient(&client);
    dbChannelDelete(chan);
}

/* ---- a client that monitors ---- */

typedef struct follower {
    dbChannel *chan;
    dbEventSubscription subscription;
    _Atomic int updates;
} follower;

static dbEventCtx events;

static void countUpdate(void *user, dbChannel *chan, int left, db_field_log *log)
{
    follower *self = user;

    (void)chan;
    (void)left;
    (void)log;
    self->updates++;
}

/* As a client that monitors a record does. */
static void followStart(follower *self, const char *pv)
{
    *self = (follower){.chan = dbChannelCreate(pv)};
    if (!self->chan || dbChannelOpen(self->chan))
        testAbort("cannot open %s", pv);
    self->subscription = db_add_event(events, self->chan, countUpdate, self, DBE_VALUE);
    if (!self->subscription)
        testAbort("cannot follow %s", pv);
    db_event_enable(self->subscription);
}

static void followEnd(follower *self)
{
    db_cancel_event(self->subscription);
    dbChannelDelete(self->chan);
}

/* Wait for this number of updates.  @return how long that took, s */
static double waitUpdates(const follower *self, int count)
{
    int last = self->updates + count;
    double begin = psTestNow();

    while (self->updates < last && psTestNow() < begin + PS_TEST_SEC)
        epicsThreadSleep(0.002);
    return psTestNow() - begin;
}

/* ---- set up and tear down ---- */

static void addChild(const char *name, const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script};

    psTestSupAdd(sup, name, NULL, 3, argv);
}

static void setUp(bool secured)
{
    sup = psTestSupCreate();
    addChild("talk", "while sleep 0.02; do echo line $((i = i + 1)); done");
    addChild("listen", "stty -echo; echo ready; while read -r line; do echo \"<$line>\"; done");
    psTestSupStart(sup);
    testdbPrepare();
    testdbReadDatabase("psConsoleDevTest.dbd", "O.Common:../O.Common:.", NULL);
    psConsoleDevTest_registerRecordDeviceDriver(pdbbase);
    psIocSetSup(sup);
    testdbReadDatabase("psChildAll.template", TEMPLATE_PATH, "P=talk:,CHILD=talk,OUT_NELM=40");
    testdbReadDatabase("psChildAll.template", TEMPLATE_PATH, "P=listen:,CHILD=listen,IN_DISP=0");
    testdbReadDatabase("psConsole.template", TEMPLATE_PATH, "P=ghost:,CHILD=ghost");
    psIocSetInsecure(!secured);
    testdbReadDatabase("psCompat.template", TEMPLATE_PATH, "PC=old,CHILD=talk");
    asSetFilename(secured ? "../psDevTest.acf" : NULL); /* Base starts it once only */
    testIocInitOk();
    events = db_init_events();
    if (!events || db_start_events(events, "follow", NULL, NULL, epicsThreadPriorityLow))
        testAbort("cannot start events");
}

static void tearDown(void)
{
    db_close_events(events);
    psTestSupEnd(sup);
    sup = NULL;
}

/* ---- tests ---- */

/* Lines come all the time: the records of the console follow, and those of the status do not care.
 */
static void testHeads(void)
{
    follower out;
    char text[64];

    testDiag("two heads");
    expectText("talk:OutLast.VAL$", "line ");
    expectLong("talk:State", psStateRunning);
    long seq = getLong("talk:Seq");
    followStart(&out, "talk:Out");
    double took = waitUpdates(&out, 8);
    testOk(out.updates >= 8, "Out is updated while it is monitored");
    testOk(took > 6 * 0.2, "at most five times per second: %d times in %.3f s", (int)out.updates,
           took);
    testOk(getLong("talk:Seq") == seq, "none of them is a transition");
    followEnd(&out);

    getText("talk:Out", text, sizeof(text));
    testOk(strlen(text) < 40 && strlen(text) > 20 && strncmp(text, "line ", 5) == 0,
           "as many whole lines as OUT_NELM has room for (%lu bytes)", (unsigned long)strlen(text));
    expectLong("talk:Clients", 0);
    testdbGetFieldEqual("talk:Out.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("ghost:Out.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("ghost:OutLast.AMSG", DBR_STRING, "there is no child of that name");
}

/* It is not processed any more, so nobody looks at its monitors. */
static void testHidden(void)
{
    follower old, lines;
    int slow = 0;
    double begin = psTestNow();

    testDiag("a text that is monitored, but no longer shown");
    followStart(&old, "old:IOCOUT");
    followStart(&lines, "talk:OutLines");
    waitUpdates(&old, 2);
    double took = waitUpdates(&lines, 10);
    testOk(took < 8, "shown, it is worth more updates: 10 in %.3f s", took);
    testdbPutFieldOk("old:SHOWOUT", DBR_LONG, 0);
    while (slow < 3 && psTestNow() < begin + PS_TEST_SEC)
        slow = waitUpdates(&lines, 1) > 0.6 ? slow + 1 : 0;
    testOk(slow == 3, "hidden, it is not");
    followEnd(&lines);
    followEnd(&old);
}

static void testTyped(void)
{
    char text[PS_TAIL_BYTES];
    long seq = getLong("listen:CmdSeq");

    testDiag("lines that are typed");
    testdbGetFieldEqual("talk:In.DISP", DBR_LONG, 1);
    testdbGetFieldEqual("listen:In.DISP", DBR_LONG, 0);
    testdbPutFieldFail(S_db_putDisabled, "talk:In", DBR_STRING, "hello");
    expectText("listen:Out", "ready");
    put("listen:In", DBR_STRING, "");
    testOk(getLong("listen:CmdSeq") == seq, "an empty text is no command");
    put("listen:In", DBR_STRING, "hello");
    expectText("listen:Out", "\n<hello>");
    expectText("listen:Out", " ops@ws3 put listen:In hello");
    expectLong("listen:In.PACT", 0);
    testdbGetFieldEqual("listen:In", DBR_STRING, "");
    testdbGetFieldEqual("listen:CmdLast", DBR_STRING, "In");
    testdbGetFieldEqual("listen:CmdBy", DBR_STRING, "ops@ws3");

    put("listen:In", DBR_STRING, TEXT39 "0");
    expectLong("listen:CmdState", psCmdDenied);
    expectLong("listen:In.STAT", WRITE_ALARM);
    expectText("listen:CmdMsg.VAL$", "cut at 39 characters");
    put("listen:In.VAL$", DBR_CHAR, TEXT39);
    expectText("listen:Out", "\n<" TEXT39 ">");
    expectLong("listen:In.STAT", NO_ALARM);
    put("listen:In.VAL$", DBR_CHAR, TEXT39 "0" TEXT39);
    expectText("listen:OutLast.VAL$", "<" TEXT39 "0" TEXT39 ">");
    put("listen:In", DBR_STRING, "two\nlines");
    expectText("listen:CmdMsg.VAL$", "no control characters");
    expectLong("listen:In.PACT", 0);
    put("listen:In", DBR_STRING, "end");
    expectText("listen:OutLast.VAL$", "<end>");
    getText("listen:Out", text, sizeof(text));
    testOk(!strstr(text, "<two>") && !strstr(text, "<lines>"), "of two lines none is typed");
}

/* An output of a template that disables it stays so, whatever access security does. */
static void testShut(void)
{
    testDiag("without access security no more is open than by the template");
    testdbPutFieldOk("listen:Grace", DBR_DOUBLE, 4.0);
    expectLong("listen:Grace_RBV", 4);
    testdbGetFieldEqual("talk:In.DISP", DBR_LONG, 1);
}

static void testStopped(void)
{
    testDiag("a child that is stopped");
    put("listen:Stop", DBR_STRING, "Stop");
    expectLong("listen:State", psStateStopped);
    put("listen:In", DBR_STRING, "hello");
    expectLong("listen:CmdState", psCmdFailed);
    expectText("listen:CmdMsg.VAL$", "no process");
    expectLong("listen:In.SEVR", INVALID_ALARM);
}

MAIN(psConsoleDevTest)
{
    testPlan(0);
    testDiag("with access security");
    setUp(true);
    testHeads();
    testHidden();
    testTyped();
    testStopped();
    tearDown();
    testDiag("again, without");
    setUp(false);
    testHeads();
    testShut();
    testStopped();
    tearDown();
    return testDone();
}
