/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "base/psLog.h"
#include "base/psMessages.h"
#include "child/psChildText.h"
#include "log/psLogOpen.h"

static psKeys keysOf(const psConfig *cfg)
{
    psKeys keys = {
        .kill = cfg->killKey,
        .toggle = cfg->toggleKey,
        .logout = cfg->logoutKey,
        .noStart = cfg->ignore['R' & 037],
        .noQuit = cfg->ignore['Q' & 037],
    };

    return keys;
}

/* ---- for the status ---- */

/* What is most worth knowing stands in the first 39 characters: many clients cut there. */
void psChildTextExit(const psChild *child, const psOutput *decision, const char *why, int runSec,
                     char *out, size_t size)
{
    const psReapInfo *info = &child->exitInfo;
    const char *asked = decision->asked     ? ", as asked"
                        : child->readyUnfit ? ", as it was not ready"
                        : decision->hung    ? ", as it was hung"
                                            : "";

    if (why)
        epicsSnprintf(out, size, "%s", why);
    else if (info->lost)
        epicsSnprintf(out, size,
                      "exit status unknown: another part of the program took it (process %d)",
                      child->pid);
    else if (info->signo > 0)
        epicsSnprintf(out, size, "killed by %s (%d) after %d s%s%s", psSignalName(info->signo),
                      info->signo, runSec, info->core ? ", core dumped" : "",
                      decision->exitClass == psExitTimeout ? ", the grace period was over" : asked);
    else
        epicsSnprintf(out, size, "exit status %d after %d s%s", info->code, runSec, asked);
    psTextEndWhole(out, size);
}

void psChildTextTimeOfDay(const psChild *child, double mono, char *out, size_t size)
{
    epicsTimeStamp wall;

    psClockWall(psLoopClock(child->loop), &wall);
    epicsTimeAddSeconds(&wall, mono - psChildNow(child));
    psClockFormat(&wall, "%H:%M:%S", out, size);
}

static void startingMsg(const psChild *child, char *out, size_t size)
{
    char since[32];

    psClockFormat(&child->status.startTime, "%H:%M:%S", since, sizeof(since));
    if (child->machine.deadline < HUGE_VAL)
        epicsSnprintf(out, size, "Starting: %s", child->launch.argv[0]);
    else
        epicsSnprintf(out, size, "Starting: exec has hung since %s; file %s (a dead file server?)",
                      since, child->launch.argv[0]);
}

/* QSRV shows 39 characters: the facts come first. */
static void runningMsg(const psChild *child, char *out, size_t size)
{
    const psReadiness *readiness = &child->readiness;
    char when[32], why[PS_TEXT_BYTES];
    const char *said = readiness->said;

    if (child->machine.hung) {
        epicsSnprintf(out, size, "Hung: %s; pid %d", child->status.aliveMsg, child->pid);
        return;
    }
    if (psReadinessIsMet(readiness)) {
        psClockFormat(&child->status.startTime, "%H:%M:%S (%Y-%m-%d)", when, sizeof(when));
        epicsSnprintf(out, size, "Running: pid %d since %s%s%s", child->pid, when,
                      *said ? "; " : "", said);
        return;
    }
    psChildTextTimeOfDay(child, readiness->sinceMono, when, sizeof(when));
    psReadinessExplain(readiness, why, sizeof(why));
    epicsSnprintf(out, size, "Running, not ready since %s: %s%s%s", when, why, *said ? "; " : "",
                  said);
}

static void stoppingMsg(const psChild *child, char *out, size_t size)
{
    const psMachine *machine = &child->machine;
    const char *sent =
        machine->stage == psStageInput ? "stop input" : psSignalName(child->cfg->killSignal);
    char when[32];

    psChildTextTimeOfDay(child, machine->deadline, when, sizeof(when));
    epicsSnprintf(out, size, "Stopping: %s%s sent; next stage at %s",
                  machine->unfit && child->readyUnfit ? "it was not ready, "
                  : psMachineIsHungEnd(machine)       ? "it was hung, "
                                                      : "",
                  sent, when);
}

static void stoppedMsg(const psChild *child, char *out, size_t size)
{
    const psStatus *status = &child->status;

    if (child->machine.ending)
        epicsSnprintf(out, size, "Stopped: the supervisor is shutting down");
    else if (child->machine.byPolicy)
        epicsSnprintf(out, size, "Stopped: restart mode %s; last exit: %s",
                      psModeName(child->machine.settings.mode), status->exitMsg);
    else if (child->stoppedBy[0])
        epicsSnprintf(out, size, "Stopped by %s; last exit: %s", child->stoppedBy,
                      status->exitClass == psExitNone ? "none" : status->exitMsg);
    else
        epicsSnprintf(out, size, "Stopped: not started yet");
}

/* A lost log is no matter of Health, but belongs to what a person should know. */
static void logMsg(const psChild *child, char *out, size_t size)
{
    size_t len = strlen(out);

    if (child->console.log.error)
        epicsSnprintf(out + len, size - len, "; log: %s",
                      psLogOpenReason(child->console.log.error));
}

/* After what holds anyway: that is most worth knowing. */
static void lockoutMsg(const psChild *child, char *out, size_t size)
{
    char text[PS_TEXT_BYTES];
    size_t len = strlen(out);

    if (!child->status.lockout.on)
        return;
    psLockoutText(&child->status.lockout, text, sizeof(text));
    epicsSnprintf(out + len, size - len, "; %s", text);
}

void psChildTextState(const psChild *child, char *out, size_t size)
{
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
        runningMsg(child, out, size);
        break;
    case psStateStopping:
        stoppingMsg(child, out, size);
        break;
    case psStateKilling:
        epicsSnprintf(out, size, "Killing: %s",
                      machine->cannotKill ? "the process cannot be killed (a hung device or disk?)"
                                          : "SIGKILL sent");
        break;
    case psStateHoldoff:
        psChildTextTimeOfDay(child, machine->deadline, when, sizeof(when));
        epicsSnprintf(out, size, "Holdoff: starts at %s; last exit: %s", when,
                      child->status.exitMsg);
        break;
    case psStateCrashLoop:
        epicsSnprintf(out, size,
                      "CrashLoop: %d restarts in %g s; use Start or Reset to start it again; %s",
                      machine->settings.maxRestarts, machine->settings.restartWindowSec,
                      child->status.exitMsg);
        break;
    default:
        stoppedMsg(child, out, size);
        break;
    }
    logMsg(child, out, size);
    lockoutMsg(child, out, size);
    psTextEndWhole(out, size);
}

/* ---- on console and log ---- */

/* Print a finished text and free it. */
static void print(psChild *child, psText *text)
{
    psLoopAssertInside(child->loop);
    if (text->failed)
        psLogPrintf("%s: out of memory: a message is not shown", child->name);
    else
        psConsoleWrite(&child->console, text->data, text->len);
    psTextClear(text);
}

void psChildTextBanner(const psChild *child, psText *out, bool readOnly)
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
        .pvs = child->pvs,
        .childPid = child->pid,
        .serverStarted = child->serverStarted,
        .childStarted = started,
        .users = child->console.clients.users,
        .loggers = child->console.clients.loggers,
        .readOnly = readOnly,
    };

    psLoopAssertInside(child->loop);
    psClockFormat(&child->status.startTime, cfg->timeFormat, started, sizeof(started));
    psMessageBanner(out, &banner);
}

void psChildTextRestarting(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psConsoleOutputMarkStart(&child->console.output);
    psMessageRestarting(&text, child->name, child->launch.argv[0]);
    print(child, &text);
}

void psChildTextSpawned(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psMessageNewPid(&text, child->name, child->pid);
    print(child, &text);
}

/* procServ's words where it has them: the forked child printed these on the terminal. */
void psChildTextSpawnFailed(psChild *child, const psSpawnOutcome *outcome, const char *why)
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

void psChildTextEnded(psChild *child)
{
    const psConfig *cfg = child->cfg;
    const psReapInfo *info = &child->exitInfo;
    psState state = child->machine.state;
    bool again = state == psStateStarting || state == psStateHoldoff;
    psMode mode = child->machine.settings.mode;
    psKeys keys = keysOf(cfg);
    psText text = PS_TEXT_INIT;
    char time[128];

    if (child->pid > 0 && !info->lost)
        psMessageReaped(&text, child->pid, info->code, info->signo);
    psClockFormat(&child->status.exitTime, cfg->timeFormat, time, sizeof(time));
    if (mode != psModeOneShot || again)
        mode = again ? psModeAlways : psModeNever;
    psMessageGone(&text, time, mode, &keys);
    psConsoleOutputMarkEnd(&child->console.output);
    print(child, &text);
}

void psChildTextKillKey(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psMessageKill(&text);
    print(child, &text);
}

void psChildTextMode(psChild *child)
{
    psText text = PS_TEXT_INIT;

    psMessageToggled(&text, child->machine.settings.mode);
    print(child, &text);
}

/* Each change is one notice, also if there are other news in between. */
void psChildTextReady(psChild *child)
{
    enum { nothing, ready, notAnyMore, late } now;
    const psReadiness *readiness = &child->readiness;
    char why[PS_TEXT_BYTES];

    now = readiness->late               ? late
          : psReadinessIsMet(readiness) ? ready
          : readiness->once             ? notAnyMore
                                        : nothing;
    if (readiness->rule == psReadyNone || !readiness->running || (int)now == child->readyNoticed)
        return;
    child->readyNoticed = (int)now;
    psReadinessExplain(readiness, why, sizeof(why));
    if (now == late)
        psChildTextNotice(child, "\"%s\" is not ready %s%.0f s: %s", child->name,
                          readiness->once ? "again after " : "after ",
                          psChildNow(child) - readiness->sinceMono, why);
    else if (now == ready && readiness->missingSec > 0)
        psChildTextNotice(child, "\"%s\" is ready again after %.1f s", child->name,
                          readiness->missingSec);
    else if (now == ready)
        psChildTextNotice(child, "\"%s\" is ready after %.1f s", child->name,
                          readiness->sinceMono - readiness->startMono);
    else
        psChildTextNotice(child, "\"%s\" is not ready any more: %s", child->name, why);
}

void psChildTextNotice(psChild *child, const char *fmt, ...)
{
    psText line = PS_TEXT_INIT;
    va_list args;

    psLoopAssertInside(child->loop);
    va_start(args, fmt);
    psTextVPrintf(&line, fmt, args);
    va_end(args);
    psConsoleNotice(&child->console, &line);
    psTextClear(&line);
}

/* ---- to one client ---- */

static void reply(psClient *client, psText *text)
{
    psLoopAssertInside(client->loop);
    if (!text->failed)
        psClientSend(client, text->data, text->len);
    psTextClear(text);
    psClientPump(client, psLoopNow(client->loop));
}

void psChildTextInputLost(psClient *typist, size_t lost, bool noMemory)
{
    psText text = PS_TEXT_INIT;

    if (noMemory)
        psMessageInputNoMemory(&text, lost);
    else
        psMessageInputFull(&text, lost);
    reply(typist, &text);
}

void psChildTextJustStarted(psClient *typist, unsigned char key)
{
    psText text = PS_TEXT_INIT;
    char name[3];

    psLoopAssertInside(typist->loop);
    psKeyPrint(key, name);
    psMessageJustStarted(&text, name);
    reply(typist, &text);
}

void psChildTextPressAgain(psClient *typist, unsigned char key, double sec, const char *ends)
{
    psText text = PS_TEXT_INIT;
    char name[3];

    psKeyPrint(key, name);
    psMessagePressAgain(&text, name, sec, ends);
    reply(typist, &text);
}

void psChildTextLineTooLong(psClient *typist)
{
    psText text = PS_TEXT_INIT;

    psMessageLineTooLong(&text);
    reply(typist, &text);
}
