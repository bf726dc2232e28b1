/* SPDX-License-Identifier: EPICS */
/*
 * What is known of a child, for people.  Each concern prints its own lines, at its own level; one
 * that is new is a function and a row of the table at the end.  The words at the left are those of
 * the records.
 */
#include <stdarg.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "base/psClock.h"
#include "model/psSetting.h"
#include "model/psVerb.h"
#include "sup/psSupChildren.h"

typedef struct view {
    psSup *sup;
    const psChildFacts *facts;
    psStatus status;
    psConsoleStatus console;
    psResources resources;
    FILE *out;
} view;

/* ---- how a value is shown ---- */

/* "    Name          value" */
EPICS_PRINTF_STYLE(3, 4)
static void line(const view *v, const char *name, const char *fmt, ...)
{
    va_list args;

    fprintf(v->out, "    %-13s ", name);
    va_start(args, fmt);
    vfprintf(v->out, fmt, args);
    va_end(args);
    fputc('\n', v->out);
}

/* Local time; "-" where there was none. */
static const char *timeOf(const epicsTimeStamp *stamp, char out[32])
{
    if (stamp->secPastEpoch)
        psClockFormat(stamp, "%Y-%m-%d %H:%M:%S", out, 32);
    else
        epicsSnprintf(out, 32, "-");
    return out;
}

static double toMiB(uint64_t bytes)
{
    return (double)bytes / (1024 * 1024);
}

static const char *orNone(const char *text)
{
    return text && text[0] ? text : "none";
}

/* ---- level 0 and 1 ---- */

static void reportState(const view *v)
{
    const psStatus *status = &v->status;

    fprintf(v->out, "%-20s %-9s pid %-7d restarts %d  %s\n", v->facts->name,
            psStateName(status->state), status->pid, status->restarts, status->stateMsg);
}

static void reportFacts(const view *v)
{
    line(v, "Cmd", "%s", v->facts->commandLine);
    line(v, "Cwd", "%s", v->facts->dir);
    line(v, "Console", "%s", orNone(v->facts->consoles));
    line(v, "LogFile", "%s", orNone(v->facts->logFile));
}

static void reportExit(const view *v)
{
    line(v, "ExitMsg", "%s", orNone(v->status.exitMsg));
}

/* ---- level 2 ---- */

static void reportRun(const view *v)
{
    const psStatus *status = &v->status;
    double upSec = status->running ? psSupMono(v->sup) - status->startMono : 0;
    char when[32];

    line(v, "Ready", "%s; Desired %s; Health %s", status->ready ? "Ready" : "NotReady",
         status->desiredUp ? "Up" : "Down", psHealthName(status->health));
    line(v, "ReadyTime", "%.1f s%s", status->readyAfterSec,
         status->readyLate ? "; it should be ready by now" : "");
    line(v, "StartTime", "%s, for %s; up %.0f s", timeOf(&status->startTime, when),
         psReasonName(status->startReason), upSec);
    if (status->nextStartMono > 0)
        line(v, "HoldoffRemain", "%.1f s", status->nextStartMono - psSupMono(v->sup));
    line(v, "Starts", "%d; Restarts %d; AutoRestarts %d; Crashes %d; WindowCrashes %d",
         status->starts, status->restarts, status->autoRestarts, status->crashes,
         status->windowCrashes);
    line(v, "Seq", "%u", (unsigned)status->seq);
}

static void reportAlive(const view *v)
{
    line(v, "Alive", "%s: %s", v->status.alive ? "Alive" : "Silent", orNone(v->status.aliveMsg));
}

static void reportExits(const view *v)
{
    const psStatus *status = &v->status;
    char when[32];

    if (!status->historyCount)
        return;
    line(v, "ExitClass", "%s; status %d, signal %d%s; ran %d s; %.1f MiB, %.1f s of CPU",
         psExitClassName(status->exitClass), status->exitCode, status->exitSignal,
         status->exitCore ? ", core dumped" : "", status->lastRunSec, status->exitMaxRssMiB,
         status->exitCpuSec);
    for (int i = 0; i < status->historyCount; i++) {
        const psExitRecord *exit = &status->history[i];
        epicsTimeStamp stamp = {(epicsUInt32)(exit->timePosix - POSIX_TIME_AT_EPICS_EPOCH), 0};

        line(v, i ? "" : "Exits", "%s  %-8s %4d after %d s", timeOf(&stamp, when),
             psExitClassName(exit->cls), exit->code, exit->runSec);
    }
}

static void reportSettings(const view *v)
{
    const psSetting *setting;

    for (unsigned i = 0; (setting = psSettingAt(i)); i++) {
        double value = psSettingGet(setting, &v->status.settings);

        if (setting->type == psSettingMode)
            line(v, setting->record, "%s", psModeName((psMode)value));
        else
            line(v, setting->record, "%g%s%s", value, setting->unit ? " " : "",
                 setting->unit ? setting->unit : "");
    }
    line(v, "Overridden", "%s", v->status.overridden ? "Yes" : "No");
}

static void reportCommand(const view *v)
{
    const psCmdStatus *cmd = &v->status.cmd;
    char when[32];

    if (!cmd->seq)
        line(v, "CmdLast", "none");
    else
        line(v, "CmdLast", "%s of %s at %s: %s: %s", psVerbName(cmd->verb), cmd->by,
             timeOf(&cmd->time, when), psCmdStateName(cmd->state), orNone(cmd->msg));
}

static void reportLockout(const view *v)
{
    char text[2 * PS_TEXT_BYTES] = "No";

    if (v->status.lockout.on)
        psLockoutText(&v->status.lockout, text, sizeof(text));
    line(v, "Lockout", "%s", text);
}

static void reportConsole(const view *v)
{
    const psConsoleStatus *console = &v->console;

    if (!console->seq) {
        line(v, "Clients", "unknown: no record of the console is loaded");
        return;
    }
    line(v, "Clients", "%d; Loggers %d; Refused %u; Lost %.3f MiB", console->clients,
         console->loggers, console->refused, toMiB(console->lostBytes));
    if (console->clientList[0])
        line(v, "ClientList", "%s", console->clientList);
    line(v, "OutLines", "%u; OutRate %.0f B/s", (unsigned)console->lines, console->byteRate);
    line(v, "OutLast", "%s", orNone(console->lastLine));
    line(v, "LogSize", "%.3f MiB; LogDropped %.3f MiB; LogError %s", toMiB(console->logBytes),
         toMiB(console->logLostBytes), console->logError ? strerror(console->logError) : "OK");
}

static void reportResources(const view *v)
{
    const psResources *used = &v->resources;

    if (!used->seq || used->error) {
        line(v, "Cpu", "unknown: %s",
             used->seq ? strerror(used->error) : "/proc has not been read yet, or never is");
        return;
    }
    line(v, "Cpu", "%.1f %%; CpuTime %.1f s", used->cpuPercent, used->cpuSec);
    line(v, "Rss", "%.1f MiB; VSize %.1f MiB", used->rssMiB, used->sizeMiB);
    line(v, "Threads", "%d; Procs %d; OomScore %d", used->threads, used->procs, used->oomScore);
    if (!used->fdError)
        line(v, "Fds", "%d; FdMax %d; FdPct %.1f %%", used->fds, used->fdMax, used->fdPercent);
    if (!used->ioError)
        line(v, "IoRead", "%.1f kB/s; IoWrite %.1f kB/s", used->readKBs, used->writtenKBs);
}

static const struct {
    int level;
    void (*report)(const view *v);
} concerns[] = {
    {0, reportState},   {1, reportFacts},   {2, reportRun},       {2, reportAlive},
    {1, reportExit},    {2, reportExits},   {2, reportSettings},  {2, reportCommand},
    {2, reportLockout}, {2, reportConsole}, {2, reportResources},
};

void psSupReportChild(psSup *sup, psChild *child, FILE *out, int level)
{
    view v = {.sup = sup, .facts = psChildGetFacts(child), .out = out};

    psFeedNewest(psChildFeed(child), &v.status);
    psFeedConsole(psChildFeed(child), &v.console);
    psFeedResources(psChildFeed(child), &v.resources);
    for (size_t i = 0; i < NELEMENTS(concerns); i++)
        if (level >= concerns[i].level)
            concerns[i].report(&v);
}

void psSupReport(psSup *sup, FILE *out, int level)
{
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        psSupReportChild(sup, child, out, level);
}
