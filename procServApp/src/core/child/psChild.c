/* SPDX-License-Identifier: EPICS */
/*
 * One supervised process: its life as an object, and the commands it takes.  What happens to
 * the process is in psChildProcess.c, its terminal in psChildPty.c, what people learn of it in
 * psChildReport.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "child/psChildPvt.h"
#include "model/psSetting.h"

#define LOG_WAIT_SEC 1.0 /* for a log still being written when the child is freed */

double psChildNow(const psChild *child)
{
    return psClockMono(psLoopClock(child->loop));
}

/* ---- commands ---- */

static void goalEnded(void *ctx, const psGoal *goal, psCmdState how, const char *msg)
{
    psReportCommandEnded(ctx, goal->seq, how, msg);
}

static void changeSetting(psChild *child, const psSetting *setting, double value)
{
    psSettings settings = child->machine.settings;

    psSettingPut(setting, &settings, value);
    psMachineSettings(&child->machine, &settings, psChildNow(child));
}

/* It is done once it was tried: see logRotated(). */
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
        epicsSnprintf(child->stoppedBy, sizeof(child->stoppedBy), "%s", cmd->by);
    if (!child->machine.ending)
        psGoalsSupersede(&child->goals, cmd->verb, cmd->by);
    psChildStep(child, &event, out, NULL);
}

/* An outcome is published before it is delivered. */
void psChildCommand(psChild *child, const psCommand *cmd, psDoneFn done, void *ctx)
{
    psOutput out = {0};
    int seq = psReportCommand(child, cmd);
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
        how = psCmdBusy;
        if (psGoalsAdd(&child->goals, cmd->verb, seq, out.why, &child->machine, psChildNow(child),
                       done, ctx)) {
            how = psCmdFailed;
            msg = "begun, but too many commands wait already to tell its end";
        }
        psGoalsCheck(&child->goals, &child->machine, psChildNow(child), 0, NULL);
    }
    if (how != psCmdBusy)
        psReportCommandEnded(child, seq, how, msg);
    psReportPublish(child);
    psGoalsDeliver(&child->goals);
    if (how != psCmdBusy && done)
        done(ctx, how, msg);
    psChildArmTimers(child);
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

/* ---- life ---- */

static void banner(void *ctx, psText *out, bool readOnly)
{
    psReportBanner(ctx, out, readOnly);
}

static void ptyResume(void *ctx)
{
    psChildWatchPty(ctx, true);
}

static int admit(void *ctx)
{
    psChild *child = ctx;

    return child->ops->admit(child->ctx);
}

static void counted(void *ctx)
{
    psChild *child = ctx;

    psReportCounts(child);
    if (child->machine.ending)
        child->ops->settled(child->ctx);
}

static void logRotated(void *ctx, int request, const char *why)
{
    psChild *child = ctx;

    psGoalsEnd(&child->goals, psVerbRotateLog, request, why ? psCmdFailed : psCmdDone,
               why ? why : "done");
    psReportPublish(child);
    psGoalsDeliver(&child->goals);
    psChildArmTimers(child);
}

static void consoleEnded(void *ctx)
{
    psChild *child = ctx;

    child->ops->settled(child->ctx);
}

static const psConsoleOps consoleOps = {
    .typed = psChildTyped,
    .size = psChildSized,
    .banner = banner,
    .admit = admit,
    .counted = counted,
    .resume = ptyResume,
    .rotated = logRotated,
    .ended = consoleEnded,
};

static bool copyEnvironment(psChild *child, char *const *envp)
{
    psText info = PS_TEXT_INIT;
    size_t count = 0;
    size_t used = 0;

    while (envp[count])
        count++;
    child->envp = calloc(count + 2, sizeof(*child->envp));
    if (!child->envp)
        return false;
    psTextPrintf(&info, "PROCSERV_INFO=PID=%d", (int)getpid());
    psConsoleInfo(&child->console, false, &info);
    for (size_t i = 0; i < count; i++) {
        static const char *const ours[] = {
            "PROCSERV_INFO=", "NOTIFY_SOCKET=", "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES="};
        bool skip = false;

        for (size_t k = 0; k < NELEMENTS(ours); k++)
            skip = skip || strncmp(envp[i], ours[k], strlen(ours[k])) == 0;
        if (!skip && (child->envp[used] = strdup(envp[i])) != NULL)
            used++;
        else if (!skip)
            info.failed = true;
    }
    child->envp[used] = info.data; /* owned by child->envp now */
    return !info.failed;
}

static bool copyArguments(psChild *child)
{
    const psConfig *cfg = child->cfg;
    int first = cfg->execFile ? 1 : 0;

    child->argv = calloc((size_t)cfg->argc + 2, sizeof(*child->argv));
    if (!child->argv)
        return false;
    child->argv[0] = cfg->execFile; /* -e FILE: FILE gets the command as its first argument */
    for (int i = 0; i < cfg->argc; i++)
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

    child->cfg = psConfigCopy(cfg);
    if (!child->cfg)
        return false;
    child->name = psConfigName(child->cfg);
    child->serverDir = getcwd(NULL, 0);
    psClockWall(psLoopClock(child->loop), &wall);
    size_t len = psClockFormat(&wall, cfg->timeFormat, started, sizeof(started));
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
    if (!child)
        return;
    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psGoalsDeliver(&child->goals);
    psLoopDisarm(&child->sessionTimer);
    psLoopDisarm(&child->machineTimer);
    psLoopDisarm(&child->factsTimer);
    psLoopCancel(child->loop, &child->failedJob);
    psSpawnAbandon(child->spawn); /* one that hangs: everything else was awaited */
    psConsoleClear(&child->console, LOG_WAIT_SEC);
    psChildClosePty(child);
    for (size_t i = 0; child->envp && child->envp[i]; i++)
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
    if (child->machine.incarnation > 0 || child->machine.ending)
        return; /* a command came before */
    psMachineBoot(&child->machine, child->cfg->wait, psChildNow(child), &out);
    psChildAct(child, &out);
    psReportPublish(child);
    psChildArmTimers(child);
}

void psChildShutdown(psChild *child)
{
    psInputEvent event = {.event = psEventShutdown};
    psOutput out;

    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psChildStep(child, &event, &out, NULL);
}

bool psChildDown(const psChild *child)
{
    return child->machine.ending && child->machine.state == psStateStopped;
}

void psChildEnd(psChild *child)
{
    psGoalsFailAll(&child->goals, psCmdFailed, "shutting down");
    psGoalsDeliver(&child->goals);
    psLoopDisarm(&child->machineTimer);
    psLoopDisarm(&child->factsTimer);
    psConsoleEnd(&child->console);
}
