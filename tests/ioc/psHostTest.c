/* SPDX-License-Identifier: EPICS */
/* An IOC of somebody else that links the library: the rules of access security it may load, the
 * commands of its shell, and its end. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <asDbLib.h>
#include <asLib.h>
#include <dbAccess.h>
#include <dbUnitTest.h>
#include <epicsEvent.h>
#include <epicsExit.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <errlog.h>
#include <iocsh.h>
#include <testMain.h>

#include "psIocAccess.h"
#include "psIocSup.h"
#include "psTestSup.h"

#define DEADLINE_SEC 20.0
#define DB_PATH "../../../db:../../db:..:."

void psHostTest_registerRecordDeviceDriver(struct dbBase *);

/* ---- what errlog said ---- */

static struct {
    epicsMutexId lock;
    char text[16384];
    size_t len;
} said;

static void listener(void *arg, const char *message)
{
    epicsMutexMustLock(said.lock);
    size_t left = sizeof(said.text) - said.len;
    size_t len = strlen(message);

    if (len < left) {
        memcpy(said.text + said.len, message, len + 1);
        said.len += len;
    }
    epicsMutexUnlock(said.lock);
}

static void expectSaid(const char *part, bool wanted)
{
    errlogFlush();
    epicsMutexMustLock(said.lock);
    bool found = strstr(said.text, part);
    const char *again = found ? strstr(strstr(said.text, part) + 1, part) : NULL;
    testOk(found == wanted && !again, "errlog says \"%s\" %s", part,
           wanted ? "once" : "not at all");
    if (found != wanted)
        testDiag("it says: %s", said.text);
    epicsMutexUnlock(said.lock);
}

static void clearSaid(void)
{
    errlogFlush();
    epicsMutexMustLock(said.lock);
    said.len = 0;
    said.text[0] = '\0';
    epicsMutexUnlock(said.lock);
}

/* ---- helpers ---- */

static double now(void)
{
    return (double)epicsMonotonicGet() * 1e-9;
}

/* The pid of a child, when it runs; 0: the deadline has come, or it is not supervised. */
static int pidOf(const char *name)
{
    double end = now() + DEADLINE_SEC;
    psStatus status;

    do {
        psSup *sup = psIocSupTake();
        psChild *child = sup ? psSupFind(sup, name) : NULL;
        if (child)
            psSupStatus(child, &status);

        psIocSupRelease();
        if (child && status.state == psStateRunning)
            return status.pid;
        epicsThreadSleep(0.005);
    } while (now() < end);
    testDiag("%s does not run after %.0f s", name, DEADLINE_SEC);
    return 0;
}

static bool isGone(int pid)
{
    return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

/* May this user of this host write the record? */
static bool mayWrite(const char *user, const char *pv)
{
    ASCLIENTPVT client = NULL;
    char name[32], host[] = "ws3";

    epicsSnprintf(name, sizeof(name), "%s", user);
    asAddClient(&client, (ASMEMBERPVT)testdbRecordPtr(pv)->asp, 0, name, host);
    bool may = asCheckPut(client);
    asRemoveClient(&client);
    return may;
}

/* The IOC's record types and commands. */
static void prepare(void)
{
    testdbPrepare();
    testdbReadDatabase("psHostTest.dbd", "O.Common:../O.Common:.", NULL);
    psHostTest_registerRecordDeviceDriver(pdbbase);
}

static void setUp(const char *acf)
{
    clearSaid();
    testdbReadDatabase("psChild.template", DB_PATH, "P=one:,CHILD=one");
    testdbReadDatabase("psHostTest.db", DB_PATH, NULL);
    asSetFilename(acf);
    testIocInitOk();
}

static void tearDown(void)
{
    testIocShutdownOk();
    testdbCleanup();
}

/* ---- tests ---- */

/* Base's asInit hangs when it reads rules again in an isolated IOC: this is the part of it that
 * reads. */
static void testHostRules(void)
{
    testDiag("the rules for an IOC that has none of its own");
    testOk(!asInitFile("../../../db/procServHost.acf", "PS_USERS=ops,PS_HOSTS=ws3"),
           "they can be loaded");
    testOk(mayWrite("anybody", "host:Setpoint"), "the IOC's own records stay open");
    testOk(mayWrite("ops", "one:Restart"), "commands are open to PS_USERS");
    testOk(!mayWrite("anybody", "one:Restart"), "and to nobody else");
    testOk(!mayWrite("ops", "one:State"), "nobody writes status records");
    clearSaid();
    psIocAccessWarn(true);
    expectSaid("procServ:", false);
}

static void testAddLate(void)
{
    testDiag("procServAdd after iocInit");
    testOk(!iocshCmd("procServAdd late /bin/sleep 1000"), "is accepted");
    testOk(pidOf("late") > 0, "and begins its process");
    testOk(iocshCmd("procServAdd late /bin/cat") != 0, "the name is taken then");
}

static void testForeignRules(void)
{
    testDiag("rules that know nothing of ours");
    setUp("../psHostTest.acf");
    expectSaid("has no ASG(PS_RO): our status records are in DEFAULT, which lets nobody write",
               true);
    expectSaid("has no ASG(PS_CONSOLE)", true);
    expectSaid("has no ASG(PS_CMD)", false);
    expectSaid("ASG(PS_CMD) has a rule to WRITE without TRAPWRITE", true);
    expectSaid("ASG(DEFAULT) lets nobody write: 1 records of this IOC are read-only", true);
    testdbPutFieldOk("one:Reset", DBR_LONG, 1);
    double end = now() + DEADLINE_SEC;
    DBADDR addr;
    char by[MAX_STRING_SIZE] = "";
    long count = 1;
    if (dbNameToAddr("one:CmdBy", &addr))
        testAbort("no CmdBy");
    while (!by[0] && now() < end) {
        dbGetField(&addr, DBR_STRING, by, NULL, &count, NULL);
        epicsThreadSleep(0.005);
    }
    testOk(strcmp(by, "unknown (no TRAPWRITE)") == 0, "CmdBy claims nothing: %s", by);
}

static void testNoRules(void)
{
    testDiag("no rules");
    setUp(NULL);
    expectSaid("access security is not active: commands and settings are closed", true);
    testdbPutFieldFail(S_db_putDisabled, "one:Restart", DBR_LONG, 1);
}

/* ---- a command of the shell while the supervisor is taken away ---- */

/* The shell's output stands still until it may go on. */
static epicsEventId inside, goOn;
static atomic_bool takenAway;

static ssize_t slowWrite(void *cookie, const char *text, size_t size)
{
    epicsEventMustTrigger(inside);
    epicsEventMustWait(goOn);
    epicsEventMustTrigger(goOn);
    return (ssize_t)size;
}

static void reportThread(void *arg)
{
    FILE *out = fopencookie(NULL, "w", (cookie_io_functions_t){.write = slowWrite});

    setvbuf(out, NULL, _IONBF, 0);
    epicsSetThreadStdout(out);
    iocshCmd("procServReport 2");
    epicsSetThreadStdout(NULL);
    fclose(out);
}

static void takeThread(void *arg)
{
    psIocSetSup(NULL);
    takenAway = true;
}

static epicsThreadId startThread(const char *name, EPICSTHREADFUNC fn)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;

    opts.joinable = 1;
    epicsThreadId thread = epicsThreadCreateOpt(name, fn, NULL, &opts);
    if (!thread)
        testAbort("no thread");
    return thread;
}

static psSup *createSup(void)
{
    static const char *const argv[] = {"/bin/sleep", "1000"};
    psSup *sup = psTestSupCreate();

    psTestSupAdd(sup, "one", NULL, 2, argv);
    psTestSupStart(sup);
    return sup;
}

static void testTakenAway(void)
{
    psSup *sup = createSup();

    testDiag("the supervisor is taken away while the shell uses it");
    inside = epicsEventMustCreate(epicsEventEmpty);
    goOn = epicsEventMustCreate(epicsEventEmpty);
    psIocSetSup(sup);
    epicsThreadId reporter = startThread("report", reportThread);
    if (epicsEventWaitWithTimeout(inside, DEADLINE_SEC) != epicsEventOK)
        testAbort("procServReport writes nothing");
    epicsThreadId taker = startThread("take", takeThread);
    epicsThreadSleep(0.2); /* to see that it does not happen */
    testOk(!takenAway, "it is not, before the shell is done with it");
    epicsEventMustTrigger(goOn);
    epicsThreadMustJoin(reporter);
    epicsThreadMustJoin(taker);
    testOk(takenAway, "then it is");
    psSupShutdown(sup);
    testOk(psSupWait(sup, DEADLINE_SEC) >= 0, "it ends");
    psSupFree(sup);
    epicsEventDestroy(inside);
    epicsEventDestroy(goOn);
}

/* Everything that Base has registered for the exit ends with it: it comes last. */
static void testEnd(void)
{
    psSup *sup = psIocSupTake();

    testDiag("the end");
    double endSec = psIocSupEndSec(sup);
    psIocSupRelease();
    testOk(endSec > 200 && endSec < 230, "it may take both stages of the longest grace: %g s",
           endSec);
    int pid = pidOf("one");
    double before = now();
    epicsExitCallAtExits();
    testOk(isGone(pid), "the child has ended with the IOC");
    testOk(!psIocSupTake(), "there is no supervisor any more");
    psIocSupRelease();
    testOk(now() - before < DEADLINE_SEC, "it takes no longer than the children");
}

MAIN(psHostTest)
{
    testPlan(0);
    said.lock = epicsMutexMustCreate();
    errlogAddListener(listener, NULL);
    eltc(0);
    prepare();
    testTakenAway();
    testOk(!iocshCmd("procServAdd one --killsig TERM --grace 100 -- /bin/sleep 1000"),
           "procServAdd before iocInit");
    testNoRules();
    tearDown();
    prepare();
    testForeignRules();
    testHostRules();
    testAddLate();
    tearDown();
    testEnd();
    return testDone();
}
