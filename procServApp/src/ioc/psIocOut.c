/* SPDX-License-Identifier: EPICS */
/* Lock order: record lock, then psOut.lock or the child's.  done() runs on the supervisor's loop
 * thread, perhaps before psSupSubmit() has returned: the second pass then waits for the record
 * lock.  It is made by poll(), that is by the thread that has just processed the status records. */
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbEvent.h>
#include <dbLock.h>
#include <epicsStdio.h>
#include <epicsTime.h>
#include <errlog.h>
#include <recGbl.h>
#include <recSup.h>

#include "psIocAccess.h"
#include "psIocAlarm.h"
#include "psIocOut.h"
#include "psIocPut.h"
#include "psIocRegistry.h"
#include "psIocWho.h"

/* For the second pass, when the records do not follow: no State is loaded, or it is disabled. */
#define PATIENCE_SEC 0.5

struct psOut {
    psIocObserver observer;
    /* fixed after init_record */
    dbCommon *prec;
    psTarget target;
    int epoch; /* of the IOC the record belongs to */
    const psOutType *type;
    bool shut; /* the template has disabled it */
    /* guarded by the record lock */
    psPutSlot put;
    double accepted;    /* value of the command in progress */
    char *acceptedText; /* the same of a text; NULL: values are numbers */
    bool readback;      /* the next write copies the actual setting */
    bool showing;       /* the next write shows how a signal ended that nobody waited for */
    bool putWaits;      /* the next write is of a put that came while the record was busy */
    /* guarded by lock */
    epicsMutexId lock; /* leaf */
    bool ended;        /* the command in progress has, the second pass is due */
    bool late;         /* a signal that nobody waited for has, and its end is to be shown */
    psCmdState how;    /* of either */
    char msg[PS_TEXT_BYTES];
    uint32_t awaited; /* transition that shows the end */
    uint32_t shown;   /* as reported last */
    double endedAt;   /* monotonic s */
    double seen;      /* setting as last shown by the record */
    bool closed;      /* what DISP was last set to by us */
};

static atomic_int epochNow;

void psOutNewEpoch(void)
{
    epochNow++;
}

static bool isAlive(const psOut *out)
{
    return out->epoch == epochNow && psIocRegistryRunning();
}

static double monotonic(void)
{
    return (double)epicsMonotonicGet() * 1e-9;
}

/* ---- the end of a command (any thread; the record lock is not held) ---- */

static void noteEnd(psOut *out, bool *flag, psCmdState how, const char *msg)
{
    uint32_t newest = psTargetEnded(&out->target);

    epicsMutexMustLock(out->lock);
    out->how = how;
    epicsSnprintf(out->msg, sizeof(out->msg), "%s", msg && msg[0] ? msg : "failed");
    out->awaited = newest;
    out->endedAt = monotonic();
    *flag = true;
    epicsMutexUnlock(out->lock);
    psTargetPollIfShown(&out->target, newest);
}

/* The command in progress ended.  Thread: the supervisor's loop. */
static void done(void *ctx, psCmdState how, const char *msg)
{
    psOut *out = ctx;

    noteEnd(out, &out->ended, how, msg);
}

/* A signal that nobody waited for.  If it was sent there is nothing to show, unless an earlier one
 * has failed.  Thread: as done(). */
static void doneLate(void *ctx, psCmdState how, const char *msg)
{
    psOut *out = ctx;

    epicsMutexMustLock(out->lock);
    bool show = how != psCmdDone || out->how != psCmdDone;
    epicsMutexUnlock(out->lock);
    if (show)
        noteEnd(out, &out->late, how, msg);
}

static void complete(psOut *out)
{
    dbCommon *prec = out->prec;

    dbScanLock(prec);
    epicsMutexMustLock(out->lock);
    bool ended = out->ended;
    bool late = out->late;
    out->ended = out->late = false;
    epicsMutexUnlock(out->lock);
    if (ended && prec->pact) {
        prec->rset->process(prec);
    } else if (late && !prec->pact) { /* else the command in progress will show how it went */
        out->showing = true;
        dbProcess(prec);
        out->showing = false; /* SDIS may have kept it from being processed */
    }
    dbScanUnlock(prec);
}

/* ---- alarm and value (record locked) ---- */

static void clearAlarm(dbCommon *prec)
{
    prec->nsta = prec->nsev = NO_ALARM;
    prec->namsg[0] = '\0';
}

static void setAlarm(dbCommon *prec, const char *msg)
{
    clearAlarm(prec); /* a severity set by record support (NaN: UDF) would hide our reason */
    psIocAlarmSet(prec, WRITE_ALARM, INVALID_ALARM, msg);
}

static void adopt(psOut *out, double actual)
{
    char text[PS_TEXT_BYTES];

    if (!out->type->text)
        out->type->adopt(out->prec, actual);
    else if (!psTargetText(&out->target, text, sizeof(text)))
        out->type->adoptText(out->prec, text);
}

/* Does VAL show what holds? */
static bool isShown(const psOut *out, double actual)
{
    char text[PS_TEXT_BYTES];

    if (!out->type->text)
        return actual == out->type->value(out->prec);
    return psTargetText(&out->target, text, sizeof(text)) ||
           strcmp(text, out->type->text(out->prec)) == 0;
}

/* VAL of a setting shows what holds, unless a newer put waits there. */
static void adoptActual(psOut *out)
{
    double actual;

    if (psTargetActual(&out->target, NULL, &actual))
        return; /* nothing is supervised: nothing holds */
    adopt(out, actual);
    epicsMutexMustLock(out->lock);
    out->seen = actual;
    epicsMutexUnlock(out->lock);
}

/* VAL as it is at the end: a command is over, a setting shows what holds. */
static void restore(psOut *out)
{
    if (out->target.isSetting)
        adoptActual(out);
    else
        out->type->adopt(out->prec, 0);
}

/* What record support thought of a command's VAL is void: VAL is 0 again.  What it thought of a
 * setting's stands. */
static void voidAlarm(psOut *out)
{
    if (!out->target.isSetting)
        clearAlarm(out->prec);
}

static void showOutcome(psOut *out)
{
    char msg[PS_TEXT_BYTES];

    epicsMutexMustLock(out->lock);
    psCmdState how = out->how;
    memcpy(msg, out->msg, sizeof(msg));
    epicsMutexUnlock(out->lock);
    voidAlarm(out);
    if (how != psCmdDone)
        setAlarm(out->prec, msg);
}

static void secondPass(psOut *out)
{
    double value = out->type->value(out->prec);

    out->putWaits = out->prec->rpro;
    showOutcome(out);
    if (value != out->accepted && !(isnan(value) && isnan(out->accepted)))
        return; /* a newer put, as below */
    if (out->acceptedText && strcmp(out->acceptedText, out->type->text(out->prec)) != 0)
        return; /* a newer put, processed next: changing VAL would lose it */
    restore(out);
}

/* ---- the first pass (record locked) ---- */

static void noticePut(const psOut *out, const psCommand *cmd)
{
    char text[PS_PUT_LINE_BYTES];

    psIocPutLine(out->prec, cmd, text, sizeof(text));
    psTargetTell(&out->target, text); /* with a full queue it is only seen in CmdBy */
}

/* Show what was accepted, which is over at the end. */
static void accept(psOut *out, const psCommand *cmd)
{
    if (!out->target.isSetting)
        out->type->post(out->prec);
    out->accepted = cmd->value;
    if (cmd->text)
        epicsSnprintf(out->acceptedText, PS_COMMAND_TEXT_BYTES, "%s", cmd->text);
}

/* Sets PACT, unless it is over at once. */
static void submit(psOut *out, double value)
{
    dbCommon *prec = out->prec;
    psCommand cmd = {.verb = out->target.verb, .value = value, .reason = psReasonOperator};
    bool wait = cmd.verb != psVerbSignal || prec->ppn;
    psDoneFn fn = wait ? done : doneLate;
    char msg[PS_TEXT_BYTES];

    if (out->type->text)
        cmd.text = out->type->text(prec);
    psIocWhoPut(&out->put, prec, out->putWaits, cmd.by);
    out->putWaits = false;
    voidAlarm(out);
    if (!psIocRegistryRunning()) {
        setAlarm(prec, "the IOC does not run");
        return;
    }
    noticePut(out, &cmd);
    accept(out, &cmd);
    prec->pact = wait;
    int status = psIocPutCheck(&cmd, &out->target, out->put.whole);
    if (!status)
        status = psTargetSubmit(&out->target, &cmd, fn, out);
    if (status) {
        psIocPutExplain(status, &cmd, &out->target, msg, sizeof(msg));
        status = psTargetDenied(&out->target, &cmd, msg, fn, out);
    }
    if (status) {
        prec->pact = FALSE;
        setAlarm(prec, msg);
    }
}

static void firstPass(psOut *out)
{
    double value = out->type->value(out->prec);
    char by[PS_BY_BYTES];

    if (out->showing) {
        showOutcome(out);
    } else if (out->target.isSetting && out->readback) {
        adoptActual(out);
    } else if (!out->target.isSetting && value == 0) {
        psPutTrapTake(&out->put, by, sizeof(by)); /* nobody asked for anything */
        out->putWaits = false;
    } else {
        submit(out, value);
        if (!out->prec->pact)
            restore(out);
    }
    out->readback = false;
}

void psOutWrite(dbCommon *prec, const psOutType *type)
{
    psOut *out = prec->dpvt;

    if (!prec->nsev)
        prec->namsg[0] = '\0'; /* 7.0.8.1: a message outlives its alarm */
    if (!out) {
        setAlarm(prec, "bad link, see errlog");
        type->adopt(prec, 0);
    } else if (prec->pact) {
        secondPass(out);
    } else {
        firstPass(out);
    }
}

/* ---- for the put trap ---- */

psPutSlot *psOutSlot(psOut *out)
{
    return &out->put;
}

void psOutRefused(psOut *out, const char *by)
{
    psTargetRefused(&out->target, out->prec->name, by);
}

/* ---- what happens elsewhere ---- */

static bool isClosed(const psOut *out, const psStatus *known)
{
    return out->shut || psIocAccessClosed() || psTargetLockedOut(&out->target, known, NULL);
}

/* DISP, and a setting changed elsewhere.  Thread: any that holds no record lock. */
static void syncNow(psOut *out)
{
    dbCommon *prec = out->prec;
    double actual;
    bool closed = isClosed(out, NULL);

    dbScanLock(prec);
    epicsMutexMustLock(out->lock);
    bool change = closed != out->closed;
    out->closed = closed;
    epicsMutexUnlock(out->lock);
    if (change) {
        prec->disp = closed;
        db_post_events(prec, &prec->disp, DBE_VALUE | DBE_LOG);
    }
    if (out->target.isSetting && !prec->pact && !psTargetActual(&out->target, NULL, &actual) &&
        !isShown(out, actual)) {
        out->readback = true;
        dbProcess(prec);
        out->readback = false; /* SDIS may have kept it from being processed */
    }
    dbScanUnlock(prec);
}

static void poll(psIocObserver *observer, const psStatus *now, uint32_t shown)
{
    psOut *out = CONTAINER(observer, psOut, observer);
    double actual = out->seen; /* nothing holds: nothing to follow */

    if (!isAlive(out))
        return;
    psTargetActual(&out->target, now, &actual);
    bool allShow = psTargetReached(&out->target);
    epicsMutexMustLock(out->lock);
    bool reached = allShow && (int32_t)(shown - out->awaited) >= 0;
    bool stuck = shown == out->shown && monotonic() - out->endedAt > PATIENCE_SEC;
    bool over = (out->ended || out->late) && (reached || stuck);
    bool sync = actual != out->seen || isClosed(out, now) != out->closed;
    out->shown = shown;
    out->seen = actual;
    epicsMutexUnlock(out->lock);
    if (over)
        complete(out);
    if (sync)
        syncNow(out);
}

/* ---- init ---- */

static void freeOut(psOut *out)
{
    if (out->lock)
        epicsMutexDestroy(out->lock);
    free(out->acceptedText);
    free(out);
}

static psOut *createOut(dbCommon *prec, const psLinkTarget *target, const psOutType *type)
{
    psOut *out = calloc(1, sizeof(*out));

    if (!out)
        return NULL;
    out->lock = epicsMutexCreate();
    if (type->text)
        out->acceptedText = calloc(1, PS_COMMAND_TEXT_BYTES);
    if (!out->lock || (type->text && !out->acceptedText) || psTargetInit(&out->target, target)) {
        freeOut(out);
        return NULL;
    }
    out->type = type;
    out->prec = prec;
    out->epoch = epochNow;
    out->how = psCmdDone;
    out->observer.poll = poll;
    out->shut = prec->disp;
    out->closed = isClosed(out, NULL);
    prec->disp = out->closed; /* asInit comes later: closed until it has opened */
    return out;
}

/* No process at start: the record shows what holds, without driving it (bumpless). */
static void loadActual(psOut *out)
{
    dbCommon *prec = out->prec;

    if (psTargetActual(&out->target, NULL, &out->seen))
        return; /* VAL stays undefined until there is something to show */
    adopt(out, out->seen);
    prec->udf = FALSE;
    prec->stat = prec->sevr = NO_ALARM;
    epicsTimeGetCurrent(&prec->time); /* fails without a clock: then it stays as it is */
}

long psOutInit(dbCommon *prec, const struct link *link, const psItemTable *items,
               const psOutType *type)
{
    psLinkTarget target;

    prec->dpvt = NULL;
    if (psLinkResolve(prec, link, items, &target))
        return S_dev_badInitRet;
    psOut *out = createOut(prec, &target, type);
    if (!out) {
        errlogPrintf("%s: cannot allocate memory or create a thread\n", prec->name);
        return S_dev_badInitRet;
    }
    prec->dpvt = out;
    if (out->target.isSetting)
        loadActual(out);
    else
        prec->udf = FALSE;
    psTargetObserve(&out->target, &out->observer);
    return 0;
}
