/* SPDX-License-Identifier: EPICS */
/*
 * The process of a child: how it starts, and how it ends.  What happens is reported as an event
 * (psChild.happened); what to do about it is asked of us by psChildStep.
 *
 * The end of a process takes this order (docs/design.md "Exit of a process"): its zombie is seen,
 * the rest of its group is killed, the terminal is read until it is empty, the end is announced,
 * the terminal is closed, the zombie is reaped.  After a stop that somebody asked for, all this
 * waits until no live process of the session is left, so that a wrapper that ends at once does not
 * take the grace from the process it wraps.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child/psChildProcess.h"
#include "child/psChildPty.h"
#include "child/psChildStatus.h"
#include "child/psChildText.h"
#include "process/psSession.h"

#define SESSION_FIRST_SEC 0.005 /* looks again after 5, 10, 20 ... */
#define SESSION_LAST_SEC 0.1
#define SESSION_WAIT_SEC 1.0 /* how long a start waits for processes that a crash has left */

/* ---- start ---- */

static void spawnDone(void *ctx, const psSpawnOutcome *outcome);

static void failedJob(void *ctx)
{
    psChild *child = ctx;

    spawnDone(child, &child->failure);
}

/* The machine is in the middle of a step: the event comes later. */
static void failLater(psChild *child, psSpawnStage stage, int error, const char *call)
{
    memset(&child->failure, 0, sizeof(child->failure));
    child->failure.pidfd = -1;
    child->failure.stage = stage;
    child->failure.error = error;
    child->failure.call = call;
    child->failedJob.fn = failedJob;
    child->failedJob.ctx = child;
    psLoopDefer(child->loop, &child->failedJob);
}

static void beginSpawn(psChild *child)
{
    const char *call = NULL;
    int status = psChildPtyOpen(child, &call);

    if (status) {
        failLater(child, psSpawnStagePty, -status, call);
        return;
    }
    psSpawnFiles files = {child->pty.slave, child->pty.slave, true};
    status = psSpawnStart(child->spawn, &files, spawnDone, child);
    if (status)
        failLater(child, psSpawnStageThread, -status, NULL);
}

/* A start waits until the session of an end that nobody asked for is empty. */
static void spawnWhenEmpty(void *ctx)
{
    psChild *child = ctx;

    if (child->lastSid > 0 && psChildNow(child) < child->sessionDeadline &&
        psSessionCount(child->lastSid) != 0) {
        child->spawnWaits = true;
        psLoopArm(child->loop, &child->sessionTimer, psChildNow(child) + child->sessionDelay,
                  spawnWhenEmpty, child);
        child->sessionDelay = fmin(2.0 * child->sessionDelay, SESSION_LAST_SEC);
        return;
    }
    child->lastSid = 0;
    child->spawnWaits = false;
    beginSpawn(child);
}

void psChildProcessStart(psChild *child)
{
    psLoopAssertInside(child->loop);
    psChildStatusStarting(child);
    child->paused = false;
    psChildTextRestarting(child);
    child->sessionDelay = SESSION_FIRST_SEC;
    spawnWhenEmpty(child);
}

static void reaped(void *ctx, const psReapInfo *info);

static void spawnFailed(psChild *child, const psSpawnOutcome *outcome)
{
    psInputEvent event = {.event = psEventSpawnFailed, .incarnation = child->machine.incarnation};
    char why[PS_TEXT_BYTES];

    psSpawnExplain(outcome, &child->request, why, sizeof(why));
    psChildPtyClose(child);
    if (child->machine.state != psStateKilling)
        psChildTextSpawnFailed(child, outcome, why);
    child->happened(child, &event, why);
}

static void spawnDone(void *ctx, const psSpawnOutcome *outcome)
{
    psChild *child = ctx;
    psInputEvent event = {.event = psEventSpawned, .incarnation = child->machine.incarnation};

    if (child->abandoned) { /* it was given up, and SIGKILL was sent */
        if (outcome->pidfd >= 0)
            close(outcome->pidfd);
        return;
    }
    if (outcome->pid <= 0) {
        spawnFailed(child, outcome);
        return;
    }
    child->pid = outcome->pid;
    psChildStatusSpawned(child);
    psChildTextSpawned(child);
    psConsoleOutputMarkSpawn(&child->console.output);
    psReapStart(&child->reap, child->loop, outcome->pid, outcome->pidfd, reaped, child);
    child->happened(child, &event, NULL);
    psChildPtyWatch(child, psConsoleMayRead(&child->console));
    psChildPtySend(child);
}

/* ---- end ---- */

static void exited(psChild *child)
{
    psInputEvent event = {
        .event = psEventExited,
        .incarnation = child->machine.incarnation,
        .lost = child->exitInfo.lost,
        .exitCode = child->exitInfo.code,
        .exitSignal = child->exitInfo.signo,
    };

    psLoopDisarm(&child->sessionTimer);
    psChildPtyDrain(child);
    child->happened(child, &event, NULL);
}

void psChildProcessClose(psChild *child)
{
    psLoopAssertInside(child->loop);
    child->lastSid = child->pid;
    child->sessionDeadline = psChildNow(child) + SESSION_WAIT_SEC;
    psChildPtyClose(child);
    psReapStop(&child->reap);
    child->pid = 0;
}

static void lookWhoIsLeft(void *ctx)
{
    psChild *child = ctx;
    int left = psSessionCount(child->pid);

    /* Where one cannot look, for want of descriptors, there may be one: the stages go on. */
    if (left > 0 || (left < 0 && child->machine.state == psStateStopping)) {
        psLoopArm(child->loop, &child->sessionTimer, psChildNow(child) + child->sessionDelay,
                  lookWhoIsLeft, child);
        child->sessionDelay = fmin(2.0 * child->sessionDelay, SESSION_LAST_SEC);
        return;
    }
    exited(child);
}

static void reaped(void *ctx, const psReapInfo *info)
{
    psChild *child = ctx;
    bool asked = child->machine.state == psStateStopping || child->machine.state == psStateKilling;

    child->exitInfo = *info;
    if (asked && !info->lost) {
        child->sessionDelay = SESSION_FIRST_SEC;
        lookWhoIsLeft(child);
        return;
    }
    if (!info->lost)
        kill(-child->pid, SIGKILL); /* its zombie keeps the number from being reused */
    exited(child);
}

/* ---- signals ---- */

int psChildProcessSignal(psChild *child, int signo)
{
    psLoopAssertInside(child->loop);
    if (child->pid <= 0)
        return -ESRCH;
    return kill(-child->pid, signo) ? -errno : 0;
}

void psChildProcessKill(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (psSpawnBusy(child->spawn)) {
        psSpawnKill(child->spawn);
    } else if (child->spawnWaits) {
        child->spawnWaits = false;
        psLoopDisarm(&child->sessionTimer);
        failLater(child, psSpawnStageExec, ECANCELED, NULL);
    } else if (child->pid > 0) {
        psChildProcessSignal(child, SIGKILL);
        psSessionSignal(child->pid, SIGKILL);
    }
}

void psChildProcessAbandon(psChild *child)
{
    psLoopAssertInside(child->loop);
    if (child->pid > 0)
        psChildTextNotice(child, "process %d cannot be killed: procServ ends without it",
                          child->pid);
    else
        psChildTextNotice(child, "the hanging start cannot be killed: procServ ends without it");
    child->abandoned = true;
    psLoopDisarm(&child->sessionTimer);
    psChildProcessClose(child);
}
