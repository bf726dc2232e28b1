/* SPDX-License-Identifier: EPICS */
/*
 * One supervised process.
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
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsString.h>

#include "psChild.h"
#include "psChildReport.h"
#include "psLog.h"
#include "psMessages.h"
#include "psSession.h"

#define READ_ROUND_BYTES 65536  /* of the pty in one round */
#define DRAIN_EXTRA_BYTES 65536 /* more than was there at the exit: writers of other sessions */
#define SESSION_FIRST_SEC 0.005 /* looks again after 5, 10, 20 ... */
#define SESSION_LAST_SEC 0.1
#define SESSION_WAIT_SEC 1.0 /* of a start for what an exit nobody asked for left behind */

static void step(psChild *child, const psInputEvent *event, psOutput *out, const char *why);
static void armTimers(psChild *child);

static double now(const psChild *child)
{
    return psClockMono(psLoopClock(child->loop));
}

/* ---- the terminal ---- */

static void ptyReady(void *ctx, unsigned events);

static void watchPty(psChild *child, bool mayRead)
{
    unsigned events = (mayRead ? EPOLLIN : 0u) | (child->input.len > 0 ? EPOLLOUT : 0u);

    if (child->pty.master < 0)
        return;
    if (child->ptyWatch.loop) {
        psLoopModify(&child->ptyWatch, events);
    } else {
        int status =
            psLoopWatch(child->loop, &child->ptyWatch, child->pty.master, events, ptyReady, child);

        if (status)
            psLogPrintf("%s: cannot watch its terminal: %s", child->name, strerror(-status));
    }
}

static void ptyReady(void *ctx, unsigned events)
{
    psChild *child = ctx;
    size_t left = READ_ROUND_BYTES;

    if (events & EPOLLOUT)
        psInputWrite(&child->input, child->pty.master);
    if ((events & EPOLLIN) && !child->console.waiting) {
        long n = 1;

        while (left > 0 && n > 0) {
            n = psConsoleReadFrom(&child->console, child->pty.master, left);
            if (n > 0)
                left -= (size_t)n;
        }
    }
    watchPty(child, psConsoleMayRead(&child->console));
}

static void ptyResume(void *ctx)
{
    watchPty(ctx, true);
}

/* What the child left in its terminal.  The kernel shows all of it once the child is a zombie;
 * processes of other sessions that still write could keep us here for ever, hence a bound. */
static void drainPty(psChild *child)
{
    int there = 0;
    size_t left;
    long n = 1;

    if (child->pty.master < 0)
        return;
    if (ioctl(child->pty.master, FIONREAD, &there))
        there = 0;
    left = (size_t)there + DRAIN_EXTRA_BYTES;
    while (left > 0 && n > 0) {
        n = psConsoleReadFrom(&child->console, child->pty.master, left);
        if (n > 0)
            left -= (size_t)n;
    }
}

static void closePty(psChild *child)
{
    psLoopUnwatch(&child->ptyWatch);
    psPtyClose(&child->pty);
    psInputClear(&child->input);
}

static void sendInput(psChild *child)
{
    if (child->pid == 0 || child->pty.master < 0)
        return; /* it follows when the start is confirmed */
    psInputWrite(&child->input, child->pty.master);
    watchPty(child, !child->console.waiting);
}

static void sendStopInput(psChild *child)
{
    const psConfig *cfg = child->cfg;
    struct termios mode;
    char *bytes = malloc(cfg->stopInputLen + 1);

    if (!bytes)
        return; /* the next stage comes all the same */
    /* Behind the kill-line character a half-typed line can't spoil it. */
    bytes[0] = 'U' & 037;
    if (tcgetattr(child->pty.slave, &mode) == 0 && mode.c_cc[VKILL] != 0)
        bytes[0] = (char)mode.c_cc[VKILL];
    memcpy(bytes + 1, cfg->stopInput, cfg->stopInputLen);
    psInputPutFirst(&child->input, bytes, cfg->stopInputLen + 1);
    free(bytes);
    sendInput(child);
}

/* ---- starting ---- */

static void spawnDone(void *ctx, const psSpawnOutcome *outcome);

static void failLater(psChild *child, psSpawnStage stage, int error)
{
    memset(&child->failure, 0, sizeof(child->failure));
    child->failure.pidfd = -1;
    child->failure.stage = stage;
    child->failure.error = error;
    psLoopDefer(child->loop, &child->failedJob);
}

static void failedJob(void *ctx)
{
    psChild *child = ctx;

    spawnDone(child, &child->failure);
}

static void beginSpawn(psChild *child)
{
    const psConfig *cfg = child->cfg;
    psSpawnRequest *request = &child->request;
    int status = psPtyOpen(&child->pty);

    memset(request, 0, sizeof(*request));
    request->file = cfg->execFile ? cfg->execFile : cfg->argv[0];
    request->argv = child->argv;
    request->envp = child->envp;
    request->dir = cfg->dir;
    request->coreSizeBytes = cfg->coreSizeBytes;
    request->inherit = child->inherit;
    request->slave = child->pty.slave;
    if (status) {
        failLater(child, psSpawnStagePty, -status);
        return;
    }
    if (child->cols && child->rows)
        psPtySetSize(&child->pty, child->cols, child->rows);
    child->spawn = psSpawnBegin(child->loop, request, spawnDone, child, &status);
    if (!child->spawn)
        failLater(child, psSpawnStageThread, -status);
}

/* A start waits until the session of an end that nobody asked for is empty. */
static void spawnWhenEmpty(void *ctx)
{
    psChild *child = ctx;

    if (child->lastSid > 0 && now(child) < child->sessionDeadline &&
        psSessionCount(child->lastSid) > 0) {
        child->spawnWaits = true;
        psLoopArm(child->loop, &child->sessionTimer, now(child) + child->sessionDelay,
                  spawnWhenEmpty, child);
        child->sessionDelay = fmin(2.0 * child->sessionDelay, SESSION_LAST_SEC);
        return;
    }
    child->lastSid = 0;
    child->spawnWaits = false;
    beginSpawn(child);
}

static void doSpawn(psChild *child)
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
    int status;

    psSpawnFree(child->spawn);
    child->spawn = NULL;
    if (child->abandoned)
        return;
    if (outcome->pid <= 0) {
        bool killed = child->machine.state == psStateKilling;

        psSpawnExplain(outcome, &child->request, why, sizeof(why));
        closePty(child);
        if (!killed)
            psReportSpawnFailed(child, outcome);
        event.event = psEventSpawnFailed;
        step(child, &event, &out, why);
        return;
    }
    child->pid = outcome->pid;
    psReportSpawned(child);
    status = psReapBegin(&child->reap, child->loop, outcome->pid, outcome->pidfd, reaped, child);
    if (status)
        psLogPrintf("%s: cannot watch process %d: %s", child->name, outcome->pid,
                    strerror(-status));
    event.event = psEventSpawned;
    step(child, &event, &out, NULL);
    watchPty(child, psConsoleMayRead(&child->console));
    sendInput(child);
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
    drainPty(child);
    step(child, &event, &out, NULL);
}

/* Called by step() between the machine's decision and its actions. */
static void closeProcess(psChild *child)
{
    child->lastSid = child->pid;
    child->sessionDeadline = now(child) + SESSION_WAIT_SEC;
    closePty(child);
    psReapFinish(&child->reap);
    child->pid = 0;
}

static void lookWhoIsLeft(void *ctx)
{
    psChild *child = ctx;

    if (psSessionCount(child->pid) > 0) {
        psLoopArm(child->loop, &child->sessionTimer, now(child) + child->sessionDelay,
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

static void killAll(psChild *child)
{
    if (child->spawn) {
        psSpawnKill(child->spawn);
    } else if (child->spawnWaits) {
        child->spawnWaits = false;
        psLoopDisarm(&child->sessionTimer);
        failLater(child, psSpawnStageThread, ECANCELED);
    } else if (child->pid > 0) {
        signalGroup(child, SIGKILL);
        psSessionSignal(child->pid, SIGKILL);
    }
}

/* A process that SIGKILL can't end is left to the kernel. */
static void abandon(psChild *child)
{
    psReportNotice(child, "process %d cannot be killed and is left behind", child->pid);
    child->abandoned = true;
    child->exitHeld = false;
    psLoopDisarm(&child->sessionTimer);
    closeProcess(child);
}

static void act(psChild *child, psOutput *out)
{
    if (out->actions & PS_DO_CLEAR_ALARM)
        child->status.exitAlarm = false;
    if (out->actions & PS_DO_STOP_INPUT)
        sendStopInput(child);
    if (out->actions & PS_DO_KILL_SIGNAL) {
        signalGroup(child, child->cfg->killSignal);
        signalGroup(child, SIGCONT);
    }
    if (out->actions & PS_DO_SIGKILL)
        killAll(child);
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
    if (out->actions & PS_DO_CANNOT_KILL)
        psReportNotice(child, "process %d cannot be killed", child->pid);
    if (out->actions & PS_DO_ABANDON)
        abandon(child);
    if (out->actions & PS_DO_GAVE_UP)
        psReportNotice(child, "gave up after %d automatic restarts; start it by hand",
                       child->machine.settings.maxRestarts);
    if (out->actions & PS_DO_FINISHED)
        child->finished = true;
    if (out->actions & PS_DO_SPAWN) {
        child->finished = false;
        doSpawn(child);
    }
}

/* One event: decision, announcement, actions, goals, publication. */
static void step(psChild *child, const psInputEvent *event, psOutput *out, const char *why)
{
    psMachine *machine = &child->machine;
    unsigned long incarnation = event->incarnation;
    unsigned long stale = machine->stale;
    bool ended = event->event == psEventExited || event->event == psEventSpawnFailed;

    psMachineStep(machine, event, now(child), out);
    if (machine->stale != stale)
        return;
    if (ended) {
        psReportEnd(child, out, why);
        if (event->event == psEventExited)
            closeProcess(child);
    }
    act(child, out);
    psGoalsCheck(&child->goals, machine, now(child), ended ? incarnation : 0,
                 ended ? child->status.exitMsg : NULL);
    if (out->moved || out->actions)
        psReportPublish(child);
    armTimers(child);
    if (psMachineAtRest(machine))
        child->ops->settled(child->ctx);
}

/* ---- time ---- */

static void machineDue(void *ctx)
{
    psChild *child = ctx;
    psInputEvent event = {.event = psEventTimer};
    psOutput out;
    double at = now(child);

    if (child->machine.deadline <= at)
        step(child, &event, &out, NULL);
    psGoalsCheck(&child->goals, &child->machine, at, 0, NULL);
    armTimers(child);
}

static void factsDue(void *ctx)
{
    psChild *child = ctx;

    psReportPublish(child);
    armTimers(child);
}

static void arm(psChild *child, psTimer *timer, double deadline, void (*fn)(void *ctx))
{
    if (deadline < HUGE_VAL)
        psLoopArm(child->loop, timer, deadline, fn, child);
    else
        psLoopDisarm(timer);
}

static void armTimers(psChild *child)
{
    psHealthTrack track = child->health;
    double at = now(child);
    double next;

    arm(child, &child->machineTimer, fmin(child->machine.deadline, psGoalsDeadline(&child->goals)),
        machineDue);
    psHealthEvaluate(&track, &child->machine, child->status.exitAlarm, at, &next);
    next = fmin(next, psMachineWindowChange(&child->machine, at));
    arm(child, &child->factsTimer, fmax(next, at + 0.001), factsDue);
}

/* ---- commands ---- */

static void goalEnded(void *ctx, const psGoal *goal, psCmdState how, const char *msg)
{
    psReportCommandEnded(ctx, goal->seq, how, msg);
}

static psEvent eventOf(psVerb verb)
{
    static const psEvent events[psVerbCount] = {
        [psVerbStart] = psEventStart,     [psVerbStop] = psEventStop,
        [psVerbRestart] = psEventRestart, [psVerbKill] = psEventKill,
        [psVerbSignal] = psEventSignal,   [psVerbReset] = psEventReset,
        [psVerbMode] = psEventMode,
    };

    return events[verb];
}

static bool isEvent(psVerb verb)
{
    return (verb >= psVerbStart && verb <= psVerbReset) || verb == psVerbMode;
}

static void changeSetting(psChild *child, const psCommand *cmd)
{
    psSettings settings = child->machine.settings;

    switch (cmd->verb) {
    case psVerbHoldoff:
        settings.holdoffSec = cmd->value;
        break;
    case psVerbHoldoffMax:
        settings.holdoffMaxSec = cmd->value;
        break;
    case psVerbRestartWindow:
        settings.restartWindowSec = cmd->value;
        break;
    case psVerbGrace:
        settings.graceSec = cmd->value;
        break;
    case psVerbMaxRestarts:
        settings.maxRestarts = (int)cmd->value;
        break;
    default:
        return;
    }
    psMachineSettings(&child->machine, &settings, now(child));
}

static void directCommand(psChild *child, const psCommand *cmd, psOutput *out)
{
    out->verdict = psVerdictDone;
    if (cmd->verb == psVerbResetCounters) {
        psMachineResetCounters(&child->machine);
    } else if (cmd->verb == psVerbRotateLog) {
        if (child->console.log) {
            psLogFileReopen(child->console.log);
        } else {
            out->verdict = psVerdictFail;
            out->why = "no log file";
        }
    } else {
        changeSetting(child, cmd);
    }
}

static void eventCommand(psChild *child, const psCommand *cmd, psOutput *out)
{
    psInputEvent event = {
        .event = eventOf(cmd->verb),
        .reason = cmd->reason,
        .mode = cmd->verb == psVerbMode ? (psMode)cmd->value : psModeNever,
        .signo = cmd->verb == psVerbSignal ? (int)cmd->value : 0,
    };

    if (cmd->verb == psVerbStop)
        epicsSnprintf(child->stoppedBy, sizeof(child->stoppedBy), "%s", cmd->by);
    if (!child->machine.ending)
        psGoalsSupersede(&child->goals, cmd->verb, cmd->by);
    step(child, &event, out, NULL);
    if (cmd->verb == psVerbMode && out->verdict == psVerdictDone)
        psReportMode(child);
}

static void finishCommand(psChild *child, int seq, psCmdState how, const char *msg, psDoneFn done,
                          void *ctx)
{
    psReportCommandEnded(child, seq, how, msg);
    if (done)
        done(ctx, how, msg);
}

/* The goal is remembered before the step: the step may already reach it. */
void psChildCommand(psChild *child, const psCommand *cmd, psDoneFn done, void *ctx)
{
    psOutput out = {0};
    int seq = psReportCommand(child, cmd);

    if (isEvent(cmd->verb))
        eventCommand(child, cmd, &out);
    else
        directCommand(child, cmd, &out);
    if (out.verdict == psVerdictWait) {
        int status =
            psGoalsAdd(&child->goals, cmd->verb, seq, &child->machine, now(child), done, ctx);

        if (status)
            finishCommand(child, seq, psCmdFailed, "too many commands in progress", done, ctx);
        else
            psGoalsCheck(&child->goals, &child->machine, now(child), 0, NULL);
    } else if (out.verdict == psVerdictFail) {
        finishCommand(child, seq, psCmdFailed, out.why, done, ctx);
    } else {
        finishCommand(child, seq, psCmdDone, "done", done, ctx);
    }
    psReportPublish(child);
    armTimers(child);
}

void psChildDenied(psChild *child, const psCommand *cmd, const char *reason)
{
    psReportCommandEnded(child, psReportCommand(child, cmd), psCmdDenied, reason);
    psReportPublish(child);
}

void psChildTell(psChild *child, const char *text)
{
    psReportNotice(child, "%s", text);
}

/* ---- keys ---- */

static void keyCommand(psChild *child, const psClient *client, psVerb verb, double value)
{
    psCommand cmd = {.verb = verb, .value = value, .reason = psReasonConsole};

    epicsSnprintf(cmd.by, sizeof(cmd.by), "console %s", client->peer);
    psChildCommand(child, &cmd, NULL, NULL);
}

static void killKey(psChild *child, const psClient *client)
{
    psReportKillKey(child);
    keyCommand(child, client, psMachineAtRest(&child->machine) ? psVerbStart : psVerbKill, 0);
}

static void toggleKey(psChild *child, const psClient *client)
{
    static const psMode next[psModeCount] = {
        [psModeAlways] = psModeNever,
        [psModeOnFailure] = psModeNever,
        [psModeNever] = psModeOneShot,
        [psModeOneShot] = psModeAlways,
    };

    keyCommand(child, client, psVerbMode, next[child->machine.settings.mode]);
}

static void quitKey(psChild *child)
{
    const char *whyNot = NULL;

    if (!child->ops->quit(child->ctx, &whyNot))
        psReportNotice(child, "%s", whyNot);
}

/* @return true if the byte was a key */
static bool isKey(psChild *child, psClient *client, unsigned char byte)
{
    const psConfig *cfg = child->cfg;

    if (byte == 0)
        return false; /* 0 stands for a disabled key */
    if (byte == cfg->killKey) {
        killKey(child, client);
    } else if (byte == cfg->toggleKey) {
        toggleKey(child, client);
    } else if (byte == cfg->logoutKey) {
        psClientClose(client, false);
    } else if (psMachineAtRest(&child->machine) && byte == ('R' & 037)) {
        keyCommand(child, client, psVerbStart, 0);
    } else if (psMachineAtRest(&child->machine) && byte == ('Q' & 037)) {
        quitKey(child);
    } else {
        return false;
    }
    return true;
}

static void takeTyped(psChild *child, psClient *client, const uint8_t *bytes, size_t len)
{
    psInput *input = &child->input;
    size_t taken = psInputPut(input, bytes, len);

    if (taken < len && !input->fullTold) {
        input->fullTold = true;
        psReportInputFull(client, len - taken);
    }
    if (input->lineLen > PS_CANONICAL_BYTES && !input->tooLongTold && psPtyCanonical(&child->pty)) {
        input->tooLongTold = true;
        psReportLineTooLong(client);
    }
    sendInput(child);
}

/* Keys are acted on first, wherever they stand in what came; the rest goes to the child, but
 * for what --ignore names. */
static void typed(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    psChild *child = ctx;
    uint8_t pass[1024];
    size_t passLen = 0;
    size_t i;

    if (client->cols && (client->cols != child->cols || client->rows != child->rows)) {
        child->cols = client->cols;
        child->rows = client->rows;
        psPtySetSize(&child->pty, child->cols, child->rows);
    }
    for (i = 0; i < len; i++) {
        if (!isKey(child, client, bytes[i]) && !child->cfg->ignore[bytes[i]])
            pass[passLen++] = bytes[i];
        if (passLen == sizeof(pass) || (i + 1 == len && passLen > 0)) {
            if (child->pty.master >= 0)
                takeTyped(child, client, pass, passLen);
            passLen = 0;
        }
    }
}

/* The size is that of the client that typed last; the only client needs not type. */
static void sized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psChild *child = ctx;
    ELLNODE *node;

    for (node = ellFirst(&child->console.clients); node; node = ellNext(node)) {
        const psClient *other = CONTAINER(node, psClient, node);

        if (other != client && !other->readOnly && other->typedMono > client->typedMono)
            return;
    }
    child->cols = cols;
    child->rows = rows;
    psPtySetSize(&child->pty, cols, rows);
}

/* ---- life ---- */

static void banner(void *ctx, psText *out, bool readOnly)
{
    psReportBanner(ctx, out, readOnly);
}

static bool admit(void *ctx)
{
    psChild *child = ctx;

    return child->ops->admit(child->ctx);
}

static void counted(void *ctx)
{
    psReportCounts(ctx);
}

static const psConsoleOps consoleOps = {
    .typed = typed,
    .size = sized,
    .banner = banner,
    .admit = admit,
    .counted = counted,
    .resume = ptyResume,
};

static bool copyEnvironment(psChild *child, char *const *envp)
{
    psText info = PS_TEXT_INIT;
    size_t count = 0;
    size_t used = 0;
    size_t i;

    while (envp[count])
        count++;
    child->envp = calloc(count + 2, sizeof(*child->envp));
    if (!child->envp)
        return false;
    psTextPrintf(&info, "PROCSERV_INFO=PID=%d", (int)getpid());
    psConsoleInfo(&child->console, false, &info);
    for (i = 0; i < count; i++) {
        static const char *const ours[] = {
            "PROCSERV_INFO=", "NOTIFY_SOCKET=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="};
        bool skip = false;
        size_t k;

        for (k = 0; k < NELEMENTS(ours); k++)
            skip = skip || strncmp(envp[i], ours[k], strlen(ours[k])) == 0;
        if (!skip)
            child->envp[used++] = epicsStrDup(envp[i]);
    }
    child->envp[used] = info.data; /* owned by child->envp now */
    return !info.failed;
}

static bool copyArguments(psChild *child)
{
    const psConfig *cfg = child->cfg;
    int first = cfg->execFile ? 1 : 0;
    int i;

    child->argv = calloc((size_t)cfg->argc + 2, sizeof(*child->argv));
    if (!child->argv)
        return false;
    child->argv[0] = cfg->execFile; /* -e FILE: FILE gets the command as its first argument */
    for (i = 0; i < cfg->argc; i++)
        child->argv[first + i] = cfg->argv[i];
    return true;
}

static void collectFacts(psChild *child)
{
    const psConfig *cfg = child->cfg;
    char line[1024];

    psConfigCommandLine(cfg, line, sizeof(line));
    psTextPrintf(&child->commandLine, "%s", line);
    psConsoleInfo(&child->console, false, &child->consoles);
    child->facts.name = child->name;
    child->facts.commandLine = child->commandLine.data ? child->commandLine.data : "";
    child->facts.dir = cfg->dir ? cfg->dir : child->serverDir ? child->serverDir : "";
    child->facts.consoles = child->consoles.data ? child->consoles.data + 1 : ""; /* no ';' */
    child->facts.logFile = cfg->logFile ? cfg->logFile : "";
}

static bool prepare(psChild *child, const psConfig *cfg)
{
    char started[128];
    epicsTimeStamp wall;
    size_t len;

    child->cfg = psConfigCopy(cfg);
    if (!child->cfg)
        return false;
    child->name = psConfigName(child->cfg);
    child->serverDir = getcwd(NULL, 0);
    psClockWall(psLoopClock(child->loop), &wall);
    len = psClockFormat(&wall, cfg->timeFormat, started, sizeof(started));
    child->serverStarted = calloc(1, len + 1);
    if (child->serverStarted)
        memcpy(child->serverStarted, started, len);
    psMachineInit(&child->machine, &cfg->settings, cfg->killSignal, cfg->stopInputLen > 0,
                  psClockMono(psLoopClock(child->loop)));
    child->status.exitCode = -1;
    child->status.exitSignal = -1;
    child->status.settings = cfg->settings;
    child->feed = psFeedCreate(&child->status);
    return child->feed && child->serverStarted &&
           !psConsoleInit(&child->console, child->loop, child->cfg, &consoleOps, child) &&
           copyArguments(child);
}

psChild *psChildCreate(psLoop *loop, const psConfig *cfg, const psChildOps *ops, void *ctx,
                       const psInherit *inherit, char *const *envp, const char *argv0,
                       const char *bannerText, int *outStatus, char *msg, size_t msgSize)
{
    static const psPty closed = PS_PTY_INIT;
    psChild *child = calloc(1, sizeof(*child));
    int status = -ENOMEM;

    epicsSnprintf(msg, msgSize, "%s: out of memory", psConfigName(cfg));
    if (child) {
        child->ops = ops;
        child->ctx = ctx;
        child->loop = loop;
        child->inherit = inherit;
        child->argv0 = argv0;
        child->banner = bannerText;
        child->pty = closed;
        child->reap.pidfd = -1;
        child->failedJob.fn = failedJob;
        child->failedJob.ctx = child;
        psGoalsInit(&child->goals, goalEnded, child);
        if (prepare(child, cfg))
            status = psConsoleOpen(&child->console, argv0, msg, msgSize);
        if (status == 0 && !copyEnvironment(child, envp))
            status = -ENOMEM;
    }
    if (status) {
        psChildFree(child);
        *outStatus = status;
        return NULL;
    }
    collectFacts(child);
    return child;
}

void psChildFree(psChild *child)
{
    size_t i;

    if (!child)
        return;
    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psLoopDisarm(&child->sessionTimer);
    psLoopDisarm(&child->machineTimer);
    psLoopDisarm(&child->factsTimer);
    psLoopCancel(child->loop, &child->failedJob);
    psConsoleClear(&child->console, 0.0);
    closePty(child);
    for (i = 0; child->envp && child->envp[i]; i++)
        free(child->envp[i]);
    free(child->envp);
    free(child->argv);
    free(child->serverDir);
    free(child->serverStarted);
    psFeedFree(child->feed);
    psTextClear(&child->commandLine);
    psTextClear(&child->consoles);
    psConfigFree(child->cfg);
    free(child);
}

void psChildBegin(psChild *child)
{
    psOutput out;

    if (child->begun)
        return;
    child->begun = true;
    psConsoleStart(&child->console);
    psMachineBoot(&child->machine, child->cfg->wait, now(child), &out);
    act(child, &out);
    psReportPublish(child);
    armTimers(child);
}

void psChildShutdown(psChild *child)
{
    psInputEvent event = {.event = psEventShutdown};
    psOutput out;

    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    step(child, &event, &out, NULL);
}

bool psChildDown(const psChild *child)
{
    return child->machine.ending && child->machine.state == psStateStopped;
}

void psChildEnd(psChild *child)
{
    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psLoopDisarm(&child->machineTimer);
    psLoopDisarm(&child->factsTimer);
    psConsoleEnd(&child->console);
}
