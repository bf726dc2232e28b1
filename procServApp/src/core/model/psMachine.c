/* SPDX-License-Identifier: EPICS */
/*
 * The state machine of one child.
 *
 * The table at the end of this file is the whole behaviour: one cell for each event and each
 * kind of state, a handler and the sentence that docs/design.md prints for it.  Handlers are
 * small and only change the machine and the output; they never look at a clock, a descriptor
 * or another child.
 *
 * Three questions shape the restart policy, and they are kept apart: what somebody wants
 * (desiredUp), what follows the exit that is being waited for (afterExit), and what the mode
 * says about an exit that nobody planned (byMode).
 */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>

#include <epicsTypes.h>
#include <dbDefs.h>

#include "model/psMachine.h"

/* ---- windows of recent times ---- */

static void windowAdd(psWindow *window, double now)
{
    if (window->count == window->capacity) {
        window->first = (window->first + 1) % window->capacity;
        window->count--;
    }
    window->times[(window->first + window->count) % window->capacity] = now;
    window->count++;
}

static int windowCount(const psWindow *window, double since)
{
    int count = 0;

    for (int i = 0; i < window->count; i++)
        if (window->times[(window->first + i) % window->capacity] > since)
            count++;
    return count;
}

/* Oldest time still inside the window; HUGE_VAL if there is none. */
static double windowOldest(const psWindow *window, double since)
{
    for (int i = 0; i < window->count; i++) {
        double at = window->times[(window->first + i) % window->capacity];

        if (at > since)
            return at;
    }
    return HUGE_VAL;
}

/* ---- moves: each enters one state and asks for what belongs to it ---- */

static void moveTo(psMachine *m, psState state, double deadline, psOutput *out)
{
    m->state = state;
    m->deadline = deadline;
    out->moved = true;
}

static void toStopped(psMachine *m, psOutput *out)
{
    m->stage = psStageNone;
    m->afterExit = psAfterExitByMode;
    moveTo(m, psStateStopped, HUGE_VAL, out);
}

static void toStarting(psMachine *m, psStartReason reason, bool isRestart, double now,
                       psOutput *out)
{
    m->incarnation++;
    m->starts++;
    if (reason == psReasonAutoRestart)
        m->autoRestarts++;
    m->startMono = now;
    m->startReason = reason;
    m->startedByRestart = isRestart;
    m->signalsSent = 0;
    m->asked = false;
    m->graceRanOut = false;
    m->cannotKill = false;
    m->byPolicy = false;
    m->stage = psStageNone;
    m->afterExit = psAfterExitByMode;
    out->actions |= PS_DO_SPAWN;
    moveTo(m, psStateStarting, now + PS_EXEC_HANGS_SEC, out);
}

static void toKilling(psMachine *m, double now, psOutput *out)
{
    m->stage = psStageKill;
    m->asked = true;
    m->killingSince = now;
    out->actions |= PS_DO_SIGKILL;
    moveTo(m, psStateKilling, now + PS_KILL_REPEAT_SEC, out);
}

static void toSignalStage(psMachine *m, double now, psOutput *out)
{
    if (m->killSignal == SIGKILL) {
        toKilling(m, now, out);
        return;
    }
    m->stage = psStageSignal;
    m->asked = true;
    out->actions |= PS_DO_KILL_SIGNAL;
    moveTo(m, psStateStopping, now + m->settings.graceSec, out);
}

/* The first stage of a stop. */
static void toStopping(psMachine *m, double now, psOutput *out)
{
    if (!m->hasStopInput) {
        toSignalStage(m, now, out);
        return;
    }
    m->stage = psStageInput;
    m->asked = true;
    out->actions |= PS_DO_STOP_INPUT;
    moveTo(m, psStateStopping, now + m->settings.graceSec, out);
}

static void toNextStage(psMachine *m, double now, psOutput *out)
{
    if (m->stage == psStageInput)
        toSignalStage(m, now, out);
    else
        toKilling(m, now, out);
}

/* ---- restart policy ---- */

/* Doubling of @base by the n-th repetition (n from 1), bounded. */
static double doubled(double base, int n, double max)
{
    double value = base;

    while (--n > 0 && value < max)
        value *= 2.0;
    return value > max ? max : value;
}

static double holdoffNow(const psMachine *m)
{
    double holdoff = m->settings.holdoffSec;
    double max = m->settings.holdoffMaxSec;

    if (m->shortRuns < 2 || max <= holdoff)
        return holdoff;
    if (holdoff > 0)
        return doubled(holdoff, m->shortRuns, max);
    return doubled(1.0, m->shortRuns - 1, max); /* doubling nothing: 0, 1, 2, 4 ... */
}

/* When an automatic start is due by hold-off and back-off; startMono is the time of the failure
 * after a failed start. */
static double startDue(const psMachine *m)
{
    double wait = holdoffNow(m);

    if (m->failedStarts > 0)
        wait = fmax(wait, doubled(PS_FAILED_START_SEC, m->failedStarts, PS_FAILED_START_MAX_SEC));
    return m->startMono + wait;
}

static void refillCredit(psMachine *m, double now)
{
    m->credit = fmin(PS_CREDIT_MAX, m->credit + (now - m->creditMono) * PS_CREDIT_PER_SEC);
    m->creditMono = now;
}

/* An automatic start: at once if nothing is left to wait for, else Holdoff. */
static void autoStart(psMachine *m, double due, double now, psOutput *out)
{
    refillCredit(m, now);
    if (due <= now && m->credit < 1.0)
        due = now + (1.0 - m->credit) / PS_CREDIT_PER_SEC;
    if (due > now) {
        m->stage = psStageNone;
        moveTo(m, psStateHoldoff, due, out);
        return;
    }
    m->credit -= 1.0;
    toStarting(m, psReasonAutoRestart, false, now, out);
}

static void restByPolicy(psMachine *m, psOutput *out)
{
    m->desiredUp = false;
    m->byPolicy = true;
    if (m->settings.mode == psModeOneShot)
        out->actions |= PS_DO_FINISHED;
    toStopped(m, out);
}

/* What the mode says after an end; @clean: exit status 0. */
static void byMode(psMachine *m, bool clean, double now, psOutput *out)
{
    psMode mode = m->settings.mode;
    bool unasked = !out->asked;

    if (m->ending || !m->desiredUp) {
        toStopped(m, out);
        return;
    }
    if (mode == psModeNever || mode == psModeOneShot || (mode == psModeOnFailure && clean)) {
        restByPolicy(m, out);
        return;
    }
    if (unasked && m->settings.maxRestarts > 0) {
        double since = now - m->settings.restartWindowSec;

        if (windowCount(&m->autoStarts, since) >= m->settings.maxRestarts) {
            m->stage = psStageNone;
            out->actions |= PS_DO_GAVE_UP;
            moveTo(m, psStateCrashLoop, HUGE_VAL, out);
            return;
        }
    }
    if (unasked)
        windowAdd(&m->autoStarts, now);
    autoStart(m, startDue(m), now, out);
}

static void forgetFailures(psMachine *m)
{
    m->shortRuns = 0;
    m->failedStarts = 0;
    m->autoStarts.count = 0;
    m->crashesInWindow.count = 0;
}

/* ---- commands ---- */

static void verdict(psOutput *out, psVerdict how)
{
    out->verdict = how;
}

static void fail(psOutput *out, const char *why)
{
    out->verdict = psVerdictFail;
    out->why = why;
}

typedef void (*psHandler)(psMachine *m, const psInputEvent *event, double now, psOutput *out);
#define PS_HANDLER(name)                                                                           \
    static void name(psMachine *m EPICS_UNUSED, const psInputEvent *event EPICS_UNUSED,            \
                     double now EPICS_UNUSED, psOutput *out EPICS_UNUSED)

PS_HANDLER(nothing)
{
}

PS_HANDLER(startAtRest)
{
    m->desiredUp = true;
    forgetFailures(m);
    out->actions |= PS_DO_CLEAR_ALARM;
    toStarting(m, event->reason, event->event == psEventRestart, now, out);
    verdict(out, psVerdictWait);
}

PS_HANDLER(startStarting)
{
    m->desiredUp = true;
    verdict(out, psVerdictWait);
}

PS_HANDLER(restartStarting)
{
    m->startedByRestart = true;
    startStarting(m, event, now, out);
}

PS_HANDLER(startRunning)
{
    m->desiredUp = true;
    verdict(out, psVerdictDone);
}

PS_HANDLER(startAfterExit)
{
    m->desiredUp = true;
    m->afterExit = psAfterExitStart;
    m->nextReason = event->reason;
    m->nextIsRestart = event->event == psEventRestart;
    verdict(out, psVerdictWait);
}

PS_HANDLER(restartRunning)
{
    m->desiredUp = true;
    if (m->startedByRestart && now - m->startMono < PS_RESTART_YOUNG_SEC) {
        verdict(out, psVerdictDone);
        return;
    }
    toStopping(m, now, out);
    startAfterExit(m, event, now, out);
}

PS_HANDLER(stopAtRest)
{
    m->desiredUp = false;
    m->byPolicy = false;
    if (m->state != psStateStopped)
        toStopped(m, out);
    verdict(out, psVerdictDone);
}

PS_HANDLER(stopStarting)
{
    m->desiredUp = false;
    toKilling(m, now, out);
    m->afterExit = psAfterExitStop;
    verdict(out, psVerdictWait);
}

PS_HANDLER(stopRunning)
{
    m->desiredUp = false;
    toStopping(m, now, out);
    m->afterExit = psAfterExitStop;
    verdict(out, psVerdictWait);
}

PS_HANDLER(stopAfterExit)
{
    m->desiredUp = false;
    m->afterExit = psAfterExitStop;
    verdict(out, psVerdictWait);
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
    toKilling(m, now, out);
    verdict(out, psVerdictWait);
}

PS_HANDLER(killRunning)
{
    toSignalStage(m, now, out);
    verdict(out, psVerdictWait);
}

/* Not because a grace ran out, even if one did in an earlier stage. */
PS_HANDLER(killStopping)
{
    m->graceRanOut = false;
    toNextStage(m, now, out);
    verdict(out, psVerdictWait);
}

PS_HANDLER(killKilling)
{
    out->actions |= PS_DO_SIGKILL;
    verdict(out, psVerdictWait);
}

static uint64_t signalBit(int signo)
{
    return signo >= 1 && signo <= 64 ? UINT64_C(1) << (signo - 1) : 0;
}

PS_HANDLER(sendSignal)
{
    out->actions |= PS_DO_SIGNAL;
    out->signo = event->signo;
    m->signalsSent |= signalBit(event->signo);
    verdict(out, psVerdictDone);
}

PS_HANDLER(modeNoted)
{
    m->settings.mode = event->mode;
    verdict(out, psVerdictDone);
}

PS_HANDLER(modeAtRest)
{
    psMode mode = event->mode;

    m->settings.mode = mode;
    verdict(out, psVerdictDone);
    if (m->state == psStateHoldoff) {
        if (mode == psModeNever || (mode == psModeOnFailure && m->lastClean)) {
            m->desiredUp = false;
            m->byPolicy = true;
            toStopped(m, out);
        }
    } else if (m->state == psStateStopped && m->byPolicy &&
               (mode == psModeAlways || mode == psModeOneShot)) {
        m->desiredUp = true;
        autoStart(m, startDue(m), now, out);
    }
}

PS_HANDLER(resetNoted)
{
    forgetFailures(m);
    out->actions |= PS_DO_CLEAR_ALARM;
    verdict(out, psVerdictDone);
}

PS_HANDLER(resetAtRest)
{
    resetNoted(m, event, now, out);
    if (m->state == psStateHoldoff)
        m->deadline = fmax(now, startDue(m));
    if (m->state != psStateCrashLoop)
        return;
    if (m->desiredUp)
        toStarting(m, event->reason, false, now, out);
    else
        toStopped(m, out);
}

/* ---- events of the process ---- */

PS_HANDLER(spawned)
{
    m->failedStarts = 0;
    m->startMono = now;
    moveTo(m, psStateRunning, HUGE_VAL, out);
}

PS_HANDLER(spawnedKilling)
{
    out->actions |= PS_DO_SIGKILL; /* its pid is certain only now */
    out->moved = true;
}

/* What was planned for after this end happens; false: the mode has to say. */
static bool asPlanned(psMachine *m, double now, psOutput *out)
{
    psAfterExit plan = m->ending ? psAfterExitStop : m->afterExit;

    if (plan == psAfterExitStart) {
        forgetFailures(m);
        toStarting(m, m->nextReason, m->nextIsRestart, now, out);
    } else if (plan == psAfterExitStop) {
        toStopped(m, out);
    }
    return plan != psAfterExitByMode;
}

PS_HANDLER(spawnFailed)
{
    out->exitClass = psExitExecFail;
    m->failedStarts++;
    m->lastClean = false;
    m->crashes++;
    windowAdd(&m->crashesInWindow, now);
    m->startMono = now;
    byMode(m, false, now, out);
}

PS_HANDLER(spawnFailedKilling)
{
    out->exitClass = psExitKilled;
    out->asked = true;
    m->lastClean = false;
    if (!asPlanned(m, now, out))
        byMode(m, false, now, out);
}

static psExitClass classOf(const psMachine *m, const psInputEvent *event)
{
    if (event->lost)
        return psExitLost;
    if (m->graceRanOut && event->exitSignal == SIGKILL)
        return psExitTimeout;
    if (event->exitCode == 0)
        return psExitClean;
    if (m->asked || (m->signalsSent & signalBit(event->exitSignal)))
        return psExitKilled;
    return event->exitSignal > 0 ? psExitSignal : psExitError;
}

PS_HANDLER(exited)
{
    double ran = now - m->startMono;

    out->exitClass = classOf(m, event);
    out->asked = m->asked || out->exitClass == psExitKilled;
    m->lastClean = out->exitClass == psExitClean;
    if (ran >= fmax(m->settings.holdoffSec, PS_SHORT_RUN_SEC))
        m->shortRuns = 0;
    else if (!out->asked)
        m->shortRuns++;
    if (!out->asked && !m->lastClean) {
        m->crashes++;
        windowAdd(&m->crashesInWindow, now);
    }
    if (!asPlanned(m, now, out))
        byMode(m, m->lastClean, now, out);
}

PS_HANDLER(exitedStarting)
{
    spawned(m, event, now, out);
    exited(m, event, now, out);
}

/* ---- time ---- */

PS_HANDLER(timerAtRest)
{
    if (m->state == psStateHoldoff)
        autoStart(m, now, now, out);
}

PS_HANDLER(timerStarting)
{
    m->deadline = HUGE_VAL;
    out->actions |= PS_DO_EXEC_HANGS;
}

PS_HANDLER(timerStopping)
{
    m->graceRanOut = true;
    toNextStage(m, now, out);
}

PS_HANDLER(timerKilling)
{
    /* Compared as the deadlines were computed: a difference may be rounded below its limit. */
    if (m->ending && now >= m->killingSince + PS_ABANDON_SEC) {
        out->actions |= PS_DO_ABANDON;
        toStopped(m, out);
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
        toKilling(m, now, out);
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

typedef struct psCell {
    psHandler handler;
    const char *text;
} psCell;

enum { columnRest, columnStarting, columnRunning, columnStopping, columnKilling, columnCount };

static const struct psRow {
    const char *name;
    psVerb verb; /* the command that is this event; psVerbNone: no command is */
    bool refusedWhenEnding;
    psCell cell[columnCount];
} table[psEventCount] = {
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
                         {restartStarting, "counts as this start"},
                         {restartRunning,
                          "to Stopping, then start at once; done if younger than 1 s by a restart"},
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
                     {{modeAtRest,
                       "Holdoff: Never to Stopped, OnFailure after a clean end to Stopped; "
                       "Stopped by policy: Always, OneShot start; else noted"},
                      {modeNoted, "noted"},
                      {modeNoted, "noted"},
                      {modeNoted, "noted"},
                      {modeNoted, "noted"}}},
    [psEventReset] = {"reset",
                      psVerbReset,
                      true,
                      {{resetAtRest,
                        "CrashLoop: to Starting if desired up; Holdoff: less what doubling added; "
                        "alarm and window cleared"},
                       {resetNoted, "alarm and window cleared"},
                       {resetNoted, "alarm and window cleared"},
                       {resetNoted, "alarm and window cleared"},
                       {resetNoted, "alarm and window cleared"}}},
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
                             {spawnFailed,
                              "class ExecFail; by mode: to Holdoff, CrashLoop or Stopped"},
                             {nothing, "-"},
                             {nothing, "-"},
                             {spawnFailedKilling, "to rest or a new start, as an exit"}}},
    [psEventExited] = {"exited",
                       psVerbNone,
                       false,
                       {{nothing, "-"},
                        {exitedStarting, "as spawned, then as Running"},
                        {exited, "by mode; no delay left: straight to Starting"},
                        {exited, "as planned: Starting after start or restart, Stopped after stop; "
                                 "after kill by mode"},
                        {exited, "as planned; class Timeout if SIGKILL followed a grace"}}},
    [psEventTimer] =
        {"timer",
         psVerbNone,
         false,
         {{timerAtRest, "Holdoff: to Starting"},
          {timerStarting, "tells that exec hangs"},
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
};

static int columnOf(psState state)
{
    switch (state) {
    case psStateStarting:
        return columnStarting;
    case psStateRunning:
        return columnRunning;
    case psStateStopping:
        return columnStopping;
    case psStateKilling:
        return columnKilling;
    default:
        return columnRest;
    }
}

const char *psEventName(psEvent event)
{
    return event < psEventCount ? table[event].name : "?";
}

bool psMachineEventOf(psVerb verb, psEvent *outEvent)
{
    for (int event = 0; event < psEventCount && verb != psVerbNone; event++) {
        if (table[event].verb == verb) {
            *outEvent = (psEvent)event;
            return true;
        }
    }
    return false;
}

const char *psMachineCell(psState state, psEvent event)
{
    return event < psEventCount ? table[event].cell[columnOf(state)].text : "?";
}

/* ---- public ---- */

void psMachineInit(psMachine *m, const psSettings *settings, int killSignal, bool hasStopInput,
                   double now)
{
    memset(m, 0, sizeof(*m));
    m->settings = *settings;
    m->killSignal = killSignal;
    m->hasStopInput = hasStopInput;
    m->state = psStateStopped;
    m->deadline = HUGE_VAL;
    m->credit = PS_CREDIT_MAX;
    m->creditMono = now;
    m->autoStarts.times = m->startTimes;
    m->autoStarts.capacity = PS_WINDOW_STARTS;
    m->crashesInWindow.times = m->crashTimes;
    m->crashesInWindow.capacity = PS_WINDOW_CRASHES;
}

void psMachineBoot(psMachine *m, bool wait, double now, psOutput *out)
{
    memset(out, 0, sizeof(*out));
    if (wait) {
        moveTo(m, psStateWaiting, HUGE_VAL, out);
        return;
    }
    m->desiredUp = true;
    toStarting(m, psReasonBoot, false, now, out);
}

static bool isStale(psMachine *m, const psInputEvent *event)
{
    bool ofProcess = event->event == psEventSpawned || event->event == psEventSpawnFailed ||
                     event->event == psEventExited;

    if (!ofProcess || event->incarnation == m->incarnation)
        return false;
    m->stale++;
    return true;
}

void psMachineStep(psMachine *m, const psInputEvent *event, double now, psOutput *out)
{
    const struct psRow *row = &table[event->event];

    memset(out, 0, sizeof(*out));
    if (isStale(m, event))
        return;
    if (m->ending && row->refusedWhenEnding) {
        fail(out, "shutting down");
        return;
    }
    row->cell[columnOf(m->state)].handler(m, event, now, out);
}

void psMachineSettings(psMachine *m, const psSettings *settings, double now)
{
    psMode mode = m->settings.mode; /* changes by psEventMode only */
    bool holdoffChanged = settings->holdoffSec != m->settings.holdoffSec ||
                          settings->holdoffMaxSec != m->settings.holdoffMaxSec;

    m->settings = *settings;
    m->settings.mode = mode;
    if (m->state == psStateHoldoff && holdoffChanged)
        m->deadline = fmax(now, startDue(m));
}

void psMachineResetCounters(psMachine *m)
{
    if (m->starts > 0)
        m->restartsBase = 1;
    m->starts = 0;
    m->autoRestarts = 0;
    m->crashes = 0;
}

int psMachineWindowCrashes(const psMachine *m, double now)
{
    return windowCount(&m->crashesInWindow, now - m->settings.restartWindowSec);
}

double psMachineWindowChange(const psMachine *m, double now)
{
    double window = m->settings.restartWindowSec;

    return windowOldest(&m->crashesInWindow, now - window) + window;
}
