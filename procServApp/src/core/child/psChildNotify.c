/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "base/psLog.h"
#include "child/psChildNotify.h"
#include "child/psChildReady.h"
#include "child/psChildText.h"
#include "child/psChildWatch.h"
#include "model/psNotifyNews.h"

#define REFUSED_NOTICE_SEC 10.0

static void refuse(psChild *child, pid_t pid, const char *why)
{
    double now = psChildNow(child);

    child->notifyRefused++;
    if (now < child->notifyNoticeMono)
        return;
    child->notifyNoticeMono = now + REFUSED_NOTICE_SEC;
    if (child->notifyRefused > 1)
        psChildTextNotice(child,
                          "a notification of process %d is refused: %s (%u since the last "
                          "such line)",
                          (int)pid, why, child->notifyRefused);
    else
        psChildTextNotice(child, "a notification of process %d is refused: %s", (int)pid, why);
    child->notifyRefused = 0;
}

/* Of a sender that has been reaped before we read, the kernel keeps nothing but the user.  Helpers
 * that send and end are common, and whoever has our user could signal the child as well.
 * @return NULL: it may speak for the child */
static const char *problemWith(const psChild *child, psNotifySender sender)
{
    pid_t pid = sender.pid;

    if (pid <= 0)
        return "its sender is not known here";
    if (child->pid <= 0)
        return "there is no process of this child";
    if (pid == child->pid)
        return NULL;
    pid_t session = getsid(pid);
    if (session < 0 && errno == ESRCH)
        return sender.uid == geteuid() || sender.uid == 0 ? NULL
                                                          : "it has ended, and had another user";
    if (session < 0)
        return "its session is not known";
    return session == child->pid ? NULL : "it is not of the child's session";
}

static void take(psChild *child, const psNotifyNews *news)
{
    psReadiness *ready = &child->readiness;
    double now = psChildNow(child);
    bool isNew = false;

    if (news->hasStatus)
        isNew = psReadinessStatus(ready, news->status);
    if (news->reloading)
        isNew = psReadinessSaid(ready, psReadySaysReloading, now) || isNew;
    if (news->stopping)
        isNew = psReadinessSaid(ready, psReadySaysStopping, now) || isNew;
    if (news->ready)
        isNew = psReadinessSaid(ready, psReadySaysReady, now) || isNew;
    if (news->extendSec > 0)
        isNew = psReadinessExtend(ready, news->extendSec, now) || isNew;
    if (isNew)
        psChildReadyChanged(child);
    if (news->watchdogTrigger)
        psChildWatchTrigger(child);
    else if (news->watchdog || news->ready)
        psChildWatchSign(child, psWatchNotify);
}

static void received(void *ctx, psNotifySender sender, const char *bytes, size_t len)
{
    psChild *child = ctx;
    const char *problem = problemWith(child, sender);
    psNotifyNews news;

    if (problem)
        refuse(child, sender.pid, problem);
    else if (!bytes)
        refuse(child, sender.pid, "it is longer than 4096 bytes");
    else if (psNotifyNewsParse(bytes, len, &news))
        refuse(child, sender.pid, "it is no text");
    else
        take(child, &news);
}

int psChildNotifyInit(psChild *child, char *msg, size_t msgSize)
{
    if (child->cfg->readyRule != psReadyNotify && child->cfg->watchdogSec <= 0)
        return 0;
    int status = psNotifyOpen(&child->notify, received, child);
    if (status)
        epicsSnprintf(msg, msgSize, "%s: cannot open a socket for notifications: %s", child->name,
                      strerror(-status));
    return status;
}

void psChildNotifyClear(psChild *child)
{
    psNotifyClose(&child->notify);
}

/* A process that has just begun may send before we know its pid: that waits in the socket. */
void psChildNotifyFollow(psChild *child)
{
    psState state = child->machine.state;
    bool known = child->pid > 0 && state != psStateStarting;
    int status = psNotifyListen(&child->notify, child->loop, known);

    psLoopAssertInside(child->loop);
    if (status)
        psLogPrintf("%s: cannot watch the socket for notifications: %s", child->name,
                    strerror(-status));
}
