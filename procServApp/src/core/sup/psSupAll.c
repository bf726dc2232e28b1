/* SPDX-License-Identifier: EPICS */
/* A round is one command to all children.  It lives until every child that was given the command
 * has reported its end, which for a round that was superseded comes after the end of the round. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>

#include "base/psText.h"
#include "model/psVerb.h"
#include "sup/psSupAll.h"
#include "sup/psSupChildren.h"

#define CHILDREN_PER_TURN 8 /* given the command in one round of the loop */
#define REASON_BYTES 160    /* of the first child that failed or was skipped */

typedef struct part {
    struct psAllRound *round;
    psChild *child;
} part;

struct psAllRound {
    psSup *sup;
    psCommand cmd;
    char *text; /* of cmd, owned; NULL: none */
    int seq;    /* of the command, as published */
    psDoneFn done;
    void *ctx;
    psTimer timer; /* when the next child is given the command */
    int count;     /* children there were when it was given */
    int next;      /* index of the next one */
    int open;      /* given, and not ended yet */
    int good, failed, skipped;
    bool over;   /* it has ended: only open keeps it */
    bool giving; /* a child is being given the command */
    char reason[REASON_BYTES];
    part parts[]; /* one per child */
};

/* ---- what is published ---- */

/* Command number @p seq stands so; it is shown unless there is a newer one. */
static void publish(psSup *sup, int seq, psCmdState how, const char *msg)
{
    epicsMutexMustLock(sup->lock);
    psCmdStatus *cmd = &sup->allStatus.cmd;
    if (cmd->seq == seq) {
        cmd->state = how;
        epicsSnprintf(cmd->msg, sizeof(cmd->msg), "%s", msg);
        psTextEndWhole(cmd->msg, sizeof(cmd->msg));
        sup->allStatus.seq++;
    }
    epicsMutexUnlock(sup->lock);
}

/* A command was given: from now on it is the one that is shown.  @return its number */
static int publishNew(psSup *sup, const psCommand *cmd)
{
    epicsTimeStamp now = {0, 0};

    psClockWall(sup->options.clock, &now);
    epicsMutexMustLock(sup->lock);
    psCmdStatus *status = &sup->allStatus.cmd;
    status->seq++;
    status->state = psCmdBusy;
    status->verb = cmd->verb;
    status->value = cmd->value;
    status->time = now;
    epicsSnprintf(status->by, sizeof(status->by), "%s", cmd->by);
    status->msg[0] = '\0';
    int seq = status->seq;
    sup->allStatus.seq++;
    epicsMutexUnlock(sup->lock);
    return seq;
}

/* "3 of 12 done, 1 failed, 2 skipped; ioc4: locked out by ops@ws3" */
static void describe(const psAllRound *round, char *out, size_t size)
{
    char failed[32] = "", skipped[32] = "";

    if (round->failed)
        epicsSnprintf(failed, sizeof(failed), ", %d failed", round->failed);
    if (round->skipped)
        epicsSnprintf(skipped, sizeof(skipped), ", %d skipped", round->skipped);
    epicsSnprintf(out, size, "%d of %d done%s%s%s%s", round->good, round->count, failed, skipped,
                  round->reason[0] ? "; " : "", round->reason);
}

static void freeRound(psAllRound *round)
{
    free(round->text);
    free(round);
}

static void freeIfUnused(psAllRound *round)
{
    if (round->over && round->open == 0 && !round->giving)
        freeRound(round);
}

/* The outcome is published before it is delivered. */
static void finish(psAllRound *round, psCmdState how, const char *msg)
{
    psSup *sup = round->sup;
    char line[2 * PS_TEXT_BYTES];

    psLoopDisarm(&round->timer);
    round->over = true;
    sup->round = NULL;
    publish(sup, round->seq, how, msg);
    epicsSnprintf(line, sizeof(line), "%sAll of %s: %s", psVerbName(round->cmd.verb), round->cmd.by,
                  msg);
    psSupLogLine(&sup->log, line);
    if (round->done)
        round->done(round->ctx, how, msg);
    freeIfUnused(round);
}

/* Something has changed: show it, or the outcome if that was all. */
static void proceed(psAllRound *round)
{
    char msg[PS_TEXT_BYTES];

    if (round->over) {
        freeIfUnused(round);
        return;
    }
    describe(round, msg, sizeof(msg));
    if (round->next < round->count || round->open)
        publish(round->sup, round->seq, psCmdBusy, msg);
    else
        finish(round, round->failed ? psCmdFailed : psCmdDone, msg);
}

/* ---- one child ---- */

/* The reason of the first failure is shown; without one that of the first child skipped. */
static void noteReason(psAllRound *round, const psChild *child, bool isFailure, const char *why)
{
    if (round->reason[0] && (!isFailure || round->failed))
        return;
    epicsSnprintf(round->reason, sizeof(round->reason), "%s: %s", psChildName(child), why);
    psTextEndWhole(round->reason, sizeof(round->reason));
}

static void skip(psAllRound *round, const psChild *child, const char *why)
{
    noteReason(round, child, false, why);
    round->skipped++;
}

static void childDone(void *ctx, psCmdState how, const char *msg)
{
    part *self = ctx;
    psAllRound *round = self->round;

    round->open--;
    if (how == psCmdDone) {
        round->good++;
    } else if (how == psCmdDenied) {
        skip(round, self->child, msg);
    } else {
        noteReason(round, self->child, true, msg);
        round->failed++;
    }
    if (!round->giving)
        proceed(round);
}

/* A restart of all is for what somebody wants to run: what was stopped stays so. */
static bool isLeftAlone(const psAllRound *round, psChild *child)
{
    psStatus status;

    if (round->cmd.verb != psVerbRestart)
        return false;
    psSupStatus(child, &status);
    return !status.desiredUp;
}

/* @return true: it takes some time */
static bool give(psAllRound *round)
{
    part *self = &round->parts[round->next];
    psChild *child = psSupAt(round->sup, round->next++);
    int open = round->open;

    if (isLeftAlone(round, child)) {
        skip(round, child, "it is stopped");
        return false;
    }
    *self = (part){.round = round, .child = child};
    round->open++;
    psChildCommand(child, &round->cmd, childDone, self);
    return round->open > open;
}

/* ---- all of them ---- */

static bool isStaggered(psVerb verb)
{
    return verb == psVerbStart || verb == psVerbRestart;
}

static void giveNext(void *ctx)
{
    psAllRound *round = ctx;
    psSup *sup = round->sup;
    double pauseSec = isStaggered(round->cmd.verb) ? psSupStagger(sup) : 0;
    bool pause = false;

    round->giving = true; /* what a command leads to may end this one */
    for (int i = 0; i < CHILDREN_PER_TURN && round->next < round->count && !pause; i++)
        pause = give(round) && pauseSec > 0;
    round->giving = false;
    if (!round->over && round->next < round->count)
        psLoopArm(sup->loop, &round->timer, psLoopNow(sup->loop) + (pause ? pauseSec : 0), giveNext,
                  round);
    proceed(round);
}

/* The caller's text ends with the request, while the round goes on.  @return NULL without memory */
static psAllRound *newRound(const psCommand *cmd, int count)
{
    psAllRound *round = calloc(1, sizeof(*round) + sizeof(part) * (size_t)count);

    if (!round)
        return NULL;
    round->cmd = *cmd;
    round->count = count;
    if (!cmd->text)
        return round;
    round->text = strdup(cmd->text);
    if (!round->text) {
        freeRound(round);
        return NULL;
    }
    round->cmd.text = round->text;
    return round;
}

void psSupAllBegin(psSup *sup, const psCommand *cmd, psDoneFn done, void *ctx)
{
    int count = psSupCount(sup);
    const char *why = sup->phase == psPhaseUp ? "out of memory" : "shutting down";
    char superseded[PS_TEXT_BYTES];

    psLoopAssertInside(sup->loop);
    psAllRound *round = sup->phase == psPhaseUp ? newRound(cmd, count) : NULL;
    if (round) {
        epicsSnprintf(superseded, sizeof(superseded), "superseded by %sAll of %s",
                      psVerbName(cmd->verb), cmd->by);
        psSupAllEnd(sup, superseded);
    }
    int seq = publishNew(sup, cmd);
    if (!round) {
        publish(sup, seq, psCmdFailed, why);
        if (done)
            done(ctx, psCmdFailed, why);
        return;
    }
    round->sup = sup;
    round->seq = seq;
    round->done = done;
    round->ctx = ctx;
    sup->round = round;
    giveNext(round);
}

void psSupAllDenied(psSup *sup, const psCommand *cmd, const char *reason)
{
    psLoopAssertInside(sup->loop);
    publish(sup, publishNew(sup, cmd), psCmdDenied, reason);
}

void psSupAllEnd(psSup *sup, const char *why)
{
    psAllRound *round = sup->round;
    char msg[PS_TEXT_BYTES], far[PS_TEXT_BYTES];

    psLoopAssertInside(sup->loop);
    if (!round)
        return;
    describe(round, far, sizeof(far));
    epicsSnprintf(msg, sizeof(msg), "%s; %s", why, far);
    finish(round, psCmdFailed, msg);
}

/* ---- public ---- */

void psSupAllStatus(psSup *sup, psAllStatus *out)
{
    epicsMutexMustLock(sup->lock);
    *out = sup->allStatus;
    epicsMutexUnlock(sup->lock);
}

double psSupStagger(psSup *sup)
{
    epicsMutexMustLock(sup->lock);
    double sec = sup->staggerSec;
    epicsMutexUnlock(sup->lock);
    return sec;
}

int psSupSetStagger(psSup *sup, double sec)
{
    if (!(sec >= 0 && sec <= PS_STAGGER_MAX_SEC)) /* NaN, too */
        return -EINVAL;
    epicsMutexMustLock(sup->lock);
    sup->staggerSec = sec;
    epicsMutexUnlock(sup->lock);
    return 0;
}
