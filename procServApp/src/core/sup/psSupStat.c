/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "base/psLog.h"
#include "base/psThread.h"
#include "process/psInherit.h"
#include "process/psUsage.h"
#include "sup/psSupChildren.h"
#include "sup/psSupSpace.h"
#include "sup/psSupStat.h"

/* The file systems of the logs are looked at so often, and one that takes longer hangs. */
#define ASK_SEC 60.0
#define ANSWER_SEC 1.0      /* how soon it is looked whether they have answered */
#define FAILED_POLL_SEC 1.0 /* the kernel has no memory for a wait */

/* What was reported of a child. */
typedef struct reported {
    int missedPid; /* not seen in the pass before */
    int hiddenPid; /* reported as hidden */
    bool partly;   /* that a part of its values cannot be read */
} reported;

struct psSupStat {
    /* fixed after psSupStatStart */
    psSup *sup;
    double periodSec;
    int wakeFd; /* eventfd: look at what is wanted */
    epicsThreadId thread;
    epicsEventId ended; /* signalled as the thread's last deed */
    epicsMutexId lock;
    /* guarded by lock */
    bool wanted, quit;
    psSelfUsage self;
    psLogSpace space;
    /* thread only */
    double readAt, askAt, takeAt; /* when that is due; monotonic s */
    bool awaiting;                /* logs were asked for their space */
    psUsage *usage;
    psUsageTarget targets[PS_CHILDREN];
    psResources results[PS_CHILDREN];
    reported reported[PS_CHILDREN];
    int error; /* of /proc as a whole, reported last */
};

/* ---- what is reported ---- */

static const char *reasonOf(int error)
{
    return error == ENOTSUP ? "it is not mounted, or is that of another pid namespace"
                            : strerror(error);
}

static void reportAll(psSupStat *stat, int error)
{
    if (error == stat->error)
        return;
    stat->error = error;
    if (error)
        psLogPrintf("cannot read /proc: %s: what the children use is not known", reasonOf(error));
    else
        psLogPrintf("/proc can be read again");
}

/* Once may be by chance: it has just ended. */
static void reportHidden(reported *known, const psChild *child, int pid, int error)
{
    bool again = known->missedPid == pid;

    known->missedPid = error == ESRCH ? pid : 0;
    if (error != ESRCH || !again || known->hiddenPid == pid)
        return;
    known->hiddenPid = pid;
    psLogPrintf(
        "%s: process %d is not shown in /proc, perhaps by the mount option hidepid: what it "
        "uses is not known",
        psChildName(child), pid);
}

static void reportPartly(reported *known, const psChild *child, int pid, const psResources *result)
{
    int error = result->ioError ? result->ioError : result->fdError;

    if (!error || known->partly)
        return;
    known->partly = true;
    psLogPrintf("%s: /proc/%d/%s: %s: what it %s is not known", psChildName(child), pid,
                result->ioError ? "io" : "fd", strerror(error),
                result->ioError ? "reads and writes" : "has open");
}

/* ---- the thread ---- */

/* @return how many there are */
static int takeTargets(psSupStat *stat)
{
    psStatus status;
    psChild *child;
    int count = 0;

    for (; (child = psSupAt(stat->sup, count)); count++) {
        psUsageTarget *target = &stat->targets[count];

        *target = (psUsageTarget){0};
        if (!psFeedWanted(psChildFeed(child), psTopicResources))
            continue;
        psFeedNewest(psChildFeed(child), &status);
        target->pid = status.pid;
        target->startMono = status.startMono;
    }
    return count;
}

static void publish(psSupStat *stat, int count)
{
    const psClock *clock = stat->sup->options.clock;

    for (int i = 0; i < count; i++) {
        psChild *child = psSupAt(stat->sup, i);
        psResources *result = &stat->results[i];
        int pid = stat->targets[i].pid;

        if (!psFeedWanted(psChildFeed(child), psTopicResources))
            continue;
        if (!stat->error)
            reportHidden(&stat->reported[i], child, pid, result->error);
        reportPartly(&stat->reported[i], child, pid, result);
        psClockWall(clock, &result->time);
        psFeedPublishResources(psChildFeed(child), result);
    }
}

static void setSelf(psSupStat *stat, const psSelfUsage *self)
{
    epicsMutexMustLock(stat->lock);
    stat->self = *self;
    epicsMutexUnlock(stat->lock);
}

static void readAll(psSupStat *stat, double now)
{
    psSelfUsage self;
    int count = takeTargets(stat);
    int status = psUsageRead(stat->usage, now, stat->targets, count, stat->results, &self);

    reportAll(stat, -status);
    setSelf(stat, &self);
    publish(stat, count);
}

/* Logs are asked seldom: each of their threads wakes up for it. */
static void lookAtLogs(psSupStat *stat, double now)
{
    psLogSpace space;

    if (stat->awaiting && now >= stat->takeAt) {
        stat->takeAt = now + ANSWER_SEC;
        if (psSupSpaceTake(stat->sup, now >= stat->askAt, &space)) {
            stat->awaiting = false;
            epicsMutexMustLock(stat->lock);
            stat->space = space;
            epicsMutexUnlock(stat->lock);
        }
    }
    if (now >= stat->askAt) {
        psSupSpaceAsk(stat->sup);
        stat->awaiting = true;
        stat->askAt = now + ASK_SEC;
        stat->takeAt = now + ANSWER_SEC;
    }
}

/* @return ms until something is to be done next; -1: nothing is */
static int work(psSupStat *stat, bool wanted)
{
    double now = psClockMono(stat->sup->options.clock);

    if (!wanted) {
        stat->readAt = 0; /* at once, when it is wanted again */
        return -1;
    }
    if (stat->periodSec > 0 && now >= stat->readAt) {
        stat->readAt = now + stat->periodSec;
        readAll(stat, now);
    }
    lookAtLogs(stat, now);
    double next = stat->awaiting ? stat->takeAt : stat->askAt;
    if (stat->periodSec > 0 && stat->readAt < next)
        next = stat->readAt;
    double pauseSec = next - psClockMono(stat->sup->options.clock);
    return pauseSec > 0 ? (int)ceil(pauseSec * 1e3) : 0;
}

/* @return false: the thread is to end */
static bool isWanted(psSupStat *stat, bool *outWanted)
{
    epicsMutexMustLock(stat->lock);
    *outWanted = stat->wanted;
    bool quit = stat->quit;
    epicsMutexUnlock(stat->lock);
    return !quit;
}

static void statThread(void *arg)
{
    psSupStat *stat = arg;
    struct pollfd wake = {.fd = stat->wakeFd, .events = POLLIN};
    uint64_t count;
    bool wanted;

    psInheritSchedule(stat->sup->options.inherit);
    while (isWanted(stat, &wanted)) {
        int ready = poll(&wake, 1, work(stat, wanted));

        if (ready > 0 && read(stat->wakeFd, &count, sizeof(count)) < 0)
            ready = -1;
        if (ready < 0 && errno != EINTR && errno != EAGAIN)
            epicsThreadSleep(FAILED_POLL_SEC);
    }
    epicsEventMustTrigger(stat->ended);
}

/* ---- life ---- */

static void wake(psSupStat *stat)
{
    uint64_t one = 1;

    while (write(stat->wakeFd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

static void destroy(psSupStat *stat)
{
    if (stat->wakeFd >= 0)
        close(stat->wakeFd);
    if (stat->lock)
        epicsMutexDestroy(stat->lock);
    if (stat->ended)
        epicsEventDestroy(stat->ended);
    psUsageFree(stat->usage);
    free(stat);
}

psSupStat *psSupStatStart(psSup *sup, double periodSec)
{
    psSupStat *stat = calloc(1, sizeof(*stat));

    if (!stat)
        return NULL;
    stat->sup = sup;
    stat->periodSec = periodSec;
    stat->wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    stat->lock = epicsMutexCreate();
    stat->ended = epicsEventCreate(epicsEventEmpty);
    stat->usage = psUsageCreate(NULL);
    if (stat->wakeFd >= 0 && stat->lock && stat->ended && stat->usage)
        stat->thread = psThreadCreate("psStat", epicsThreadPriorityLow, epicsThreadStackMedium,
                                      statThread, stat);
    if (stat->thread)
        return stat;
    destroy(stat);
    return NULL;
}

void psSupStatWant(psSupStat *stat, bool wanted)
{
    epicsMutexMustLock(stat->lock);
    bool changed = stat->wanted != wanted;
    stat->wanted = wanted;
    epicsMutexUnlock(stat->lock);
    if (changed)
        wake(stat);
}

void psSupStatGet(psSupStat *stat, psSelfUsage *outSelf, psLogSpace *outSpace)
{
    epicsMutexMustLock(stat->lock);
    *outSelf = stat->self;
    *outSpace = stat->space;
    epicsMutexUnlock(stat->lock);
}

bool psSupStatStop(psSupStat *stat, double waitSec)
{
    if (!stat)
        return true;
    epicsMutexMustLock(stat->lock);
    stat->quit = true;
    epicsMutexUnlock(stat->lock);
    wake(stat);
    if (epicsEventWaitWithTimeout(stat->ended, waitSec) != epicsEventOK)
        return false;
    epicsThreadMustJoin(stat->thread);
    destroy(stat);
    return true;
}
