/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <epicsStdio.h>

#include "model/psGoal.h"
#include "model/psVerb.h"

void psGoalsInit(psGoals *goals,
                 void (*ended)(void *ctx, const psGoal *goal, psCmdState how, const char *msg),
                 void *ctx)
{
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

    if (verb != psVerbStop)
        return; /* a later start, restart or kill leaves the older ones reachable */
    while (goal) {
        psGoal *next = (psGoal *)ellNext(&goal->node);

        if (goal->up) {
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

static void checkOne(psGoals *goals, psGoal *goal, const psMachine *m, double now,
                     unsigned long ended, const char *why)
{
    if (goal->word) {
        if (now >= goal->deadline)
            endGoal(goals, goal, psCmdTimeout, "not done in time (a dead file server?)");
        return;
    }
    if (goal->up) {
        const char *reason = hopeless(m);

        if (m->state == psStateRunning && m->incarnation >= goal->incarnation)
            succeed(goals, goal, "running");
        else if (ended >= goal->incarnation && why)
            endGoal(goals, goal, psCmdFailed, why);
        else if (reason)
            endGoal(goals, goal, psCmdFailed, reason);
        else if (now >= goal->deadline)
            endGoal(goals, goal, psCmdTimeout, "did not start in time");
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
