/* SPDX-License-Identifier: EPICS */
#include <signal.h>

#include <epicsThread.h>
#include <epicsTime.h>

#include "psIocHead.h"

/* Base lets a timer expire up to half a quantum (5 ms) early.  The machine would find the gap not
 * over and start the timer again, thousands of times until it is. */
static void startTimer(psIocHead *head, double pauseSec)
{
    if (pauseSec > 0)
        pauseSec += epicsThreadSleepQuantum() / 2;
    epicsTimerStartDelay(head->timer, pauseSec);
}

static int countBits(unsigned bits)
{
    int count = 0;

    for (; bits; bits >>= 1)
        count += bits & 1;
    return count;
}

static void handle(psIocHead *head, psIocScanEvent event)
{
    unsigned actions;
    int queued = 0;

    do {
        epicsMutexMustLock(head->lock);
        actions = psIocScanStep(&head->scan, event, (double)epicsMonotonicGet() * 1e-9, queued);
        uint32_t shown = head->scan.shown;
        double pauseSec = head->scan.pauseSec;
        epicsMutexUnlock(head->lock);
        if (actions & psIocScanDoShown && head->shown)
            head->shown(head, shown);
        if (actions & psIocScanDoArm)
            startTimer(head, pauseSec);
        if (actions & psIocScanDoAsk) {
            queued = countBits(scanIoRequest(head->list));
            event = psIocScanAsked;
        }
    } while (actions & psIocScanDoAsk);
}

/* Base calls this once for each priority: all head records of it have been processed, and all
 * that they forward to. */
static void scanComplete(void *user, IOSCANPVT list, int prio)
{
    (void)list;
    (void)prio;
    handle(user, psIocScanComplete);
}

static void timerExpired(void *user)
{
    handle(user, psIocScanTimer);
}

epicsTimerQueueId psIocHeadTimerQueue(void)
{
    static epicsTimerQueueId queue;
    sigset_t mask;

    if (!queue && pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0) {
        queue = epicsTimerQueueAllocate(0, epicsThreadPriorityScanHigh);
        /* Base returns from a thread that it could not create with all signals blocked. */
        pthread_sigmask(SIG_SETMASK, &mask, NULL);
    }
    return queue;
}

bool psIocHeadInit(psIocHead *head, epicsMutexId lock, double gapSec,
                   void (*shown)(psIocHead *head, uint32_t shown))
{
    epicsTimerQueueId queue = psIocHeadTimerQueue();

    head->lock = lock;
    head->scan.gapSec = gapSec;
    head->shown = shown;
    head->timer = queue ? epicsTimerQueueCreateTimer(queue, timerExpired, head) : NULL;
    return head->timer;
}

void psIocHeadClear(psIocHead *head)
{
    epicsTimerQueueDestroyTimer(psIocHeadTimerQueue(), head->timer);
    head->timer = NULL;
}

void psIocHeadReset(psIocHead *head)
{
    scanIoInit(&head->list);
    scanIoSetComplete(head->list, scanComplete, head);
}

void psIocHeadStart(psIocHead *head)
{
    handle(head, psIocScanStart);
}

void psIocHeadStop(psIocHead *head)
{
    handle(head, psIocScanStop);
    epicsTimerCancel(head->timer);
}

void psIocHeadPublish(psIocHead *head)
{
    handle(head, psIocScanPublish);
}

void psIocHeadTick(psIocHead *head)
{
    handle(head, psIocScanTimer);
}

void psIocHeadAnnounce(psIocHead *head)
{
    handle(head, psIocScanAnnounce);
}
