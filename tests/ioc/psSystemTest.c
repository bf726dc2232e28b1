/* SPDX-License-Identifier: EPICS */
/* The records of the supervisor as a whole, whose links name no child. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbUnitTest.h>
#include <epicsEvent.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <epicsVersion.h>
#include <errlog.h>
#include <initHooks.h>
#include <mbbiRecord.h>
#include <testMain.h>

#include "psCaRelay.h"
#include "psIoc.h"
#include "psIocAcf.h"
#include "psSup.h"
#include "psTestDb.h"

#define DB_PATH "../../../db:../../db:..:."

void psSystemTest_registerRecordDeviceDriver(struct dbBase *);

/* With '$' at the end of its name, all of a long string. */
static void testRelay(void)
{
    testdbGetFieldEqual("sup:CaRelay", DBR_STRING, "Off");
    testdbGetFieldEqual("sup:CaRelay.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("sup:CaRelay.UDF", DBR_LONG, 0);
    testdbGetFieldEqual("sup:CaSearches", DBR_LONG, 0);
    testdbGetFieldEqual("sup:CaDropped", DBR_LONG, 0);
    psTestBecomes("sup:CaRelayMsg.VAL$", "not started");
    psCaRelaySetOff("a reason");
    psTestBecomes("sup:CaRelayMsg.VAL$", "a reason");
    testdbPutFieldFail(S_db_putDisabled, "sup:CaSearches", DBR_LONG, 1);
}

static epicsInt32 numberOf(const char *name)
{
    epicsInt32 number = 0;
    DBADDR addr;

    if (dbNameToAddr(name, &addr) || dbGetField(&addr, DBR_LONG, &number, NULL, NULL, NULL))
        testAbort("no %s", name);
    return number;
}

static void awaitAtLeast(const char *name, epicsInt32 wanted)
{
    double end = psTestNow() + PS_TEST_SEC;

    while (numberOf(name) < wanted && psTestNow() < end)
        epicsThreadSleep(0.005);
    testOk(numberOf(name) >= wanted, "%s is at least %d", name, (int)wanted);
}

static void testWithoutSupervisor(void)
{
    char pid[20];

    epicsSnprintf(pid, sizeof(pid), "%d", (int)getpid());
    testdbGetFieldEqual("sup:Version", DBR_STRING, PS_VERSION);
    testdbGetFieldEqual("sup:BaseVersion", DBR_STRING, EPICS_VERSION_SHORT);
    testdbGetFieldEqual("sup:ApiLevel", DBR_LONG, 1);
    testdbGetFieldEqual("sup:SupPid", DBR_STRING, pid);
    testdbGetFieldEqual("sup:Version.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("sup:Heartbeat.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("sup:LoopMax.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("sup:AnyAlarm.SEVR", DBR_LONG, INVALID_ALARM);
    psTestBecomes("sup:NumChildren.AMSG", "there is no supervisor");
    testdbGetFieldEqual("sup:SupRss.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("sup:LogDiskFree.SEVR", DBR_LONG, INVALID_ALARM);
}

static psSup *addSupervisor(void)
{
    const char *const argv[] = {"/does/not/exist", NULL};
    psSupOptions options;
    char msg[PS_TEXT_BYTES];

    psSupOptionsDefault(&options);
    psSup *sup = psSupCreate(&options);
    psConfig *cfg = psConfigCreate();
    if (!sup || !cfg || psConfigSet(cfg, "name", "one", msg, sizeof(msg)) ||
        psConfigSet(cfg, "max-restarts", "1", msg, sizeof(msg)) ||
        psConfigSetCommand(cfg, 1, argv) || psSupAddChild(sup, cfg, msg, sizeof(msg)))
        testAbort("no supervisor with a child");
    psConfigFree(cfg);
    psIocSetSup(sup);
    psIocBegin();
    if (psSupStart(sup))
        testAbort("psSupStart");
    return sup;
}

static void testSupervisor(void)
{
    psSup *sup = addSupervisor();

    awaitAtLeast("sup:Heartbeat", 2);
    testdbGetFieldEqual("sup:Heartbeat.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("sup:NumChildren", DBR_LONG, 1);
    testdbGetFieldEqual("sup:NumRunning", DBR_LONG, 0);
    awaitAtLeast("sup:NumAlarm", 1);
    psTestBecomes("sup:AnyAlarm", "Alarm");
    testdbGetFieldEqual("sup:AnyAlarm.SEVR", DBR_LONG, MAJOR_ALARM);
    awaitAtLeast("sup:SupUptime", 1);
    awaitAtLeast("sup:SupThreads", 2);
    awaitAtLeast("sup:LogDiskFree", 100); /* no log is a file */
    testdbGetFieldEqual("sup:LogDiskFree.SEVR", DBR_LONG, NO_ALARM);
    testdbGetFieldEqual("sup:LoopMax.SEVR", DBR_LONG, NO_ALARM);
    psIocSetSup(NULL);
    psTestBecomes("sup:NumChildren.AMSG", "there is no supervisor");
    psSupShutdown(sup);
    psSupWait(sup, PS_TEST_SEC);
    psSupFree(sup);
}

/* An IOC that has no rules, and nothing to say of how they are loaded. */
static void testAccess(void)
{
    psTestBecomes("sup:AcfState", "None");
    testdbGetFieldEqual("sup:AcfState.SEVR", DBR_LONG, MINOR_ALARM);
    testdbGetFieldEqual("sup:AcfReload.DISP", DBR_LONG, 1);
    psIocSetAccessError("a reason");
    psTestBecomes("sup:AcfState", "Error");
    testdbGetFieldEqual("sup:AcfState.SEVR", DBR_LONG, MAJOR_ALARM);
    psTestBecomes("sup:AcfState.AMSG", "a reason");
    psIocSetAccessError(NULL);
    psTestBecomes("sup:AcfState", "None");
}

/* ---- loading the rules again ---- */

#define RELOADS 30
#define SLACK_KB 16000 /* each thread that is not joined keeps its stack of 2 MiB or more */

static epicsEventId reloaded;
static epicsEventId ending; /* the IOC is being shut down */
static atomic_bool waits;   /* a reload lasts until then, and a little longer */
static atomic_bool over;    /* such a reload has ended */

static int reload(void *ctx, char *msg, size_t msgSize)
{
    (void)ctx;
    (void)msg;
    (void)msgSize;
    if (waits) {
        epicsEventMustWait(ending);
        epicsThreadSleep(0.2); /* what it is about when the shutdown comes */
        over = true;
    }
    return 0;
}

static const psIocAccessOps accessOps = {.reload = reload};

static void hook(initHookState state)
{
    if (state == initHookAtShutdown)
        epicsEventMustTrigger(ending);
}

static void reloadDone(void *ctx, psCmdState how, const char *msg)
{
    (void)ctx;
    (void)how;
    (void)msg;
    epicsEventMustTrigger(reloaded);
}

static int askForReload(void)
{
    psCommand cmd = {.by = "psSystemTest"};

    return psIocAcfReload(&cmd, reloadDone, NULL);
}

static long addressSpaceKb(void)
{
    char line[200];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && fgets(line, sizeof(line), file) && sscanf(line, "VmSize: %ld", &kb) != 1)
        ;
    if (file)
        fclose(file);
    return kb;
}

static void testReloads(void)
{
    int good = 0;

    long before = addressSpaceKb();
    for (int i = 0; i < RELOADS; i++)
        good += !askForReload() && !epicsEventWaitWithTimeout(reloaded, PS_TEST_SEC);
    long grown = addressSpaceKb() - before;
    testOk(good == RELOADS, "%d of %d reloads", good, RELOADS);
    testOk(grown < SLACK_KB, "they leave no thread behind: %ld kB", grown);
    waits = true;
    testOk(!askForReload(), "one is under way at the shutdown");
    testOk(askForReload() == -EALREADY, "no other one is begun meanwhile");
}

static void testBadLinks(void)
{
    testdbGetFieldEqual("bad:1.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("bad:2.SEVR", DBR_LONG, INVALID_ALARM);
    testdbGetFieldEqual("bad:3.SEVR", DBR_LONG, INVALID_ALARM);
}

MAIN(psSystemTest)
{
    testPlan(47);
    reloaded = epicsEventMustCreate(epicsEventEmpty);
    ending = epicsEventMustCreate(epicsEventEmpty);
    initHookRegister(hook); /* before that of device support, which is called later */
    testdbPrepare();
    testdbReadDatabase("psSystemTest.dbd", NULL, NULL);
    psSystemTest_registerRecordDeviceDriver(pdbbase);
    testdbReadDatabase("psSystem.template", DB_PATH, "P=sup:");
    testdbReadDatabase("psSystemTest.db", DB_PATH, NULL);
    eltc(0); /* bad links are reported */
    testIocInitOk();
    eltc(1);
    testRelay();
    testBadLinks();
    testAccess();
    psIocSetAccessOps(&accessOps);
    testWithoutSupervisor();
    testSupervisor();
    testReloads();
    testIocShutdownOk();
    testOk(over, "the shutdown waits for a reload");
    testdbCleanup();
    return testDone();
}
