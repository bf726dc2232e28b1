/* SPDX-License-Identifier: EPICS */
/* The records are processed by the clock's own thread: one wake-up per second for all of them.
 * Base's timers go by wall time, and one that was set before the time was put back by an hour
 * would be due in an hour: they are used where there is no thread to be had. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <callback.h>
#include <epicsTime.h>
#include <epicsTimer.h>
#include <errlog.h>

#include "psIocClock.h"
#include "psIocHead.h"
#include "psThread.h"

#define MIN_PAUSE_MS 300 /* less, and the last tick came a little early */

/* Thread: the one that runs iocInit; fixed while the clock runs. */
static struct {
    IOSCANPVT list;
    void (*tick)(void);
    epicsThreadId thread; /* NULL: none, the timer serves */
    int stopFd;           /* eventfd, readable: end the thread */
    epicsTimerId timer;   /* NULL: none */
    atomic_bool stopping; /* the timer must not start itself again */
} pvt;

/* @return ms to the next whole second */
static int pauseMs(void)
{
    epicsTimeStamp wall = {0, 0};

    if (epicsTimeGetCurrent(&wall))
        return 1000; /* no clock: the pace is what counts */
    int pause = 1000 - (int)(wall.nsec / 1000000);
    return pause < MIN_PAUSE_MS ? pause + 1000 : pause;
}

static void scanAll(void)
{
    pvt.tick();
    for (int prio = 0; prio < NUM_CALLBACK_PRIORITIES; prio++)
        scanIoImmediate(pvt.list, prio);
}

static void clockThread(void *arg)
{
    struct pollfd stop = {.fd = pvt.stopFd, .events = POLLIN};
    int ready;

    (void)arg;
    while ((ready = poll(&stop, 1, pauseMs())) <= 0)
        if (ready == 0)
            scanAll();
        else if (errno != EINTR)
            epicsThreadSleep(1.0); /* the kernel has no memory: later */
}

static void timerExpired(void *arg)
{
    (void)arg;
    scanAll();
    if (!pvt.stopping)
        epicsTimerStartDelay(pvt.timer, pauseMs() / 1000.0);
}

void psIocClockReset(void)
{
    scanIoInit(&pvt.list);
}

IOSCANPVT psIocClockScan(void)
{
    return pvt.list;
}

static bool startThread(void)
{
    pvt.stopFd = eventfd(0, EFD_CLOEXEC);
    if (pvt.stopFd < 0)
        return false;
    pvt.thread = psThreadCreate("psClock", epicsThreadPriorityScanLow, epicsThreadStackMedium,
                                clockThread, NULL);
    if (!pvt.thread)
        close(pvt.stopFd);
    return pvt.thread;
}

static void startTimer(void)
{
    epicsTimerQueueId queue = psIocHeadTimerQueue();

    errlogPrintf("procServ: cannot create the thread for updates once per second; using a timer\n");
    if (queue && !pvt.timer)
        pvt.timer = epicsTimerQueueCreateTimer(queue, timerExpired, NULL);
    pvt.stopping = false;
    if (pvt.timer)
        epicsTimerStartDelay(pvt.timer, pauseMs() / 1000.0);
}

void psIocClockStart(void (*tick)(void))
{
    pvt.tick = tick;
    if (!startThread())
        startTimer();
}

static void stopThread(void)
{
    uint64_t one = 1;

    while (write(pvt.stopFd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    epicsThreadMustJoin(pvt.thread);
    pvt.thread = NULL;
    close(pvt.stopFd);
}

static void stopTimer(void)
{
    pvt.stopping = true;
    epicsTimerCancel(pvt.timer); /* waits for a scan that is under way, which may start it again */
    epicsTimerCancel(pvt.timer);
}

void psIocClockStop(void)
{
    if (pvt.thread)
        stopThread();
    if (pvt.timer)
        stopTimer();
    pvt.list = NULL; /* Base may free it now */
}
