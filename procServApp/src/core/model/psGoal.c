/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <epicsStdio.h>

#include "model/psGoal.h"
#include "model/psVerb.h"

void psGoalsInit(psGoals *goals, const psReadiness *readiness,
                 void (*ended)(void *ctx, const psGoal *goal, psCmdState how, const char *msg),
                 void *ctx)
{
    goals->readiness = readiness;
    ellInit(&goals->list);
    ellInit(&goals->over);
    goals->gone = 0;
    goals->ended = ended;
    goals->ctx = ctx;
}

static void endGoal(psGoals *goals, psGoal *goal, psCmdState how, const char *msg)
{
    ellDelete(&goals->list, &goal->node);
    ellAdd(&goals->over, &goal->node);
    goal->how = how;
    epicsSnprintf(goal->msg, sizeof(goal->msg), "%s", msg);
    if (goals->ended)
        goals->ended(goals->ctx, goal, how, goal->msg);
}

void psGoalsDeliver(psGoals *goals)
{
    psGoal *goal;

    while ((goal = (psGoal *)ellGet(&goals->over))) {
        if (goal->done)
            goal->done(goal->ctx, goal->how, goal->msg);
        free(goal);
    }
}

static bool isUp(psVerb verb)
{
    return verb == psVerbStart || verb == psVerbRestart;
}

int psGoalsAdd(psGoals *goals, psVerb verb, int seq, const char *merged, const psMachine *machine,
               double now, psGoalFn done, void *ctx)
{
    psGoal *goal;

    if (ellCount(&goals->list) >= PS_GOALS)
        return -ENOSPC;
    goal = calloc(1, sizeof(*goal));
    if (!goal)
        return -ENOMEM;
    goal->verb = verb;
    goal->seq = seq;
    goal->merged = merged;
    goal->up = isUp(verb);
    goal->word = verb == psVerbRotateLog;
    goal->incarnation = machine->incarnation;
    /* While a process is still to end, the one meant is the next. */
    if (goal->up && (machine->state == psStateStopping || machine->state == psStateKilling))
        goal->incarnation++;
    goal->deadline = now + 2.0 * machine->settings.graceSec + 5.0;
    goal->done = done;
    goal->ctx = ctx;
    ellAdd(&goals->list, &goal->node);
    return 0;
}

void psGoalsSupersede(psGoals *goals, psVerb verb, const char *by)
{
    psGoal *goal = (psGoal *)ellFirst(&goals->list);
    bool endsStart = verb == psVerbStop;
    bool endsProcess = endsStart || verb == psVerbRestart || verb == psVerbKill;

    while (goal) {
        psGoal *next = (psGoal *)ellNext(&goal->node);

        /* What waits for a start is still reachable after a later restart or kill. */
        if (goal->up && (endsStart || (goal->runs && endsProcess))) {
            char why[PS_TEXT_BYTES];

            epicsSnprintf(why, sizeof(why), "superseded by %s of %s", psVerbName(verb), by);
            endGoal(goals, goal, psCmdFailed, why);
        }
        goal = next;
    }
}

void psGoalsEnd(psGoals *goals, psVerb verb, int seq, psCmdState how, const char *msg)
{
    psGoal *next;

    for (psGoal *goal = (psGoal *)ellFirst(&goals->list); goal; goal = next) {
        next = (psGoal *)ellNext(&goal->node);
        if (goal->word && goal->verb == verb && goal->seq <= seq)
            endGoal(goals, goal, how, msg);
    }
}

/* Why an up goal can't be reached in this state; NULL: it still can. */
static const char *hopeless(const psMachine *m)
{
    if (m->ending)
        return "shutting down";
    if (m->state == psStateCrashLoop)
        return "gave up: too many restarts (CrashLoop)";
    if (m->state == psStateStopped || m->state == psStateWaiting)
        return "ended; not restarted in this restart mode";
    return NULL;
}

static void succeed(psGoals *goals, psGoal *goal, const char *msg)
{
    char text[PS_TEXT_BYTES];

    epicsSnprintf(text, sizeof(text), "%s%s%s", msg, goal->merged ? "; " : "",
                  goal->merged ? goal->merged : "");
    endGoal(goals, goal, psCmdDone, text);
}

/* The process that @p goal waits for runs. */
static void checkReady(psGoals *goals, psGoal *goal)
{
    const psReadiness *readiness = goals->readiness;
    char text[PS_TEXT_BYTES], explained[PS_TEXT_BYTES];

    goal->runs = true;
    goal->deadline = HUGE_VAL;
    if (psReadinessIsMet(readiness)) {
        epicsSnprintf(text, sizeof(text), "ready after %.1f s", readiness->tookSec);
        succeed(goals, goal, readiness->rule == psReadyNone ? "running" : text);
    } else if (readiness->late) {
        psReadinessExplain(readiness, explained, sizeof(explained));
        epicsSnprintf(text, sizeof(text), "not ready within %g s: %s", readiness->timeoutSec,
                      explained);
        endGoal(goals, goal, psCmdFailed, text);
    }
}

static void checkUp(psGoals *goals, psGoal *goal, const psMachine *m, double now,
                    unsigned long ended, const char *why)
{
    const char *reason = hopeless(m);

    if (m->state == psStateRunning && m->incarnation >= goal->incarnation)
        checkReady(goals, goal);
    else if (ended >= goal->incarnation && why)
        endGoal(goals, goal, psCmdFailed, why);
    else if (reason)
        endGoal(goals, goal, psCmdFailed, reason);
    else if (goal->runs && m->cannotKill)
        endGoal(goals, goal, psCmdTimeout, "the process cannot be killed");
    else if (now >= goal->deadline)
        endGoal(goals, goal, psCmdTimeout, "did not start in time");
}

static void checkOne(psGoals *goals, psGoal *goal, const psMachine *m, double now,
                     unsigned long ended, const char *why)
{
    if (goal->word) {
        if (now >= goal->deadline)
            endGoal(goals, goal, psCmdTimeout, "not done in time (a dead file server?)");
        return;
    }
    if (goal->up) {
        checkUp(goals, goal, m, now, ended, why);
        return;
    }
    if (goals->gone >= goal->incarnation)
        succeed(goals, goal, why ? why : "ended");
    else if (m->cannotKill)
        endGoal(goals, goal, psCmdTimeout, "the process cannot be killed");
    else if (now >= goal->deadline)
        endGoal(goals, goal, psCmdTimeout, "did not end in time");
}

void psGoalsCheck(psGoals *goals, const psMachine *machine, double now, unsigned long ended,
                  const char *why)
{
    psGoal *next;

    if (ended > goals->gone)
        goals->gone = ended;
    for (psGoal *goal = (psGoal *)ellFirst(&goals->list); goal; goal = next) {
        next = (psGoal *)ellNext(&goal->node);
        checkOne(goals, goal, machine, now, ended, why);
    }
}

void psGoalsFailAll(psGoals *goals, psCmdState how, const char *why)
{
    psGoal *goal;

    while ((goal = (psGoal *)ellFirst(&goals->list)))
        endGoal(goals, goal, how, why);
}

double psGoalsDeadline(const psGoals *goals)
{
    double soonest = HUGE_VAL;

    for (const psGoal *goal = (const psGoal *)ellFirst(&goals->list); goal;
         goal = (const psGoal *)ellNext(&goal->node))
        soonest = fmin(soonest, goal->deadline);
    return soonest;
}
