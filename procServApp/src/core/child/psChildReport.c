/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "child/psChildReport.h"
#include "base/psMessages.h"
#include "model/psSetting.h"

static double now(const psChild *child)
{
    return psClockMono(psLoopClock(child->loop));
}

static void wallNow(const psChild *child, epicsTimeStamp *out)
{
    psClockWall(psLoopClock(child->loop), out);
}

static psKeys keysOf(const psConfig *cfg)
{
    psKeys keys = {cfg->killKey, cfg->toggleKey, cfg->logoutKey};

    return keys;
}

/* Print a finished text and free it. */
static void print(psChild *child, psText *text)
{
    if (!text->failed)
        psConsoleWrite(&child->console, text->data, text->len);
    psTextClear(text);
}

static void tell(psClient *client, psText *text)
{
    if (!text->failed)
        psClientSend(client, text->data, text->len);
    psTextClear(text);
    psClientPump(client, psLoopNow(client->loop));
}

/* ---- console and log ---- */

void psReportBanner(psChild *child, psText *out, bool readOnly)
{
    const psConfig *cfg = child->cfg;
    char started[128];
    psBanner banner = {
        .program = child->banner,
        .keys = keysOf(cfg),
        .mode = child->machine.settings.mode,
        .serverPid = (int)getpid(),
        .serverDir = child->serverDir ? child->serverDir : ".",
        .childDir = cfg->dir ? cfg->dir : child->serverDir,
        .name = child->name,
        .command = cfg->argv[0],
        .logFile = cfg->logFile,
        .logFailed = psConsoleLogIsFailed(&child->console),
        .childPid = child->pid,
        .serverStarted = child->serverStarted,
        .childStarted = started,
        .users = child->console.users,
        .loggers = child->console.loggers,
        .readOnly = readOnly,
    };

    psClockFormat(&child->status.startTime, cfg->timeFormat, started, sizeof(started));
    psMessageBanner(out, &banner);
}

void psReportRestarting(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psMessageRestarting(&text, child->name, child->argv[0]);
    print(child, &text);
}

void psReportSpawned(psChild *child)
{
    psText text = PS_TEXT_INIT;

    wallNow(child, &child->status.startTime);
    child->status.startMono = now(child);
    child->status.exitAlarm = false;
    psMessageNewPid(&text, child->name, child->pid);
    print(child, &text);
}

/* procServ's words where it has them: the forked child printed these on the terminal. */
void psReportSpawnFailed(psChild *child, const psSpawnOutcome *outcome, const char *why)
{
    const psConfig *cfg = child->cfg;
    psText text = PS_TEXT_INIT;

    switch (outcome->stage) {
    case psSpawnStageExec:
        psTextPrintf(&text, "%s: child could not execute: %s, %s\r\n", child->argv0,
                     child->request.file, strerror(outcome->error));
        break;
    case psSpawnStageDir:
        psTextPrintf(&text, "%s: child could not chdir to %s, %s\r\n", child->argv0,
                     cfg->dir ? cfg->dir : ".", strerror(outcome->error));
        break;
    default:
        psTextPrintf(&text, "%s: cannot start child: %s\r\n", child->argv0, why);
        break;
    }
    print(child, &text);
}

void psReportKillKey(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psMessageKill(&text);
    print(child, &text);
}

void psReportMode(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psMessageToggled(&text, child->machine.settings.mode);
    print(child, &text);
}

void psReportInputFull(psClient *typist, size_t lost)
{
    psText text = PS_TEXT_INIT;

    psMessageInputFull(&text, lost);
    tell(typist, &text);
}

void psReportLineTooLong(psClient *typist)
{
    psText text = PS_TEXT_INIT;

    psMessageLineTooLong(&text);
    tell(typist, &text);
}

void psReportNotice(psChild *child, const char *fmt, ...)
{
    psText line = PS_TEXT_INIT;
    va_list args;

    va_start(args, fmt);
    psTextVPrintf(&line, fmt, args);
    va_end(args);
    psConsoleNotice(&child->console, &line);
    psTextClear(&line);
}

/* ---- the end of a process ---- */

/* What is most worth knowing stands in the first 39 characters: more is cut by many clients. */
static void writeExitMsg(psChild *child, const psOutput *out, const char *why, int runSec)
{
    psStatus *status = &child->status;
    const psReapInfo *info = &child->exitInfo;
    const char *asked = out->asked ? ", as asked" : "";
    char *msg = status->exitMsg;
    size_t size = sizeof(status->exitMsg);

    if (why)
        epicsSnprintf(msg, size, "%s", why);
    else if (info->lost)
        epicsSnprintf(msg, size, "process %d ended, reaped by somebody else", child->pid);
    else if (info->signo > 0)
        epicsSnprintf(msg, size, "killed by %s (%d) after %d s%s%s", psSignalName(info->signo),
                      info->signo, runSec, info->core ? ", core dumped" : "",
                      out->exitClass == psExitTimeout ? ", the grace ran out" : asked);
    else
        epicsSnprintf(msg, size, "exit status %d after %d s%s", info->code, runSec, asked);
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

static void announceEnd(psChild *child, bool ran)
{
    const psConfig *cfg = child->cfg;
    const psReapInfo *info = &child->exitInfo;
    psState state = child->machine.state;
    bool again = state == psStateStarting || state == psStateHoldoff;
    psMode mode = child->machine.settings.mode;
    psKeys keys = keysOf(cfg);
    psText text = PS_TEXT_INIT;
    char time[128];

    if (ran && !info->lost)
        psMessageReaped(&text, child->pid, info->code, info->signo);
    psClockFormat(&child->status.exitTime, cfg->timeFormat, time, sizeof(time));
    if (mode != psModeOneShot || again)
        mode = again ? psModeAlways : psModeNever;
    psMessageGone(&text, time, mode, &keys);
    print(child, &text);
}

static bool deservesAlarm(psExitClass cls)
{
    return cls == psExitError || cls == psExitSignal || cls == psExitTimeout ||
           cls == psExitExecFail || cls == psExitLost;
}

/* procServ ends with the last normal exit status of the child; after a signal it said 0, which
 * hid crashes of one-shot runs: 128+N there.  A start that failed counts as 255, one that was
 * called off by a stop does not. */
static void noteExitCode(psChild *child, bool ran, psExitClass cls)
{
    if (!ran && cls != psExitExecFail)
        return;
    if (!ran)
        child->exitCode = 255;
    else if (child->exitInfo.signo <= 0 && !child->exitInfo.lost)
        child->exitCode = child->exitInfo.code;
    else if (child->exitInfo.signo > 0 && child->machine.settings.mode == psModeOneShot)
        child->exitCode = 128 + child->exitInfo.signo;
}

void psReportEnd(psChild *child, const psOutput *out, const char *why)
{
    psStatus *status = &child->status;
    const psReapInfo *info = &child->exitInfo;
    bool ran = child->pid > 0;
    int runSec = ran ? (int)(now(child) - status->startMono) : 0;
    bool known = ran && !info->lost;

    wallNow(child, &status->exitTime);
    status->exitClass = out->exitClass;
    status->exitAlarm = deservesAlarm(out->exitClass);
    status->exitCode = known && info->signo <= 0 ? info->code : -1;
    status->exitSignal = known && info->signo > 0 ? info->signo : -1;
    status->exitCore = known && info->core;
    status->exitMaxRssMiB = known ? info->maxRssMiB : 0;
    status->exitCpuSec = known ? info->cpuSec : 0;
    status->lastRunSec = runSec;
    writeExitMsg(child, out, why, runSec);
    remember(status, runSec);
    noteExitCode(child, ran, out->exitClass);
    announceEnd(child, ran);
}

/* ---- commands ---- */

int psReportCommand(psChild *child, const psCommand *cmd)
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

void psReportCommandEnded(psChild *child, int seq, psCmdState how, const char *msg)
{
    psCmdStatus *status = &child->status.cmd;

    if (status->seq != seq)
        return; /* a newer one is shown */
    status->state = how;
    epicsSnprintf(status->msg, sizeof(status->msg), "%s", msg ? msg : "");
}

/* ---- status ---- */

/* Local time of day @p mono, a monotonic time near now. */
static void timeOfDay(const psChild *child, double mono, char *out, size_t size)
{
    epicsTimeStamp wall;

    wallNow(child, &wall);
    epicsTimeAddSeconds(&wall, mono - now(child));
    psClockFormat(&wall, "%H:%M:%S", out, size);
}

static void startingMsg(const psChild *child, char *out, size_t size)
{
    char since[32];

    psClockFormat(&child->status.startTime, "%H:%M:%S", since, sizeof(since));
    if (child->machine.deadline < HUGE_VAL)
        epicsSnprintf(out, size, "Starting: %s", child->argv[0]);
    else
        epicsSnprintf(out, size, "Starting: exec of %s hangs since %s (a dead file server?)",
                      child->argv[0], since);
}

static void stoppingMsg(const psChild *child, char *out, size_t size)
{
    const psMachine *machine = &child->machine;
    const char *sent =
        machine->stage == psStageInput ? "stop input" : psSignalName(child->cfg->killSignal);
    char when[32];

    timeOfDay(child, machine->deadline, when, sizeof(when));
    epicsSnprintf(out, size, "Stopping: %s sent; next stage at %s", sent, when);
}

static void stoppedMsg(const psChild *child, char *out, size_t size)
{
    const psStatus *status = &child->status;

    if (child->machine.ending)
        epicsSnprintf(out, size, "Stopped: the supervisor is shutting down");
    else if (child->machine.byPolicy)
        epicsSnprintf(out, size, "Stopped: restart mode %s; last end: %s",
                      psModeName(child->machine.settings.mode), status->exitMsg);
    else if (child->stoppedBy[0])
        epicsSnprintf(out, size, "Stopped by %s; last end: %s", child->stoppedBy,
                      status->exitClass == psExitNone ? "none" : status->exitMsg);
    else
        epicsSnprintf(out, size, "Stopped: not started yet");
}

static void writeStateMsg(psChild *child)
{
    char *out = child->status.stateMsg;
    size_t size = sizeof(child->status.stateMsg);
    const psMachine *machine = &child->machine;
    char when[32];

    switch (machine->state) {
    case psStateWaiting:
        epicsSnprintf(out, size, "Waiting: the first start is manual (Start, or ^R)");
        break;
    case psStateStarting:
        startingMsg(child, out, size);
        break;
    case psStateRunning:
        /* QSRV shows 39 characters: the facts come first */
        psClockFormat(&child->status.startTime, "%H:%M:%S (%Y-%m-%d)", when, sizeof(when));
        epicsSnprintf(out, size, "Running: pid %d since %s", child->pid, when);
        break;
    case psStateStopping:
        stoppingMsg(child, out, size);
        break;
    case psStateKilling:
        epicsSnprintf(out, size, "Killing: SIGKILL sent%s",
                      machine->cannotKill ? ", it cannot be killed (a hung device or disk?)" : "");
        break;
    case psStateHoldoff:
        timeOfDay(child, machine->deadline, when, sizeof(when));
        epicsSnprintf(out, size, "Holdoff: starts at %s; last end: %s", when,
                      child->status.exitMsg);
        break;
    case psStateCrashLoop:
        epicsSnprintf(out, size, "CrashLoop: %d restarts in %g s; Start or Reset goes on; %s",
                      machine->settings.maxRestarts, machine->settings.restartWindowSec,
                      child->status.exitMsg);
        break;
    default:
        stoppedMsg(child, out, size);
        break;
    }
}

static void fillStatus(psChild *child)
{
    psStatus *status = &child->status;
    const psMachine *machine = &child->machine;
    double at = now(child);
    double next;

    wallNow(child, &status->time);
    status->state = machine->state;
    status->running = machine->state == psStateRunning || machine->state == psStateStopping ||
                      (machine->state == psStateKilling && child->pid > 0);
    status->ready = machine->state == psStateRunning;
    status->desiredUp = machine->desiredUp;
    status->health = psHealthEvaluate(&child->health, machine, status->exitAlarm, at, &next);
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
    status->clients = child->console.users;
    status->loggers = child->console.loggers;
    writeStateMsg(child);
}

void psReportCounts(psChild *child)
{
    psFeedCounts(child->feed, child->console.users, child->console.loggers);
}

void psReportPublish(psChild *child)
{
    fillStatus(child);
    psFeedPublish(child->feed, &child->status);
}
