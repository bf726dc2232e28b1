/* SPDX-License-Identifier: EPICS */
#include "psIocScan.h"

static unsigned arm(psIocScan *scan, double pauseSec)
{
    scan->pauseSec = pauseSec > 0 ? pauseSec : 0;
    return psIocScanDoArm;
}

/* Something is to be shown and no scan is under way. */
static unsigned ask(psIocScan *scan, double now)
{
    if (now < scan->notBefore) {
        scan->state = psIocScanWaiting;
        return arm(scan, scan->notBefore - now);
    }
    scan->state = psIocScanAsking;
    scan->more = false;
    scan->fresh = true;
    scan->open = 0;
    scan->notBefore = now + scan->gapSec;
    return psIocScanDoAsk;
}

/* The records show what was taken. */
static unsigned decide(psIocScan *scan, double now)
{
    scan->shown = scan->taken;
    scan->state = psIocScanIdle;
    return scan->more ? ask(scan, now) : 0;
}

/* No head record is loaded, or none is on I/O Intr now, or a callback queue is full. */
static unsigned refused(psIocScan *scan, double now)
{
    scan->more = true;
    scan->state = psIocScanWaiting;
    scan->notBefore = now + scan->retrySec;
    scan->retrySec =
        scan->retrySec * 2 < PS_SCAN_RETRY_SEC ? scan->retrySec * 2 : PS_SCAN_RETRY_SEC;
    return arm(scan, scan->notBefore - now);
}

static unsigned asked(psIocScan *scan, double now, int count)
{
    if (scan->state != psIocScanAsking)
        return 0; /* stopped meanwhile */
    if (!count)
        return refused(scan, now);
    scan->retrySec = scan->gapSec;
    scan->open += count;
    if (scan->open) {
        scan->state = psIocScanScanning;
        return 0;
    }
    /* Complete already.  The caller may be any thread: the timer's reports it. */
    unsigned actions = decide(scan, now);

    scan->announce = true;
    return actions & psIocScanDoAsk ? actions : arm(scan, 0);
}

static unsigned complete(psIocScan *scan, double now)
{
    scan->open--;
    if (scan->state != psIocScanScanning || scan->open)
        return 0;
    return psIocScanDoShown | decide(scan, now);
}

static unsigned timer(psIocScan *scan, double now)
{
    unsigned actions = scan->announce ? psIocScanDoShown : 0;

    scan->announce = false;
    return scan->state == psIocScanWaiting ? actions | ask(scan, now) : actions;
}

static unsigned publish(psIocScan *scan, double now)
{
    scan->more = true;
    /* In Waiting the timer may be late: Base's go by wall time, which may be put back. */
    bool due = scan->state == psIocScanWaiting && now >= scan->notBefore;

    return scan->state == psIocScanIdle || due ? ask(scan, now) : 0;
}

static unsigned start(psIocScan *scan, double now)
{
    scan->state = psIocScanIdle;
    scan->retrySec = scan->gapSec;
    return psIocScanDoShown | publish(scan, now);
}

static void stop(psIocScan *scan)
{
    scan->state = psIocScanOff;
    scan->fresh = scan->announce = false;
}

unsigned psIocScanStep(psIocScan *scan, psIocScanEvent event, double now, int count)
{
    if (scan->state == psIocScanOff && event != psIocScanStart) {
        scan->more = scan->more || event == psIocScanPublish;
        return 0;
    }
    switch (event) {
    case psIocScanStart:
        return start(scan, now);
    case psIocScanStop:
        stop(scan);
        return 0;
    case psIocScanPublish:
        return publish(scan, now);
    case psIocScanTimer:
        return timer(scan, now);
    case psIocScanAsked:
        return asked(scan, now, count);
    case psIocScanComplete:
        return complete(scan, now);
    case psIocScanAnnounce:
        scan->announce = true;
        return arm(scan, 0);
    }
    return 0;
}

bool psIocScanRead(psIocScan *scan)
{
    bool take = scan->fresh;

    scan->fresh = false;
    return take;
}

void psIocScanTook(psIocScan *scan, uint32_t seq, bool more)
{
    scan->taken = seq;
    scan->more = scan->more || more;
}
