/* SPDX-License-Identifier: EPICS */
/*
 * The process of a child: its start, its end, and the step between an event and what it does.
 *
 * Everything that happens comes in as an event for the machine (step()); the machine answers
 * with actions, which are carried out here in a fixed order; then goals are checked and the
 * status is published.  What a user reads (console, log, status texts) is written in
 * psChildReport.c.
 *
 * The end of a process takes this order (docs/design.md "Exit"): its zombie is seen, the rest
 * of its group is killed, the terminal is read until it is empty, the end is announced, the
 * terminal is closed, the zombie is reaped.  After a stop somebody asked for, all this waits
 * until no live process of the session is left, so that a wrapper that dies at once does not
 * take the grace from the process it wraps.
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include "child/psChildPvt.h"
#include "base/psLog.h"
#include "process/psSession.h"

#define SESSION_FIRST_SEC 0.005 /* looks again after 5, 10, 20 ... */
#define SESSION_LAST_SEC 0.1
#define SESSION_WAIT_SEC 1.0 /* of a start for what an exit nobody asked for left behind */

/* ---- starting ---- */

static void spawnDone(void *ctx, const psSpawnOutcome *outcome);

static void failedJob(void *ctx)
{
    psChild *child = ctx;

    spawnDone(child, &child->failure);
}

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
    const psConfig *cfg = child->cfg;
    psSpawnRequest *request = &child->request;
    const char *call = NULL;
    int status = psPtyOpen(&child->pty, &call);

    memset(request, 0, sizeof(*request));
    request->file = cfg->execFile ? cfg->execFile : cfg->argv[0];
    request->argv = child->argv;
    request->envp = child->envp;
    request->dir = cfg->dir;
    request->coreSizeBytes = cfg->coreSizeBytes;
    request->inherit = child->inherit;
    request->slave = child->pty.slave;
    if (status) {
        failLater(child, psSpawnStagePty, -status, call);
        return;
    }
    if (child->cols && child->rows)
        psPtySetSize(&child->pty, child->cols, child->rows);
    child->spawn = psSpawnBegin(child->loop, request, spawnDone, child, &status);
    if (!child->spawn)
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

void psChildSpawn(psChild *child)
{
    epicsTimeStamp wall;

    psClockWall(psLoopClock(child->loop), &wall);
    child->status.startTime = wall;
    psReportRestarting(child);
    child->sessionDelay = SESSION_FIRST_SEC;
    spawnWhenEmpty(child);
}

static void reaped(void *ctx, const psReapInfo *info);

static void spawnDone(void *ctx, const psSpawnOutcome *outcome)
{
    psChild *child = ctx;
    psInputEvent event = {.incarnation = child->machine.incarnation};
    char why[PS_TEXT_BYTES];
    psOutput out;

    psSpawnFree(child->spawn);
    child->spawn = NULL;
    if (child->abandoned)
        return;
    if (outcome->pid <= 0) {
        bool killed = child->machine.state == psStateKilling;

        psSpawnExplain(outcome, &child->request, why, sizeof(why));
        psChildClosePty(child);
        if (!killed)
            psReportSpawnFailed(child, outcome, why);
        event.event = psEventSpawnFailed;
        psChildStep(child, &event, &out, why);
        return;
    }
    child->pid = outcome->pid;
    psReportSpawned(child);
    int status =
        psReapBegin(&child->reap, child->loop, outcome->pid, outcome->pidfd, reaped, child);
    if (status)
        psLogPrintf("%s: cannot watch process %d: %s", child->name, outcome->pid,
                    strerror(-status));
    event.event = psEventSpawned;
    psChildStep(child, &event, &out, NULL);
    psChildWatchPty(child, psConsoleMayRead(&child->console));
    psChildSendInput(child);
}

/* ---- the end of a process ---- */

static void finishExit(psChild *child)
{
    psInputEvent event = {
        .event = psEventExited,
        .incarnation = child->machine.incarnation,
        .lost = child->exitInfo.lost,
        .exitCode = child->exitInfo.code,
        .exitSignal = child->exitInfo.signo,
    };
    psOutput out;

    child->exitHeld = false;
    psLoopDisarm(&child->sessionTimer);
    psChildDrainPty(child);
    psChildStep(child, &event, &out, NULL);
}

/* Called by psChildStep() between the machine's decision and its actions. */
void psChildCloseProcess(psChild *child)
{
    child->lastSid = child->pid;
    child->sessionDeadline = psChildNow(child) + SESSION_WAIT_SEC;
    psChildClosePty(child);
    psReapFinish(&child->reap);
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
    finishExit(child);
}

static void reaped(void *ctx, const psReapInfo *info)
{
    psChild *child = ctx;
    bool asked = child->machine.state == psStateStopping || child->machine.state == psStateKilling;

    child->exitInfo = *info;
    child->exitHeld = true;
    if (asked && !info->lost) {
        child->sessionDelay = SESSION_FIRST_SEC;
        lookWhoIsLeft(child);
        return;
    }
    if (!info->lost)
        kill(-child->pid, SIGKILL); /* its zombie keeps the number from being reused */
    finishExit(child);
}

/* ---- actions ---- */

static int signalGroup(psChild *child, int signo)
{
    if (child->pid <= 0)
        return -ESRCH;
    return kill(-child->pid, signo) ? -errno : 0;
}

void psChildKillAll(psChild *child)
{
    if (child->spawn) {
        psSpawnKill(child->spawn);
    } else if (child->spawnWaits) {
        child->spawnWaits = false;
        psLoopDisarm(&child->sessionTimer);
        failLater(child, psSpawnStageExec, ECANCELED, NULL);
    } else if (child->pid > 0) {
        signalGroup(child, SIGKILL);
        psSessionSignal(child->pid, SIGKILL);
    }
}

/* A process that SIGKILL can't end is left to the kernel. */
static void abandon(psChild *child)
{
    if (child->pid > 0)
        psReportNotice(child, "process %d cannot be killed and is left behind", child->pid);
    else
        psReportNotice(child, "the start that hangs is left behind");
    child->abandoned = true;
    child->exitHeld = false;
    psLoopDisarm(&child->sessionTimer);
    psChildCloseProcess(child);
}

void psChildAct(psChild *child, psOutput *out)
{
    if (out->actions & PS_DO_CLEAR_ALARM)
        child->status.exitAlarm = false;
    if (out->actions & PS_DO_STOP_INPUT)
        psChildSendStopInput(child);
    if (out->actions & PS_DO_KILL_SIGNAL) {
        signalGroup(child, child->cfg->killSignal);
        signalGroup(child, SIGCONT);
    }
    if (out->actions & PS_DO_SIGKILL)
        psChildKillAll(child);
    if (out->actions & PS_DO_SIGNAL) {
        int status = signalGroup(child, out->signo);

        if (status) {
            out->verdict = psVerdictFail;
            out->why = strerror(-status);
        }
    }
    if (out->actions & PS_DO_EXEC_HANGS)
        psReportNotice(child, "the start of \"%s\" is not confirmed yet: exec or chdir hangs",
                       child->name);
    if ((out->actions & PS_DO_CANNOT_KILL) && child->pid > 0)
        psReportNotice(child, "process %d cannot be killed", child->pid);
    else if (out->actions & PS_DO_CANNOT_KILL)
        psReportNotice(child, "the start that hangs cannot be killed");
    if (out->actions & PS_DO_ABANDON)
        abandon(child);
    if (out->actions & PS_DO_GAVE_UP)
        psReportNotice(child, "gave up after %d automatic restarts; start it by hand",
                       child->machine.settings.maxRestarts);
    if (out->actions & PS_DO_FINISHED)
        child->finished = true;
    if (out->actions & PS_DO_SPAWN) {
        child->finished = false;
        psChildSpawn(child);
    }
}

/* One event: decision, announcement, actions, goals, publication. */
void psChildStep(psChild *child, const psInputEvent *event, psOutput *out, const char *why)
{
    psMachine *machine = &child->machine;
    unsigned long incarnation = event->incarnation;
    unsigned long stale = machine->stale;
    bool ended = event->event == psEventExited || event->event == psEventSpawnFailed;

    psMachineStep(machine, event, psChildNow(child), out);
    if (machine->stale != stale)
        return;
    if (ended) {
        psReportEnd(child, out, why);
        if (event->event == psEventExited)
            psChildCloseProcess(child);
    }
    if (event->event == psEventMode && out->verdict == psVerdictDone)
        psReportMode(child); /* before the start that it may lead to */
    psChildAct(child, out);
    psGoalsCheck(&child->goals, machine, psChildNow(child), ended ? incarnation : 0,
                 ended ? child->status.exitMsg : NULL);
    if (out->moved || out->actions || ellCount(&child->goals.over) > 0)
        psReportPublish(child);
    psGoalsDeliver(&child->goals);
    psChildArmTimers(child);
    if (psMachineAtRest(machine))
        child->ops->settled(child->ctx);
}

/* ---- time ---- */

static void machineDue(void *ctx)
{
    psChild *child = ctx;
    psInputEvent event = {.event = psEventTimer};
    psOutput out;
    double at = psChildNow(child);

    if (child->machine.deadline <= at) {
        psChildStep(child, &event, &out, NULL); /* looks at the goals, too */
        return;
    }
    psGoalsCheck(&child->goals, &child->machine, at, 0, NULL);
    if (ellCount(&child->goals.over) > 0)
        psReportPublish(child);
    psGoalsDeliver(&child->goals);
    psChildArmTimers(child);
}

static void factsDue(void *ctx)
{
    psChild *child = ctx;

    psReportPublish(child);
    psChildArmTimers(child);
}

static void arm(psChild *child, psTimer *timer, double deadline, void (*fn)(void *ctx))
{
    if (deadline < HUGE_VAL)
        psLoopArm(child->loop, timer, deadline, fn, child);
    else
        psLoopDisarm(timer);
}

void psChildArmTimers(psChild *child)
{
    psHealthTrack track = child->health;
    double at = psChildNow(child);
    double next;

    arm(child, &child->machineTimer, fmin(child->machine.deadline, psGoalsDeadline(&child->goals)),
        machineDue);
    psHealthEvaluate(&track, &child->machine, child->status.exitAlarm, at, &next);
    next = fmin(next, psMachineWindowChange(&child->machine, at));
    arm(child, &child->factsTimer, fmax(next, at + 0.001), factsDue);
}
