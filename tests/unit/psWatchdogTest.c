/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <sched.h>

#include <dbDefs.h>
#include <epicsTime.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psThread.h"
#include "model/psWatchdog.h"

#define SILENT_SEC 10.0
#define PV_SEC 4.0

static const double both[psWatchRuleCount] = {[psWatchSilent] = SILENT_SEC, [psWatchPv] = PV_SEC};

static void testNone(void)
{
    static const double none[psWatchRuleCount];
    psWatchdog dog;

    psWatchdogInit(&dog, none);
    testOk(!psWatchdogIsSet(&dog), "without a limit there is no watchdog");
    psWatchdogStart(&dog);
    testOk(!psWatchdogSign(&dog, psWatchSilent, 100), "a sign without a rule does nothing");
    testOk(psWatchdogDeadline(&dog) == HUGE_VAL && psWatchdogAge(&dog, 200) == 0,
           "nothing is ever due");
    testOk(psWatchdogCheck(&dog, 1e9) == psWatchdogSame, "it is never hung");
}

static void testSilent(void)
{
    psWatchdog dog;

    psWatchdogInit(&dog, both);
    testOk(psWatchdogIsSet(&dog) && !psWatchdogRunning(&dog), "it does not count yet");
    testOk(!psWatchdogSign(&dog, psWatchSilent, 99) && psWatchdogDeadline(&dog) == HUGE_VAL,
           "a sign of a process that does not run does not count");
    psWatchdogStart(&dog);
    testOk(psWatchdogSign(&dog, psWatchSilent, 100), "counting begins: the deadline is new");
    testOk(psWatchdogDeadline(&dog) == 110, "due at its limit");
    testOk(!psWatchdogSign(&dog, psWatchSilent, 107), "a later sign needs nobody");
    testOk(psWatchdogCheck(&dog, 110) == psWatchdogSame && psWatchdogDeadline(&dog) == 117,
           "whoever looks at the old deadline gets the new one");
    testOk(psWatchdogAge(&dog, 112) == 5, "the last sign is 5 s ago");
    testOk(psWatchdogCheck(&dog, 116.999) == psWatchdogSame, "not yet");
    testOk(psWatchdogCheck(&dog, 117) == psWatchdogHung && dog.hungBy == psWatchSilent, "hung");
    testOk(psWatchdogDeadline(&dog) == HUGE_VAL, "only a sign can change that");
    testOk(psWatchdogCheck(&dog, 500) == psWatchdogSame, "it is found hung once");
    testOk(psWatchdogSign(&dog, psWatchSilent, 501), "the sign that ends it is reported");
    testOk(psWatchdogCheck(&dog, 501) == psWatchdogRecovered, "recovered");
    testOk(psWatchdogDeadline(&dog) == 511, "and watched again");
}

static void testPv(void)
{
    psWatchdog dog;

    psWatchdogInit(&dog, both);
    psWatchdogStart(&dog);
    psWatchdogSign(&dog, psWatchSilent, 100);
    testOk(psWatchdogDeadline(&dog) == 110, "a PV that was never updated does not count");
    testOk(psWatchdogSign(&dog, psWatchPv, 101), "its first update is reported");
    testOk(psWatchdogDeadline(&dog) == 105, "from then on its limit counts");
    testOk(psWatchdogCheck(&dog, 105) == psWatchdogHung && dog.hungBy == psWatchPv,
           "hung by the rule that was over its limit first");
    psWatchdogSign(&dog, psWatchPv, 111);
    testOk(psWatchdogCheck(&dog, 111) == psWatchdogOther && dog.hungBy == psWatchSilent,
           "the PV is back, but the output was too late meanwhile: still hung");
    psWatchdogSign(&dog, psWatchSilent, 112);
    testOk(psWatchdogCheck(&dog, 112) == psWatchdogRecovered, "recovered once no rule is over");
    psWatchdogSign(&dog, psWatchPv, 113);
    psWatchdogStop(&dog);
    testOk(psWatchdogDeadline(&dog) == HUGE_VAL && psWatchdogAge(&dog, 120) == 0,
           "nothing counts any more");
    testOk(psWatchdogCheck(&dog, 1000) == psWatchdogSame, "what does not run cannot hang");
    psWatchdogStart(&dog);
    testOk(psWatchdogDeadline(&dog) == HUGE_VAL, "a new process begins with no sign at all");
}

static void testHungIsForgotten(void)
{
    psWatchdog dog;

    psWatchdogInit(&dog, both);
    psWatchdogStart(&dog);
    psWatchdogSign(&dog, psWatchSilent, 100);
    psWatchdogCheck(&dog, 120);
    psWatchdogStop(&dog);
    psWatchdogStart(&dog);
    testOk(psWatchdogCheck(&dog, 121) == psWatchdogSame, "the next process has not recovered");
}

/* ---- a sign of another thread, just as the limit is over ---- */

#define RACES 200000
#define RACES_SEC 5.0 /* on a machine that is busy, fewer */

static struct {
    psWatchdog dog;
    atomic_int round; /* the sign of this round is due; -1: no more */
    atomic_int given; /* the sign of this round was given */
    bool posted;      /* it asks for a look */
} race;

static void giveSigns(void *arg)
{
    int seen = 0, round;

    (void)arg;
    while ((round = race.round) >= 0) {
        if (round == seen) {
            sched_yield();
            continue;
        }
        seen = round;
        race.posted = psWatchdogSign(&race.dog, psWatchPv, 100 + PV_SEC);
        race.given = seen;
    }
}

/* Whatever the order, the process is alive, or somebody looks again. */
static void testRace(void)
{
    uint64_t end = epicsMonotonicGet() + (uint64_t)(RACES_SEC * 1e9);
    int lost = 0, found = 0, round = 0;

    psWatchdogInit(&race.dog, both);
    epicsThreadId thread =
        psThreadCreate("signs", epicsThreadPriorityMedium, epicsThreadStackSmall, giveSigns, NULL);
    if (!thread)
        testAbort("no thread");
    while (round < RACES && epicsMonotonicGet() < end) {
        psWatchdogStart(&race.dog);
        psWatchdogSign(&race.dog, psWatchPv, 100);
        race.round = ++round;
        psWatchdogCheck(&race.dog, 100 + PV_SEC);
        while (race.given != round)
            sched_yield();
        lost += race.dog.hung && !race.posted;
        found += race.dog.hung;
    }
    race.round = -1;
    epicsThreadMustJoin(thread);
    testDiag("%d rounds, hung in %d", round, found);
    testOk(lost == 0, "a sign is never lost: %d", lost);
}

/* Its limit may be longer than the machine has been up. */
static void testTrigger(void)
{
    static const double limits[psWatchRuleCount] = {[psWatchNotify] = 1000};
    psWatchdog dog;

    psWatchdogInit(&dog, limits);
    psWatchdogStart(&dog);
    psWatchdogSign(&dog, psWatchNotify, 50);
    psWatchdogTrigger(&dog);
    testOk(psWatchdogCheck(&dog, 51) == psWatchdogHung && dog.hungBy == psWatchNotify,
           "hung at once, as it says so itself");
    psWatchdogSign(&dog, psWatchNotify, 52);
    testOk(psWatchdogCheck(&dog, 52) == psWatchdogSame, "a sign does not take that back");
    psWatchdogStop(&dog);
    psWatchdogStart(&dog);
    psWatchdogSign(&dog, psWatchNotify, 60);
    testOk(psWatchdogCheck(&dog, 61) == psWatchdogSame, "it does not hold for the next process");
    psWatchdogInit(&dog, both);
    psWatchdogStart(&dog);
    psWatchdogTrigger(&dog);
    testOk(psWatchdogCheck(&dog, 62) == psWatchdogSame, "without a limit it means nothing");
}

MAIN(psWatchdogTest)
{
    testPlan(33);
    testRace();
    testNone();
    testSilent();
    testPv();
    testHungIsForgotten();
    testTrigger();
    return testDone();
}
