/* SPDX-License-Identifier: EPICS */
/*
 * Everything that happens to a child comes in as an event for its machine; the machine answers with
 * actions, which are carried out in a fixed order; then goals are checked, the status is
 * published, and those who wait are notified.  The order matters: whoever waits for a command and
 * then reads a record finds what the command led to.
 */
#include <math.h>
#include <signal.h>
#include <string.h>

#include "child/psChildConsole.h"
#include "child/psChildHook.h"
#include "child/psChildNotify.h"
#include "child/psChildProcess.h"
#include "child/psChildPty.h"
#include "child/psChildReady.h"
#include "child/psChildStatus.h"
#include "child/psChildStep.h"
#include "child/psChildText.h"
#include "child/psChildWatch.h"

/* ---- actions ---- */

static void report(psChild *child, unsigned actions)
{
    if (actions & PS_DO_EXEC_HANGS)
        psChildTextNotice(child, "the start of \"%s\" takes long: exec or chdir does not return",
                          child->name);
    if ((actions & PS_DO_CANNOT_KILL) && child->pid > 0)
        psChildTextNotice(child, "process %d cannot be killed", child->pid);
    else if (actions & PS_DO_CANNOT_KILL)
        psChildTextNotice(child, "the hanging start cannot be killed");
}

static void act(psChild *child, psOutput *out)
{
    if (out->actions & PS_DO_CLEAR_ALARM)
        psChildStatusClearAlarm(child);
    if (out->actions & PS_DO_STOP_INPUT)
        psChildPtySendStopInput(child);
    if (out->actions & PS_DO_KILL_SIGNAL) {
        psChildProcessSignal(child, child->cfg->killSignal);
        psChildProcessSignal(child, SIGCONT);
    }
    if (out->actions & PS_DO_SIGKILL)
        psChildProcessKill(child);
    if (out->actions & PS_DO_SIGNAL) {
        int status = psChildProcessSignal(child, out->signo);

        if (status) {
            out->verdict = psVerdictFail;
            out->why = strerror(-status);
        } else {
            psChildWatchSignal(child, out->signo);
        }
    }
    report(child, out->actions);
    if (out->actions & PS_DO_ABANDON)
        psChildProcessAbandon(child);
    if (out->actions & PS_DO_GAVE_UP)
        psChildTextNotice(
            child, "gave up after %d automatic restarts; start the child with ^R or the PV Start",
            child->machine.settings.maxRestarts);
    if (out->actions & PS_DO_FINISHED)
        child->finished = true;
    if (out->actions & PS_DO_SPAWN) {
        child->finished = false;
        psChildProcessStart(child);
    }
}

/* What the user's event command hears of an end.  Of a hang it has heard before. */
static psNews newsOf(const psOutput *out)
{
    bool crashed = !out->asked && out->exitClass != psExitClean;

    if (out->actions & PS_DO_GAVE_UP)
        return psNewsCrashLoop;
    return crashed && !out->hung ? psNewsCrash : psNewsNone;
}

static void arm(psChild *child);

void psChildStep(psChild *child, const psInputEvent *event, psOutput *out, const char *why)
{
    psMachine *machine = &child->machine;
    unsigned long incarnation = event->incarnation;
    unsigned long stale = machine->stale;
    int pid = child->pid;
    bool ended = event->event == psEventExited || event->event == psEventSpawnFailed;

    psLoopAssertInside(child->loop);
    psMachineStep(machine, event, psChildNow(child), out);
    if (machine->stale != stale)
        return;
    if (ended) {
        if (event->event == psEventExited)
            psChildConsoleEnded(child);
        psChildStatusEnded(child, out, why);
        psChildTextEnded(child);
        if (event->event == psEventExited)
            psChildProcessClose(child);
    }
    if (event->event == psEventMode && out->verdict == psVerdictDone)
        psChildTextMode(child); /* before the start that it may lead to */
    psNews news = ended ? newsOf(out) : psNewsNone;
    if (news != psNewsNone)
        psChildHookNote(child);
    act(child, out);
    psChildReadyFollow(child);
    psChildNotifyFollow(child);
    psChildWatchFollow(child);
    if (news != psNewsNone)
        psChildHookEvent(child, news, pid, child->status.history[0].code, child->status.exitMsg);
    psGoalsCheck(&child->goals, machine, psChildNow(child), ended ? incarnation : 0,
                 ended ? child->status.exitMsg : NULL);
    if (out->moved || out->actions || ellCount(&child->goals.over) > 0)
        psChildStatusPublish(child);
    psGoalsDeliver(&child->goals);
    arm(child);
    if (psMachineAtRest(machine))
        child->ops->settled(child->ctx);
}

void psChildStepPublish(psChild *child)
{
    psLoopAssertInside(child->loop);
    psChildStatusPublish(child);
    psGoalsDeliver(&child->goals);
    arm(child);
}

void psChildStepReady(psChild *child)
{
    psLoopAssertInside(child->loop);
    psChildTextReady(child);
    psGoalsCheck(&child->goals, &child->machine, psChildNow(child), 0, NULL);
    psChildStepPublish(child);
}

void psChildStepBoot(psChild *child)
{
    psOutput out;

    psLoopAssertInside(child->loop);
    psMachineBoot(&child->machine, child->cfg->wait, psChildNow(child), &out);
    act(child, &out);
    psChildStepPublish(child);
}

void psChildStepClear(psChild *child)
{
    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psGoalsDeliver(&child->goals);
    psLoopDisarm(&child->machineTimer);
    psLoopDisarm(&child->readyTimer);
    psLoopDisarm(&child->factsTimer);
    psChildWatchClear(child);
}

/* ---- time ---- */

/* Only of what has never been ready: that an IOC which was in use is ended is up to the watchdogs.
 */
static bool replacesLate(const psChild *child)
{
    psMode mode = child->machine.settings.mode;

    return child->cfg->readyRestart && !child->readiness.once &&
           (mode == psModeAlways || mode == psModeOnFailure);
}

static void readyDue(void *ctx)
{
    psChild *child = ctx;
    psInputEvent event = {.event = psEventUnfit, .reason = psReasonAutoRestart};

    if (!psReadinessTick(&child->readiness, psChildNow(child))) {
        arm(child);
        return;
    }
    child->readyUnfit = replacesLate(child);
    psChildStepReady(child);
    if (child->readyUnfit)
        child->happened(child, &event, NULL);
}

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
        psChildStepPublish(child);
    else
        arm(child);
}

static void factsDue(void *ctx)
{
    psChildStepPublish(ctx);
}

static void armOne(psChild *child, psTimer *timer, double deadline, void (*fn)(void *ctx))
{
    if (deadline < HUGE_VAL)
        psLoopArm(child->loop, timer, deadline, fn, child);
    else
        psLoopDisarm(timer);
}

/* Anew, after anything that may have moved a deadline. */
static void arm(psChild *child)
{
    psHealthTrack track = child->health;
    double at = psChildNow(child);
    double next;

    armOne(child, &child->machineTimer,
           fmin(child->machine.deadline, psGoalsDeadline(&child->goals)), machineDue);
    armOne(child, &child->readyTimer, psReadinessDeadline(&child->readiness), readyDue);
    psHealthEvaluate(&track, &child->machine, child->status.exitAlarm, child->readiness.late, at,
                     &next);
    next = fmin(next, psMachineWindowChange(&child->machine, at));
    armOne(child, &child->factsTimer, fmax(next, at + 0.001), factsDue);
}
