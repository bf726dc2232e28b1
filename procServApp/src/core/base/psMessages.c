/* SPDX-License-Identifier: EPICS */
#include <ctype.h>
#include <string.h>

#include "base/psMessages.h"

#define NL "\r\n"
#define RULER "@@@ @@@ @@@ @@@ @@@" NL

/* "before" name "after": the name comes from people. */
static void appendLine(psText *out, const char *before, const char *name, const char *after)
{
    psTextPrintf(out, "%s", before);
    psTextAppendName(out, name, strlen(name));
    psTextPrintf(out, "%s", after);
}

static void appendHelp(psText *out, const psBanner *banner)
{
    char key[3];

    psTextPrintf(out, "@@@ Welcome to procServ (%s)" NL,
                 banner->program ? banner->program : "procServIoc " PS_VERSION);
    if (banner->keys.kill) {
        psKeyPrint(banner->keys.kill, key);
        psTextPrintf(out, "@@@ Use %s to kill the child, ", key);
    } else {
        psTextPrintf(out, "@@@ Kill command disabled, ");
    }
    psTextPrintf(out, "auto restart mode is %s, ", psModeConsoleName(banner->mode));
    if (banner->keys.toggle) {
        psKeyPrint(banner->keys.toggle, key);
        psTextPrintf(out, "use %s to toggle auto restart" NL, key);
    } else {
        psTextPrintf(out, "auto restart toggle disabled" NL);
    }
    if (banner->keys.logout) {
        psKeyPrint(banner->keys.logout, key);
        psTextPrintf(out, "@@@ Use %s to logout from procServ server" NL, key);
    }
}

static void appendChild(psText *out, const psBanner *banner)
{
    if (strcmp(banner->name, banner->command) != 0)
        appendLine(out, "@@@ Child \"", banner->name, "\" started as: ");
    else
        psTextPrintf(out, "@@@ Child started as: ");
    appendLine(out, "", banner->command, NL);
    if (banner->logFile)
        appendLine(out,
                   banner->logFailed ? "@@@ Child log file: unable to open log file "
                                     : "@@@ Child log file: ",
                   banner->logFile, NL);
    if (banner->pvs)
        appendLine(out, "@@@ PVs: ", banner->pvs, NL);
    appendLine(out, "@@@ Child \"", banner->name, "\" ");
    if (banner->childPid)
        psTextPrintf(out, "PID: %d" NL, banner->childPid);
    else
        psTextPrintf(out, "is SHUT DOWN" NL);
}

static void appendRestartHelp(psText *out, const psKeys *keys)
{
    const char *between = "";
    char key[3];

    psTextPrintf(out, "@@@ ");
    if (!keys->noStart)
        psTextPrintf(out, "^R ");
    if (keys->kill) {
        psKeyPrint(keys->kill, key);
        psTextPrintf(out, keys->noStart ? "%s " : "or %s ", key);
    }
    if (keys->kill || !keys->noStart) {
        psTextPrintf(out, "restarts the child");
        between = ", ";
    }
    if (!keys->noQuit) {
        psTextPrintf(out, "%s^Q quits the server", between);
        between = ", ";
    }
    if (keys->logout) {
        psKeyPrint(keys->logout, key);
        psTextPrintf(out, "%s%s closes this connection", between, key);
        between = ", ";
    }
    psTextPrintf(out, "%s" NL, *between ? "" : "no key starts the child: use its PVs");
}

void psMessageBanner(psText *out, const psBanner *banner)
{
    if (!banner->readOnly)
        appendHelp(out, banner);
    psTextPrintf(out, "@@@ procServ server PID: %d" NL, banner->serverPid);
    appendLine(out, "@@@ Server startup directory: ", banner->serverDir, NL);
    appendLine(out, "@@@ Child startup directory: ",
               banner->childDir ? banner->childDir : banner->serverDir, NL);
    appendChild(out, banner);
    appendLine(out, "@@@ procServ server started at: ", banner->serverStarted, NL);
    if (banner->childPid) {
        appendLine(out, "@@@ Child \"", banner->name, "\" started at: ");
        appendLine(out, "", banner->childStarted, NL);
    }
    if (!banner->readOnly)
        psTextPrintf(out, "@@@ %d user(s) and %d logger(s) connected (plus you)" NL, banner->users,
                     banner->loggers);
    if (!banner->childPid)
        appendRestartHelp(out, &banner->keys);
}

void psMessageToggled(psText *out, psMode mode)
{
    psTextPrintf(out, NL "@@@ Toggled auto restart mode to %s" NL, psModeConsoleName(mode));
}

void psMessageKill(psText *out)
{
    psTextPrintf(out, NL "@@@ Got a kill command" NL);
}

void psMessageJustStarted(psText *out, const char *key)
{
    psTextPrintf(out, NL "@@@ %s is not needed: the child has just been started" NL, key);
}

void psMessageRestarting(psText *out, const char *name, const char *argv0)
{
    appendLine(out, "@@@ Restarting child \"", name, "\"" NL);
    if (strcmp(name, argv0) != 0)
        appendLine(out, "@@@    (as ", argv0, ")" NL);
}

void psMessageNewPid(psText *out, const char *name, int pid)
{
    appendLine(out, "@@@ The PID of new child \"", name, "\" is: ");
    psTextPrintf(out, "%d" NL RULER, pid);
}

void psMessageReaped(psText *out, int pid, int code, int signo)
{
    psTextPrintf(out, NL RULER "@@@ Received a sigChild for process %d. ", pid);
    if (signo > 0)
        psTextPrintf(out, "The process was killed by signal %d" NL, signo);
    else
        psTextPrintf(out, "Normal exit status = %d" NL, code);
}

void psMessageGone(psText *out, const char *time, psMode mode, const psKeys *keys)
{
    const char *next = "a new one will be restarted shortly";

    if (mode == psModeNever)
        next = "auto restart is disabled";
    else if (mode == psModeOneShot)
        next = "oneshot mode: server will exit";
    appendLine(out, "@@@ Current time: ", time, NL);
    psTextPrintf(out, "@@@ Child process is shutting down, %s" NL, next);
    if (mode != psModeOneShot)
        appendRestartHelp(out, keys);
}

void psMessageLost(psText *out, unsigned long long bytes)
{
    psTextPrintf(out, "@@@ %llu bytes lost" NL, bytes);
}

void psMessageInputFull(psText *out, unsigned long bytes)
{
    psTextPrintf(
        out, NL "@@@ The child does not read its terminal: %lu bytes typed were dropped" NL, bytes);
}

void psMessageInputNoMemory(psText *out, unsigned long bytes)
{
    psTextPrintf(out, NL "@@@ Out of memory: %lu bytes typed were dropped" NL, bytes);
}

void psMessagePressAgain(psText *out, const char *key, double sec, const char *ends)
{
    psTextPrintf(out, NL "@@@ %s again within %g s %s" NL, key, sec, ends);
}

void psMessageLineTooLong(psText *out)
{
    psTextPrintf(out, NL "@@@ A line is longer than the 4095 bytes that a terminal can hold: the "
                         "rest was dropped" NL);
}

void psMessageConsolesFull(psText *out, int limit)
{
    psTextPrintf(out, "@@@ All %d console connections are in use: try again later" NL, limit);
}

void psMessageNotice(psText *out, const char *fmt, ...)
{
    psText text = PS_TEXT_INIT;
    va_list args;

    va_start(args, fmt);
    psTextVPrintf(&text, fmt, args);
    va_end(args);
    if (text.failed)
        out->failed = true;
    else
        appendLine(out, "@@@ ", text.data ? text.data : "", NL);
    psTextClear(&text);
}
