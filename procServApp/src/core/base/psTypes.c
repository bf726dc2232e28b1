/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <signal.h>
#include <strings.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsStdlib.h>

#include "base/psClock.h"
#include "base/psText.h"
#include "base/psTypes.h"

static const char *const stateNames[] = {
    [psStateStopped] = "Stopped", [psStateWaiting] = "Waiting",     [psStateStarting] = "Starting",
    [psStateRunning] = "Running", [psStateStopping] = "Stopping",   [psStateKilling] = "Killing",
    [psStateHoldoff] = "Holdoff", [psStateCrashLoop] = "CrashLoop", [psStateUnknown] = "Unknown",
};
_Static_assert(NELEMENTS(stateNames) == psStateCount, "a state has no name");

static const char *const modeNames[] = {
    [psModeNever] = "Never",
    [psModeAlways] = "Always",
    [psModeOneShot] = "OneShot",
    [psModeOnFailure] = "OnFailure",
};
_Static_assert(NELEMENTS(modeNames) == psModeCount, "a mode has no name");

/* procServ knows three modes only; OnFailure restarts by itself, so it is shown as ON. */
static const char *const modeConsoleNames[] = {
    [psModeNever] = "OFF",
    [psModeAlways] = "ON",
    [psModeOneShot] = "ONESHOT",
    [psModeOnFailure] = "ON",
};
_Static_assert(NELEMENTS(modeConsoleNames) == psModeCount, "a mode has no console name");

static const char *const exitClassNames[] = {
    [psExitNone] = "None",         [psExitClean] = "Clean",   [psExitError] = "Error",
    [psExitSignal] = "Signal",     [psExitKilled] = "Killed", [psExitTimeout] = "Timeout",
    [psExitExecFail] = "ExecFail", [psExitLost] = "Lost",
};
_Static_assert(NELEMENTS(exitClassNames) == psExitClassCount, "an exit class has no name");

static const char *const reasonNames[] = {
    [psReasonNone] = "None",
    [psReasonBoot] = "Boot",
    [psReasonOperator] = "Operator",
    [psReasonConsole] = "Console",
    [psReasonAutoRestart] = "AutoRestart",
    [psReasonScript] = "Script",
    [psReasonWatchdog] = "Watchdog",
};
_Static_assert(NELEMENTS(reasonNames) == psReasonCount, "a reason has no name");

static const char *const healthNames[] = {
    [psHealthOk] = "OK",
    [psHealthTransient] = "Transient",
    [psHealthNotReady] = "NotReady",
    [psHealthCrashing] = "Crashing",
    [psHealthDown] = "Down",
    [psHealthHung] = "Hung",
};
_Static_assert(NELEMENTS(healthNames) == psHealthCount, "a health has no name");

static const char *const cmdStateNames[] = {
    [psCmdIdle] = "Idle",     [psCmdBusy] = "Busy",     [psCmdDone] = "Done",
    [psCmdFailed] = "Failed", [psCmdDenied] = "Denied", [psCmdTimeout] = "Timeout",
};
_Static_assert(NELEMENTS(cmdStateNames) == psCmdStateCount, "a state of commands has no name");

/* The first entry of a number is the name that is shown. */
static const struct {
    int signo;
    const char *name;
} signalNames[] = {
    {SIGHUP, "SIGHUP"},       {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"},
    {SIGILL, "SIGILL"},       {SIGTRAP, "SIGTRAP"}, {SIGABRT, "SIGABRT"},
    {SIGIOT, "SIGIOT"},       {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"},     {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"},
    {SIGUSR2, "SIGUSR2"},     {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"},
    {SIGTERM, "SIGTERM"},     {SIGCHLD, "SIGCHLD"}, {SIGCONT, "SIGCONT"},
    {SIGSTOP, "SIGSTOP"},     {SIGTSTP, "SIGTSTP"}, {SIGTTIN, "SIGTTIN"},
    {SIGTTOU, "SIGTTOU"},     {SIGURG, "SIGURG"},   {SIGXCPU, "SIGXCPU"},
    {SIGXFSZ, "SIGXFSZ"},     {SIGPROF, "SIGPROF"}, {SIGVTALRM, "SIGVTALRM"},
    {SIGWINCH, "SIGWINCH"},   {SIGIO, "SIGIO"},     {SIGPOLL, "SIGPOLL"},
    {SIGPWR, "SIGPWR"},       {SIGSYS, "SIGSYS"},
#ifdef SIGSTKFLT
    {SIGSTKFLT, "SIGSTKFLT"},
#endif
};

/* Real-time signals: constant strings, so that psSignalName() needs no buffer. */
static const char *const numberedNames[] = {
    "SIG32", "SIG33", "SIG34", "SIG35", "SIG36", "SIG37", "SIG38", "SIG39", "SIG40",
    "SIG41", "SIG42", "SIG43", "SIG44", "SIG45", "SIG46", "SIG47", "SIG48", "SIG49",
    "SIG50", "SIG51", "SIG52", "SIG53", "SIG54", "SIG55", "SIG56", "SIG57", "SIG58",
    "SIG59", "SIG60", "SIG61", "SIG62", "SIG63", "SIG64",
};
_Static_assert(NELEMENTS(numberedNames) == PS_SIGNAL_MAX - 32 + 1,
               "a real-time signal has no name");

const char *psStateName(psState state)
{
    return (unsigned)state < psStateCount ? stateNames[state] : "?";
}

const char *psModeName(psMode mode)
{
    return (unsigned)mode < psModeCount ? modeNames[mode] : "?";
}

const char *psModeConsoleName(psMode mode)
{
    return (unsigned)mode < psModeCount ? modeConsoleNames[mode] : "?";
}

const char *psExitClassName(psExitClass cls)
{
    return (unsigned)cls < psExitClassCount ? exitClassNames[cls] : "?";
}

const char *psReasonName(psStartReason reason)
{
    return (unsigned)reason < psReasonCount ? reasonNames[reason] : "?";
}

const char *psHealthName(psHealth health)
{
    return (unsigned)health < psHealthCount ? healthNames[health] : "?";
}

const char *psCmdStateName(psCmdState state)
{
    return (unsigned)state < psCmdStateCount ? cmdStateNames[state] : "?";
}

void psLockoutText(const psLockout *lockout, char *out, size_t size)
{
    char since[32];

    psClockFormat(&lockout->time, "%Y-%m-%d %H:%M:%S", since, sizeof(since));
    epicsSnprintf(out, size, "locked out by %s since %s%s%s", lockout->by, since,
                  lockout->msg[0] ? ": " : "", lockout->msg);
    psTextEndWhole(out, size);
}

const char *psSignalName(int signo)
{
    for (size_t i = 0; i < NELEMENTS(signalNames); i++)
        if (signalNames[i].signo == signo)
            return signalNames[i].name;
    if (signo >= 32 && signo <= PS_SIGNAL_MAX)
        return numberedNames[signo - 32];
    return "?";
}

int psSignalParse(const char *text)
{
    const char *name = text;
    epicsInt32 number;

    if (strncasecmp(text, "SIG", 3) == 0)
        name = text + 3;
    for (size_t i = 0; i < NELEMENTS(signalNames); i++)
        if (strcasecmp(name, signalNames[i].name + 3) == 0)
            return signalNames[i].signo;
    if (epicsParseInt32(name, &number, 10, NULL) == 0 && number >= 1 && number <= PS_SIGNAL_MAX)
        return number;
    return -EINVAL;
}
