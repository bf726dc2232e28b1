/* SPDX-License-Identifier: EPICS */
/* The machine of a paced scan, event by event, under a clock of our own. */
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psIocScan.h"

#define GAP 0.002

static psIocScan scan;

static void begin(const char *what)
{
    testDiag("%s", what);
    memset(&scan, 0, sizeof(scan));
    scan.gapSec = GAP;
}

static void expect(psIocScanEvent event, double now, int count, unsigned actions,
                   psIocScanState state, const char *what)
{
    unsigned got = psIocScanStep(&scan, event, now, count);

    testOk(got == actions && scan.state == state, "%s: actions %u (%u), state %d (%d)", what, got,
           actions, (int)scan.state, (int)state);
}

static void expectPause(double wanted)
{
    testOk(scan.pauseSec > wanted - 1e-9 && scan.pauseSec < wanted + 1e-9, "in %g s (%g)",
           scan.pauseSec, wanted);
}

/* Started at 0 and shown once; the time is long after the gap. */
static void beginIdle(const char *what)
{
    begin(what);
    psIocScanStep(&scan, psIocScanStart, 0, 0);
    psIocScanStep(&scan, psIocScanAsked, 0, 1);
    psIocScanRead(&scan);
    psIocScanTook(&scan, 1, false);
    expect(psIocScanComplete, 0.1, 0, psIocScanDoShown, psIocScanIdle, "what there is is shown");
    testOk(scan.shown == 1, "transition 1 is shown");
}

static void testOff(void)
{
    begin("Off");
    for (int event = psIocScanStop; event <= psIocScanAnnounce; event++)
        expect((psIocScanEvent)event, 1, 1, 0, psIocScanOff, "an event does nothing");
    testOk(!psIocScanRead(&scan), "a read takes nothing");
    expect(psIocScanStart, 1, 0, psIocScanDoShown | psIocScanDoAsk, psIocScanAsking,
           "a start shows what there is");
}

static void testOneScan(void)
{
    beginIdle("one scan");
    expect(psIocScanPublish, 1, 0, psIocScanDoAsk, psIocScanAsking, "a publication asks at once");
    expect(psIocScanAsked, 1, 1, 0, psIocScanScanning, "accepted");
    testOk(psIocScanRead(&scan), "the first read takes");
    psIocScanTook(&scan, 2, false);
    testOk(!psIocScanRead(&scan), "another read of the same scan does not");
    testOk(scan.shown == 1, "not shown before all is processed");
    expect(psIocScanComplete, 1.001, 0, psIocScanDoShown, psIocScanIdle, "complete");
    testOk(scan.shown == 2, "transition 2 is shown");
    expect(psIocScanTimer, 1.002, 0, 0, psIocScanIdle, "a timer does nothing then");
    testOk(!psIocScanRead(&scan), "nor does a read");
}

static void testGap(void)
{
    beginIdle("the gap");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    psIocScanStep(&scan, psIocScanAsked, 1, 1);
    expect(psIocScanPublish, 1.0005, 0, 0, psIocScanScanning, "published during a scan");
    expect(psIocScanComplete, 1.001, 0, psIocScanDoShown | psIocScanDoArm, psIocScanWaiting,
           "the next one waits");
    expectPause(0.001);
    expect(psIocScanPublish, 1.0011, 0, 0, psIocScanWaiting, "a publication does not hurry it");
    expect(psIocScanTimer, 1.0015, 0, psIocScanDoArm, psIocScanWaiting, "a timer that is early");
    expectPause(0.0005);
    expect(psIocScanTimer, 1 + GAP, 0, psIocScanDoAsk, psIocScanAsking, "the gap is over");
    psIocScanStep(&scan, psIocScanAsked, 1 + GAP, 1);
    psIocScanRead(&scan);
    psIocScanTook(&scan, 2, true);
    expect(psIocScanComplete, 2, 0, psIocScanDoShown | psIocScanDoAsk, psIocScanAsking,
           "more is waiting, and the gap is over: at once");

    beginIdle("a timer that is late");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    psIocScanStep(&scan, psIocScanAsked, 1, 1);
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    expect(psIocScanComplete, 1.001, 0, psIocScanDoShown | psIocScanDoArm, psIocScanWaiting,
           "waits");
    expect(psIocScanPublish, 1.1, 0, psIocScanDoAsk, psIocScanAsking, "a publication helps");
}

static void testPriorities(void)
{
    beginIdle("records of two priorities");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    expect(psIocScanAsked, 1, 2, 0, psIocScanScanning, "two are queued");
    testOk(psIocScanRead(&scan) && !psIocScanRead(&scan), "they take one transition");
    psIocScanTook(&scan, 2, false);
    expect(psIocScanComplete, 1.1, 0, 0, psIocScanScanning, "one is complete");
    testOk(scan.shown == 1, "not all show it");
    expect(psIocScanComplete, 1.2, 0, psIocScanDoShown, psIocScanIdle, "both are");
    testOk(scan.shown == 2, "all show it");
}

static void testCompleteWhileAsking(void)
{
    beginIdle("complete before the request has returned");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    psIocScanRead(&scan);
    psIocScanTook(&scan, 2, false);
    expect(psIocScanComplete, 1, 0, 0, psIocScanAsking, "complete");
    expect(psIocScanAsked, 1, 1, psIocScanDoArm, psIocScanIdle, "the timer is to report it");
    expectPause(0);
    testOk(scan.shown == 2, "transition 2 is shown");
    expect(psIocScanTimer, 1, 0, psIocScanDoShown, psIocScanIdle, "which it does");
    expect(psIocScanTimer, 1, 0, 0, psIocScanIdle, "once");

    beginIdle("the same, and more is waiting");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    psIocScanRead(&scan);
    psIocScanTook(&scan, 2, true);
    psIocScanStep(&scan, psIocScanComplete, 1, 0);
    expect(psIocScanAsked, 1, 1, psIocScanDoArm, psIocScanWaiting, "report it, then wait");
    expectPause(0);
    expect(psIocScanTimer, 1, 0, psIocScanDoShown | psIocScanDoArm, psIocScanWaiting, "reported");
    expectPause(GAP);
}

static void testRefused(void)
{
    double now = 1, pause = GAP;

    beginIdle("refused: no record is on I/O Intr, or a queue is full");
    psIocScanStep(&scan, psIocScanPublish, now, 0);
    for (int i = 0; i < 12; i++) {
        expect(psIocScanAsked, now, 0, psIocScanDoArm, psIocScanWaiting, "refused");
        expectPause(pause);
        now += pause;
        expect(psIocScanTimer, now, 0, psIocScanDoAsk, psIocScanAsking, "again");
        pause = pause * 2 < PS_SCAN_RETRY_SEC ? pause * 2 : PS_SCAN_RETRY_SEC;
    }
    expect(psIocScanAsked, now, 1, 0, psIocScanScanning, "accepted");
    psIocScanStep(&scan, psIocScanPublish, now, 0);
    psIocScanStep(&scan, psIocScanComplete, now + 1, 0);
    expect(psIocScanAsked, now + 1, 0, psIocScanDoArm, psIocScanWaiting, "refused later");
    expectPause(GAP);
}

static void testAnnounce(void)
{
    beginIdle("report once more");
    expect(psIocScanAnnounce, 1, 0, psIocScanDoArm, psIocScanIdle, "by the timer");
    expectPause(0);
    expect(psIocScanTimer, 1, 0, psIocScanDoShown, psIocScanIdle, "reported");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    expect(psIocScanAnnounce, 1, 0, psIocScanDoArm, psIocScanAsking, "while asking");
    psIocScanStep(&scan, psIocScanAsked, 1, 1);
    expect(psIocScanTimer, 1, 0, psIocScanDoShown, psIocScanScanning, "does not disturb a scan");
}

static void testStop(void)
{
    beginIdle("stop while asking");
    psIocScanStep(&scan, psIocScanPublish, 1, 0);
    expect(psIocScanStop, 1, 0, 0, psIocScanOff, "stopped");
    testOk(!psIocScanRead(&scan), "a read takes nothing any more");
    expect(psIocScanAsked, 1, 1, 0, psIocScanOff, "the request comes back");
    expect(psIocScanComplete, 1, 0, 0, psIocScanOff, "and is complete");
    expect(psIocScanPublish, 1, 0, 0, psIocScanOff, "published meanwhile");
    expect(psIocScanStart, 5, 0, psIocScanDoShown | psIocScanDoAsk, psIocScanAsking,
           "the next IOC begins anew");
    expect(psIocScanAsked, 5, 1, 0, psIocScanScanning, "one is queued, as counted from 0");
    expect(psIocScanComplete, 5.1, 0, psIocScanDoShown, psIocScanIdle, "complete");
}

MAIN(psIocScanTest)
{
    testPlan(0);
    testOff();
    testOneScan();
    testGap();
    testPriorities();
    testCompleteWhileAsking();
    testRefused();
    testAnnounce();
    testStop();
    return testDone();
}
