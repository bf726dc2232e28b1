/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <string.h>

#include <epicsUnitTest.h>

#include "psGoalFixture.h"

void psGoalDone(void *ctx, psCmdState how, const char *msg)
{
    psGoalEnd *end = ctx;

    end->calls++;
    end->how = how;
    snprintf(end->msg, sizeof(end->msg), "%s", msg);
}

static void noteEnded(void *ctx, const psGoal *goal, psCmdState how, const char *msg)
{
    psGoalRig *rig = ctx;

    (void)goal;
    (void)how;
    (void)msg;
    rig->ended++;
}

void psGoalSetUp(psGoalRig *rig, psFixture *f, psState state)
{
    psFixtureBring(f, state);
    rig->f = f;
    rig->ended = 0;
    psReadinessInit(&rig->ready, psReadyNone, NULL, 60);
    psGoalsInit(&rig->goals, &rig->ready, noteEnded, rig);
}

void psGoalFollowReadiness(psGoalRig *rig)
{
    bool runs = rig->f->m.state == psStateRunning;

    if (runs && !rig->ready.running)
        psReadinessBegin(&rig->ready, rig->f->now);
    else if (!runs)
        psReadinessEnd(&rig->ready);
}

void psGoalCheck(psGoalRig *rig, unsigned long ended, const char *why)
{
    psGoalFollowReadiness(rig);
    psGoalsCheck(&rig->goals, &rig->f->m, rig->f->now, ended, why);
    psGoalsDeliver(&rig->goals);
}

/* Ends what is left, so that nothing leaks. */
void psGoalTearDown(psGoalRig *rig)
{
    psGoalsFailAll(&rig->goals, psCmdFailed, "test ends");
    psGoalsDeliver(&rig->goals);
}

int psGoalCommand(psGoalRig *rig, psVerb verb, psGoalEnd *end)
{
    static const psEvent events[psVerbCount] = {
        [psVerbStart] = psEventStart,     [psVerbStop] = psEventStop,
        [psVerbRestart] = psEventRestart, [psVerbKill] = psEventKill,
        [psVerbReset] = psEventReset,
    };
    int status = 0;

    psGoalsSupersede(&rig->goals, verb, "ops@ws3");
    psFixtureFire(rig->f, events[verb]);
    if (rig->f->out.verdict == psVerdictWait)
        status = psGoalsAdd(&rig->goals, verb, 1, rig->f->out.why, &rig->f->m, rig->f->now,
                            psGoalDone, end);
    psGoalCheck(rig, 0, NULL);
    return status;
}

void psGoalSpawned(psGoalRig *rig)
{
    psFixtureSpawned(rig->f);
    psGoalCheck(rig, 0, NULL);
}

void psGoalDies(psGoalRig *rig, int signo)
{
    unsigned long ended = rig->f->m.incarnation;

    psFixtureDies(rig->f, signo);
    psGoalCheck(rig, ended, "killed by a test");
}

void psGoalSpawnFails(psGoalRig *rig)
{
    unsigned long ended = rig->f->m.incarnation;

    psFixtureSpawnFailed(rig->f);
    psGoalCheck(rig, ended, "cannot execute /no/such");
}

void psGoalTimePasses(psGoalRig *rig, double sec)
{
    psFixtureLater(rig->f, sec);
    psGoalCheck(rig, 0, NULL);
}

bool psGoalIs(const psGoalEnd *end, psCmdState how, const char *part)
{
    if (end->calls == 1 && end->how == how && strstr(end->msg, part))
        return true;
    testDiag("  %d calls, state %d, '%s'", end->calls, (int)end->how, end->msg);
    return false;
}
