/* SPDX-License-Identifier: EPICS */
#include <errno.h>

#include <epicsStdio.h>

#include "child/psChildCommand.h"
#include "child/psChildLockout.h"
#include "child/psChildStatus.h"
#include "child/psChildStep.h"
#include "child/psChildTyped.h"
#include "model/psSetting.h"

static void changeSetting(psChild *child, const psSetting *setting, double value)
{
    psSettings settings = child->machine.settings;

    psSettingPut(setting, &settings, value);
    psMachineSettings(&child->machine, &settings, psChildNow(child));
}

/* It is done once it was tried: psChildCommandRotated(). */
static void rotateLog(psChild *child, int seq, psOutput *out)
{
    int status = psConsoleRotateLog(&child->console, seq);

    if (status == 0) {
        out->verdict = psVerdictWait;
        return;
    }
    out->verdict = psVerdictFail;
    if (status == -EOPNOTSUPP)
        out->why = "the log is standard output, which cannot be reopened";
    else
        out->why = child->cfg->logFile ? "the log could not be set up at the start" : "no log file";
}

static void typeLine(psChild *child, const char *text, psOutput *out)
{
    int status = psChildTypedLine(child, text);

    if (status) {
        out->verdict = psVerdictFail;
        out->why = status == -ESRCH    ? "no process"
                   : status == -EAGAIN ? "the process does not read what is typed"
                                       : "out of memory";
    } else if (child->input.len > 0) {
        out->why = "the process has not read it yet";
    }
}

static void directCommand(psChild *child, const psCommand *cmd, int seq, psOutput *out)
{
    const psSetting *setting = psSettingOf(cmd->verb);

    out->verdict = psVerdictDone;
    if (child->machine.ending) {
        out->verdict = psVerdictFail;
        out->why = "shutting down";
    } else if (cmd->verb == psVerbResetCounters) {
        psMachineResetCounters(&child->machine);
    } else if (cmd->verb == psVerbRotateLog) {
        rotateLog(child, seq, out);
    } else if (cmd->verb == psVerbIn) {
        typeLine(child, cmd->text, out);
    } else if (cmd->verb == psVerbLockout || cmd->verb == psVerbLockoutMsg) {
        out->why = psChildLockoutCommand(child, cmd);
    } else if (setting) {
        changeSetting(child, setting, cmd->value);
    }
}

static void eventCommand(psChild *child, const psCommand *cmd, psEvent kind, psOutput *out)
{
    psInputEvent event = {
        .event = kind,
        .reason = cmd->reason,
        .mode = cmd->verb == psVerbMode ? (psMode)cmd->value : psModeNever,
        .signo = cmd->verb == psVerbSignal ? (int)cmd->value : 0,
    };

    if (cmd->verb == psVerbStop)
        psChildStatusStoppedBy(child, cmd->by);
    if (!child->machine.ending)
        psGoalsSupersede(&child->goals, cmd->verb, cmd->by);
    psChildStep(child, &event, out, NULL);
    if (kind == psEventStart && out->verdict == psVerdictDone && child->readiness.running &&
        !psReadinessIsMet(&child->readiness))
        out->verdict = psVerdictWait; /* it runs already, but is not ready */
}

/* @return NULL: a goal waits for the end of the command; else why none can */
static const char *addGoal(psChild *child, psVerb verb, int seq, const char *merged, psDoneFn done,
                           void *ctx)
{
    int status =
        psGoalsAdd(&child->goals, verb, seq, merged, &child->machine, psChildNow(child), done, ctx);

    if (status == -ENOSPC)
        return "started, but too many commands are waiting: its outcome will not be reported";
    if (status)
        return "started, but out of memory: its outcome will not be reported";
    psGoalsCheck(&child->goals, &child->machine, psChildNow(child), 0, NULL);
    return NULL;
}

/* An outcome is published before it is delivered. */
void psChildCommand(psChild *child, const psCommand *cmd, psDoneFn done, void *ctx)
{
    psOutput out = {0};
    char refusal[2 * PS_TEXT_BYTES];

    psLoopAssertInside(child->loop);
    if (psChildLockoutRefuses(child, cmd, refusal, sizeof(refusal))) {
        psChildDenied(child, cmd, refusal);
        if (done)
            done(ctx, psCmdDenied, refusal);
        return;
    }
    int seq = psChildStatusCommand(child, cmd);
    psCmdState how = psCmdDone;
    const char *msg = "done";
    psEvent kind;

    if (psMachineEventOf(cmd->verb, &kind))
        eventCommand(child, cmd, kind, &out);
    else
        directCommand(child, cmd, seq, &out);
    if (out.why)
        msg = out.why;
    if (out.verdict == psVerdictFail) {
        how = psCmdFailed;
    } else if (out.verdict == psVerdictWait) {
        msg = addGoal(child, cmd->verb, seq, out.why, done, ctx);
        how = msg ? psCmdFailed : psCmdBusy;
    }
    if (how != psCmdBusy)
        psChildStatusCommandEnded(child, seq, how, msg);
    psChildStepPublish(child);
    if (how != psCmdBusy && done)
        done(ctx, how, msg);
}

void psChildCommandByKey(psChild *child, psVerb verb, double value, const char *by)
{
    psCommand cmd = {.verb = verb, .value = value, .reason = psReasonConsole};

    epicsSnprintf(cmd.by, sizeof(cmd.by), "%s", by);
    psChildCommand(child, &cmd, NULL, NULL);
}

void psChildDenied(psChild *child, const psCommand *cmd, const char *reason)
{
    psLoopAssertInside(child->loop);
    psChildStatusCommandEnded(child, psChildStatusCommand(child, cmd), psCmdDenied, reason);
    psChildStatusPublish(child);
}

void psChildCommandRotated(void *ctx, int request, const char *why)
{
    psChild *child = ctx;

    psGoalsEnd(&child->goals, psVerbRotateLog, request, why ? psCmdFailed : psCmdDone,
               why ? why : "done");
    psChildStepPublish(child);
}
