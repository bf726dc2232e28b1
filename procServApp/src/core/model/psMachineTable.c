/* SPDX-License-Identifier: EPICS */
/*
 * The table of the state machine: the whole behaviour.  One cell for each event and each kind of
 * state, a handler and the sentence that docs/design.md prints for it.  Handlers are small and
 * only change the machine and the output; they never look at a clock, a descriptor or another
 * child.
 *
 * Three questions shape the restart policy, and they are kept apart: what somebody wants
 * (desiredUp), what follows the exit that is being waited for (afterExit), and what the mode
 * says about an exit that nobody planned (psMachineEnd.c).
 */
#include <math.h>
#include <signal.h>

#include "model/psMachinePvt.h"

/* ---- commands ---- */

static void fail(psOutput *out, const char *why)
{
    out->verdict = psVerdictFail;
    out->why = why;
}

#define PS_HANDLER(name) static PS_MACHINE_HANDLER(name)

PS_HANDLER(nothing)
{
}

PS_HANDLER(startAtRest)
{
    m->desiredUp = true;
    psRestartPolicyForget(&m->policy);
    out->actions |= PS_DO_CLEAR_ALARM;
    psMachineToStarting(m, event->reason, now, out);
    out->verdict = psVerdictWait;
}

PS_HANDLER(startStarting)
{
    m->desiredUp = true;
    out->verdict = psVerdictWait;
    out->why = "merged with a start in progress";
}

PS_HANDLER(startRunning)
{
    m->desiredUp = true;
    out->verdict = psVerdictDone;
    out->why = "it is running already";
}

PS_HANDLER(startAfterExit)
{
    m->desiredUp = true;
    if (m->afterExit == psAfterExitStart)
        out->why = "merged with the start that follows";
    psMachineTakeOver(m);
    m->afterExit = psAfterExitStart;
    m->nextReason = event->reason;
    out->verdict = psVerdictWait;
}

PS_HANDLER(restartRunning)
{
    m->desiredUp = true;
    psMachineTakeOver(m);
    psMachineToStopping(m, now, out);
    startAfterExit(m, event, now, out);
}

PS_HANDLER(stopAtRest)
{
    m->desiredUp = false;
    m->byPolicy = false;
    if (m->state != psStateStopped)
        psMachineToStopped(m, out);
    else
        out->why = "it is stopped already";
    out->verdict = psVerdictDone;
}

PS_HANDLER(stopStarting)
{
    m->desiredUp = false;
    psMachineToKilling(m, now, out);
    m->afterExit = psAfterExitStop;
    out->verdict = psVerdictWait;
}

PS_HANDLER(stopRunning)
{
    m->desiredUp = false;
    psMachineTakeOver(m);
    psMachineToStopping(m, now, out);
    m->afterExit = psAfterExitStop;
    out->verdict = psVerdictWait;
}

PS_HANDLER(stopAfterExit)
{
    m->desiredUp = false;
    if (m->afterExit == psAfterExitStop)
        out->why = "merged with a stop in progress";
    psMachineTakeOver(m);
    m->afterExit = psAfterExitStop;
    out->verdict = psVerdictWait;
}

PS_HANDLER(noProcess)
{
    fail(out, "no process");
}

PS_HANDLER(isStarting)
{
    fail(out, "the process is starting");
}

PS_HANDLER(killStarting)
{
    psMachineToKilling(m, now, out);
    out->verdict = psVerdictWait;
}

PS_HANDLER(killRunning)
{
    psMachineTakeOver(m);
    psMachineToSignalStage(m, now, out);
    out->verdict = psVerdictWait;
}

/* Not because a grace period was over, even if one was in an earlier stage. */
PS_HANDLER(killStopping)
{
    m->graceRanOut = false;
    psMachineTakeOver(m);
    psMachineToNextStage(m, now, out);
    out->verdict = psVerdictWait;
}

PS_HANDLER(killKilling)
{
    psMachineTakeOver(m);
    out->actions |= PS_DO_SIGKILL;
    out->verdict = psVerdictWait;
}

PS_HANDLER(sendSignal)
{
    out->actions |= PS_DO_SIGNAL;
    out->signo = event->signo;
    m->signalsSent |= psMachineSignalBit(event->signo);
    out->verdict = psVerdictDone;
}

/* ---- events of the process ---- */

PS_HANDLER(spawned)
{
    psRestartPolicySpawned(&m->policy);
    m->startMono = now;
    psMachineTo(m, psStateRunning, HUGE_VAL, out);
}

PS_HANDLER(spawnedKilling)
{
    out->actions |= PS_DO_SIGKILL; /* its pid is certain only now */
    out->moved = true;
}

PS_HANDLER(exitedStarting)
{
    spawned(m, event, now, out);
    psMachineEnded(m, event, now, out);
}

/* ---- time ---- */

PS_HANDLER(timerAtRest)
{
    if (m->state == psStateHoldoff)
        psMachineAutoStart(m, now, now, out);
}

PS_HANDLER(timerStarting)
{
    m->deadline = HUGE_VAL;
    out->actions |= PS_DO_EXEC_HANGS;
}

PS_HANDLER(timerStopping)
{
    m->graceRanOut = true;
    psMachineToNextStage(m, now, out);
}

PS_HANDLER(timerKilling)
{
    /* Compared as the deadlines were computed: a difference may be rounded below its limit. */
    if (m->ending && now >= m->killingSince + PS_ABANDON_SEC) {
        out->actions |= PS_DO_ABANDON;
        psMachineToStopped(m, out);
        return;
    }
    out->actions |= PS_DO_SIGKILL;
    m->deadline = now + PS_KILL_REPEAT_SEC;
    if (m->ending)
        m->deadline = fmin(m->deadline, m->killingSince + PS_ABANDON_SEC);
    if (now >= m->killingSince + PS_CANNOT_KILL_SEC && !m->cannotKill) {
        m->cannotKill = true;
        out->actions |= PS_DO_CANNOT_KILL;
    }
}

/* ---- shutdown ---- */

PS_HANDLER(endAtRest)
{
    m->ending = true;
    stopAtRest(m, event, now, out);
}

PS_HANDLER(endStarting)
{
    m->ending = true;
    stopStarting(m, event, now, out);
}

PS_HANDLER(endRunning)
{
    m->ending = true;
    stopRunning(m, event, now, out);
}

/* The second shutdown does not wait for stages. */
PS_HANDLER(endStopping)
{
    bool again = m->ending;

    m->ending = true;
    stopAfterExit(m, event, now, out);
    if (again) {
        m->graceRanOut = false;
        psMachineToKilling(m, now, out);
    }
}

PS_HANDLER(endKilling)
{
    if (!m->ending)
        m->killingSince = now;
    m->ending = true;
    m->deadline = fmin(m->deadline, m->killingSince + PS_ABANDON_SEC);
    stopAfterExit(m, event, now, out);
    out->actions |= PS_DO_SIGKILL;
}

/* ---- the table ---- */

/* The cells of what concerns a running process only. */
#define PS_WHEN_RUNNING(handler, text)                                                             \
    {                                                                                              \
        {nothing, "-"}, {nothing, "-"}, {handler, text}, {nothing, "-"},                           \
        {                                                                                          \
            nothing, "-"                                                                           \
        }                                                                                          \
    }

static const psMachineRow table[psEventCount] = {
    [psEventStart] = {"start",
                      psVerbStart,
                      true,
                      {{startAtRest, "to Starting; hold-off forgotten, crash window cleared"},
                       {startStarting, "desired up, wait"},
                       {startRunning, "done"},
                       {startAfterExit, "desired up, start after exit"},
                       {startAfterExit, "desired up, start after exit"}}},
    [psEventRestart] = {"restart",
                        psVerbRestart,
                        true,
                        {{startAtRest, "to Starting; hold-off forgotten, crash window cleared"},
                         {startStarting, "desired up, wait: this start counts for it"},
                         {restartRunning, "to Stopping, then start at once"},
                         {startAfterExit, "desired up, start after exit"},
                         {startAfterExit, "desired up, start after exit"}}},
    [psEventStop] = {"stop",
                     psVerbStop,
                     false,
                     {{stopAtRest, "to Stopped, done"},
                      {stopStarting, "desired down, SIGKILL, to Killing"},
                      {stopRunning, "desired down, to Stopping, stage 1"},
                      {stopAfterExit, "desired down; a pending start is superseded"},
                      {stopAfterExit, "desired down; a pending start is superseded"}}},
    [psEventKill] = {"kill",
                     psVerbKill,
                     false,
                     {{noProcess, "fails \"no process\""},
                      {killStarting, "SIGKILL, to Killing; then as the mode says"},
                      {killRunning,
                       "kill signal; 9: to Killing, else to Stopping; then as the mode says"},
                      {killStopping, "next stage now"},
                      {killKilling, "SIGKILL again"}}},
    [psEventSignal] = {"signal",
                       psVerbSignal,
                       false,
                       {{noProcess, "fails \"no process\""},
                        {isStarting, "fails \"the process is starting\""},
                        {sendSignal, "to the group; ended by it: class Killed"},
                        {sendSignal, "to the group"},
                        {sendSignal, "to the group"}}},
    [psEventMode] = {"mode",
                     psVerbMode,
                     true,
                     {{psMachineModeAtRest,
                       "Holdoff: Never to Stopped, OnFailure after a clean end to Stopped; "
                       "Stopped by policy: Always, OneShot start; else noted"},
                      {psMachineModeNoted, "noted"},
                      {psMachineModeNoted, "noted"},
                      {psMachineModeNoted, "noted"},
                      {psMachineModeNoted, "noted"}}},
    [psEventReset] = {"reset",
                      psVerbReset,
                      true,
                      {{psMachineResetAtRest,
                        "CrashLoop: to Starting if desired up; Holdoff: less what doubling added; "
                        "alarm and window cleared"},
                       {psMachineResetNoted, "alarm and window cleared"},
                       {psMachineResetNoted, "alarm and window cleared"},
                       {psMachineResetNoted, "alarm and window cleared"},
                       {psMachineResetNoted, "alarm and window cleared"}}},
    [psEventSpawned] = {"spawned",
                        psVerbNone,
                        false,
                        {{nothing, "-"},
                         {spawned, "to Running"},
                         {nothing, "-"},
                         {nothing, "-"},
                         {spawnedKilling, "SIGKILL again"}}},
    [psEventSpawnFailed] = {"spawn failed",
                            psVerbNone,
                            false,
                            {{nothing, "-"},
                             {psMachineStartFailed,
                              "class ExecFail; by mode: to Holdoff, CrashLoop or Stopped"},
                             {nothing, "-"},
                             {nothing, "-"},
                             {psMachineStartCalledOff, "to rest or a new start, as an exit"}}},
    [psEventExited] = {"exited",
                       psVerbNone,
                       false,
                       {{nothing, "-"},
                        {exitedStarting, "as spawned, then as Running"},
                        {psMachineEnded, "by mode; no delay left: straight to Starting"},
                        {psMachineEnded,
                         "as planned: Starting after start or restart, Stopped after stop; "
                         "after kill by mode"},
                        {psMachineEnded, "as planned; class Timeout if SIGKILL followed a grace"}}},
    [psEventTimer] =
        {"timer",
         psVerbNone,
         false,
         {{timerAtRest, "Holdoff: to Starting"},
          {timerStarting, "reports that exec hangs"},
          {nothing, "-"},
          {timerStopping, "next stage"},
          {timerKilling,
           "SIGKILL again every 1 s; after 5 s an alarm; ending: given up after 1 s"}}},
    [psEventShutdown] = {"shutdown",
                         psVerbNone,
                         false,
                         {{endAtRest, "to Stopped, done"},
                          {endStarting, "as stop"},
                          {endRunning, "as stop"},
                          {endStopping, "no restart; a second one: SIGKILL, to Killing"},
                          {endKilling, "no restart; given up after 1 s"}}},
    [psEventHung] = {"hung", psVerbNone, false, PS_WHEN_RUNNING(psMachineHung, "shown as hung")},
    [psEventAlive] = {"alive", psVerbNone, false,
                      PS_WHEN_RUNNING(psMachineAlive, "shown as alive")},
    [psEventUnfit] = {"unfit", psVerbNone, true,
                      PS_WHEN_RUNNING(psMachineUnfit,
                                      "as killed, but nobody asked: then as after a crash")},
};

const psMachineRow *psMachineRowOf(psEvent event)
{
    return event < psEventCount ? &table[event] : NULL;
}

psMachineColumn psMachineColumnOf(psState state)
{
    switch (state) {
    case psStateStarting:
        return psColumnStarting;
    case psStateRunning:
        return psColumnRunning;
    case psStateStopping:
        return psColumnStopping;
    case psStateKilling:
        return psColumnKilling;
    default:
        return psColumnRest;
    }
}
