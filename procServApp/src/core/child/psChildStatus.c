/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <epicsStdio.h>

#include "base/psText.h"
#include "child/psChildStatus.h"
#include "child/psChildText.h"
#include "child/psChildWatchText.h"
#include "model/psSetting.h"

static void wallNow(const psChild *child, epicsTimeStamp *out)
{
    psClockWall(psLoopClock(child->loop), out);
}

void psChildStatusInit(psChild *child)
{
    child->status.exitCode = -1;
    child->status.exitSignal = -1;
    child->status.alive = true;
    psChildWatchText(child, child->status.aliveMsg, sizeof(child->status.aliveMsg));
    child->status.settings = child->cfg->settings;
}

/* ---- start and end ---- */

void psChildStatusStarting(psChild *child)
{
    psLoopAssertInside(child->loop);
    wallNow(child, &child->status.startTime);
    child->exitCode = 0;
}

void psChildStatusSpawned(psChild *child)
{
    psLoopAssertInside(child->loop);
    wallNow(child, &child->status.startTime);
    child->status.startMono = psChildNow(child);
    child->status.exitAlarm = false;
}

void psChildStatusClearAlarm(psChild *child)
{
    child->status.exitAlarm = false;
}

static void remember(psStatus *status, int runSec)
{
    psExitRecord *newest = &status->history[0];

    memmove(&status->history[1], newest, sizeof(*newest) * (PS_HISTORY - 1));
    if (status->historyCount < PS_HISTORY)
        status->historyCount++;
    newest->timePosix =
        status->exitTime.secPastEpoch + POSIX_TIME_AT_EPICS_EPOCH + 1e-9 * status->exitTime.nsec;
    newest->cls = status->exitClass;
    newest->code = status->exitSignal > 0 ? 128 + status->exitSignal : status->exitCode;
    newest->runSec = runSec;
}

static bool deservesAlarm(psExitClass cls)
{
    return cls == psExitError || cls == psExitSignal || cls == psExitTimeout ||
           cls == psExitExecFail || cls == psExitLost;
}

/* What the program ends with if it ends before the next start.  An end that somebody asked for is
 * no failure, whatever the process made of it; after a signal procServ says 0, which would hide
 * that a one-shot run crashed. */
static void noteExitCode(psChild *child, bool ran, const psOutput *out)
{
    const psReapInfo *info = &child->exitInfo;

    child->exitCode = 0;
    if (out->exitClass == psExitExecFail)
        child->exitCode = 255;
    else if (!ran || out->asked || info->lost)
        return;
    else if (info->signo <= 0)
        child->exitCode = info->code;
    else if (child->machine.settings.mode == psModeOneShot)
        child->exitCode = 128 + info->signo;
}

void psChildStatusEnded(psChild *child, const psOutput *out, const char *why)
{
    psStatus *status = &child->status;
    const psReapInfo *info = &child->exitInfo;
    bool ran = child->pid > 0;
    int runSec = ran ? (int)(psChildNow(child) - status->startMono) : 0;
    bool known = ran && !info->lost;

    psLoopAssertInside(child->loop);
    wallNow(child, &status->exitTime);
    status->exitClass = out->exitClass;
    status->exitAlarm = deservesAlarm(out->exitClass);
    status->exitCode = known && info->signo <= 0 ? info->code : -1;
    status->exitSignal = known && info->signo > 0 ? info->signo : -1;
    status->exitCore = known && info->core;
    status->exitMaxRssMiB = known ? info->maxRssMiB : 0;
    status->exitCpuSec = known ? info->cpuSec : 0;
    status->lastRunSec = runSec;
    psChildTextExit(child, out, why, runSec, status->exitMsg, sizeof(status->exitMsg));
    remember(status, runSec);
    noteExitCode(child, ran, out);
}

/* ---- commands ---- */

int psChildStatusCommand(psChild *child, const psCommand *cmd)
{
    psCmdStatus *status = &child->status.cmd;

    status->state = psCmdBusy;
    status->seq++;
    status->verb = cmd->verb;
    status->value = cmd->value;
    epicsSnprintf(status->by, sizeof(status->by), "%s", cmd->by[0] ? cmd->by : "local");
    wallNow(child, &status->time);
    status->msg[0] = '\0';
    return status->seq;
}

void psChildStatusStoppedBy(psChild *child, const char *by)
{
    epicsSnprintf(child->stoppedBy, sizeof(child->stoppedBy), "%s", by);
}

void psChildStatusCommandEnded(psChild *child, int seq, psCmdState how, const char *msg)
{
    psCmdStatus *status = &child->status.cmd;

    psLoopAssertInside(child->loop);
    if (status->seq != seq)
        return; /* a newer one is shown */
    status->state = how;
    epicsSnprintf(status->msg, sizeof(status->msg), "%s", msg ? msg : "");
    psTextEndWhole(status->msg, sizeof(status->msg));
}

/* ---- publication ---- */

static void fillStatus(psChild *child)
{
    psStatus *status = &child->status;
    const psMachine *machine = &child->machine;
    double at = psChildNow(child);
    double next;

    wallNow(child, &status->time);
    status->state = machine->state;
    status->running = machine->state == psStateRunning || machine->state == psStateStopping ||
                      (machine->state == psStateKilling && child->pid > 0);
    status->ready = psReadinessIsMet(&child->readiness);
    status->readyLate = child->readiness.late;
    status->readyAfterSec = child->readiness.tookSec;
    status->desiredUp = machine->desiredUp;
    status->health = psHealthEvaluate(&child->health, machine, status->exitAlarm,
                                      child->readiness.late, at, &next);
    status->alive = !machine->hung;
    psChildWatchText(child, status->aliveMsg, sizeof(status->aliveMsg));
    status->pid = child->pid;
    status->startReason = machine->startReason;
    status->starts = machine->starts;
    status->restarts = psMachineRestarts(machine);
    status->autoRestarts = machine->autoRestarts;
    status->crashes = machine->crashes;
    status->windowCrashes = psMachineWindowCrashes(machine, at);
    status->nextStartMono = machine->state == psStateHoldoff ? machine->deadline : 0;
    status->settings = machine->settings;
    status->overridden = !psSettingsEqual(&machine->settings, &child->cfg->settings);
    psChildTextState(child, status->stateMsg, sizeof(status->stateMsg));
}

void psChildStatusPublish(psChild *child)
{
    psLoopAssertInside(child->loop);
    fillStatus(child);
    psFeedPublish(child->feed, &child->status);
}
