/* SPDX-License-Identifier: EPICS */
/* See psIocOut.h.
 *
 * Lock order: record lock, then psOut.lock or the child's.  done() runs on the supervisor's loop
 * thread, perhaps before psSupSubmit() returned: the second pass then waits for the record lock.
 * It is made by poll(), that is by the thread that has just processed the status records.
 */

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <alarm.h>
#include <asLib.h>
#include <dbAccess.h>
#include <dbEvent.h>
#include <dbLock.h>
#include <epicsStdio.h>
#include <epicsTime.h>
#include <errlog.h>
#include <recGbl.h>
#include <recSup.h>

#include "psIocIn.h"
#include "psIocOut.h"
#include "psPutTrap.h"

/* For the second pass, when the records do not follow: no State is loaded, or it is disabled. */
#define PATIENCE_SEC 0.5

static struct {
    _Atomic int epoch;
    _Atomic bool insecure;
} outs;

void psOutNewEpoch(void)
{
    outs.epoch++;
}

void psOutSetInsecure(bool insecure)
{
    outs.insecure = insecure;
}

static bool isAlive(const psOut *out)
{
    return out->epoch == outs.epoch && psIocChildrenRunning();
}

/** Anyone on the network could write: nothing may be written. */
static bool wantClosed(void)
{
    /* asActive alone stays set when iocShutdown has taken the rules away. */
    bool active = asActive && pasbase;
    return !active && !outs.insecure;
}

static double settingOf(const psSettings *settings, psVerb verb)
{
    switch (verb) {
    case psVerbMode:
        return settings->mode;
    case psVerbHoldoff:
        return settings->holdoffSec;
    case psVerbHoldoffMax:
        return settings->holdoffMaxSec;
    case psVerbRestartWindow:
        return settings->restartWindowSec;
    case psVerbGrace:
        return settings->graceSec;
    case psVerbMaxRestarts:
        return settings->maxRestarts;
    default:
        return 0;
    }
}

/* ---- the second pass ---- */

static void noteEnd(psOut *out, bool *flag, psCmdState how, const char *msg)
{
    uint32_t newest = psIocChildNewest(out->child);
    epicsMutexMustLock(out->lock);
    out->how = how;
    epicsSnprintf(out->msg, sizeof out->msg, "%s", msg && msg[0] ? msg : "failed");
    out->awaited = newest;
    out->endedAt = epicsMonotonicGet() * 1e-9;
    *flag = true;
    epicsMutexUnlock(out->lock);
    psIocChildPollIfShown(out->child, newest);
}

/** The command in progress ended.  Thread: the supervisor's loop. */
static void done(void *ctx, psCmdState how, const char *msg)
{
    psOut *out = ctx;
    noteEnd(out, &out->ended, how, msg);
}

/** A signal that nobody waited for.  Thread: as done(). */
static void doneLate(void *ctx, psCmdState how, const char *msg)
{
    psOut *out = ctx;
    if (how != psCmdDone)
        noteEnd(out, &out->late, how, msg);
}

/** Thread: any that holds no record lock. */
static void complete(psOut *out)
{
    dbCommon *prec = out->prec;
    dbScanLock(prec);
    epicsMutexMustLock(out->lock);
    bool ended = out->ended, late = out->late;
    out->ended = out->late = false;
    epicsMutexUnlock(out->lock);
    if (ended && prec->pact) {
        prec->rset->process(prec);
    } else if (late && !prec->pact) { /* else the command in progress will tell how it went */
        out->telling = true;
        dbProcess(prec);
        out->telling = false; /* SDIS may have kept it from being processed */
    }
    dbScanUnlock(prec);
}

static void failed(dbCommon *prec, const char *msg)
{
    /* A severity that record support has set already (NaN: UDF) would hide our reason. */
    prec->nsta = prec->nsev = NO_ALARM;
    recGblSetSevrMsg(prec, WRITE_ALARM, INVALID_ALARM, "%s", msg);
}

/** VAL of a setting shows what holds, unless a newer put waits there. */
static void adoptActual(psOut *out)
{
    psSettings now;
    if (psIocChildSettings(out->child, &now)) {
        double actual = settingOf(&now, out->item->verb);
        out->type->adopt(out->prec, actual);
        epicsMutexMustLock(out->lock);
        out->seen = actual;
        epicsMutexUnlock(out->lock);
    }
}

/** VAL as it is at the end: a command is over, a setting shows what holds. */
static void settle(psOut *out)
{
    if (out->item->setting)
        adoptActual(out);
    else
        out->type->adopt(out->prec, 0);
}

/** The alarm of the command that ended, if it failed. */
static void tellOutcome(psOut *out)
{
    char msg[PS_TEXT_BYTES];
    epicsMutexMustLock(out->lock);
    psCmdState how = out->how;
    memcpy(msg, out->msg, sizeof msg);
    epicsMutexUnlock(out->lock);
    if (how != psCmdDone)
        failed(out->prec, msg);
}

static void secondPass(psOut *out)
{
    double value = out->type->value(out->prec);
    tellOutcome(out);
    if (value != out->accepted && !(isnan(value) && isnan(out->accepted)))
        return; /* a newer put, processed next: changing VAL would lose it */
    settle(out);
}

/* ---- the first pass ---- */

/** "2026-11-23 15:49:52 ops@ws3 put IOC1:PS:Restart 1" on console and log. */
static void tellPut(const psOut *out, const char *by, double value)
{
    char time[32], text[PS_TEXT_BYTES];
    epicsTimeStamp now;
    epicsTimeGetCurrent(&now);
    epicsTimeToStrftime(time, sizeof time, "%Y-%m-%d %H:%M:%S", &now);
    epicsSnprintf(text, sizeof text, "%s %s put %s %.10g", time, by, out->prec->name, value);
    psIocChildTell(out->child, text); /* with a full queue it is only seen in CmdBy */
}

static void explain(int rc, double value, psVerb verb, char *msg, size_t size)
{
    psRange range = psVerbRange(verb);
    switch (rc) {
    case -EINVAL:
        epicsSnprintf(msg, size, "%g is not in %g...%g", value, range.low, range.high);
        break;
    case -ENOENT:
        epicsSnprintf(msg, size, "no such process is supervised");
        break;
    case -EAGAIN:
        epicsSnprintf(msg, size, "too many commands are waiting");
        break;
    case -ESHUTDOWN:
        epicsSnprintf(msg, size, "the supervisor is ending");
        break;
    default:
        epicsSnprintf(msg, size, "%s", strerror(-rc));
        break;
    }
}

/** Sets PACT, unless it is over at once. */
static void submit(psOut *out, double value)
{
    dbCommon *prec = out->prec;
    psCommand cmd = {.verb = out->item->verb, .value = value, .reason = psReasonOperator};
    bool wait = cmd.verb != psVerbSignal || prec->ppn;
    char msg[PS_TEXT_BYTES];
    psPutTrapTake(out, cmd.by, sizeof cmd.by);
    if (!psIocChildrenRunning()) {
        failed(prec, "the IOC does not run");
        return;
    }
    tellPut(out, cmd.by, value);
    if (!out->item->setting)
        out->type->post(prec);
    out->accepted = value;
    prec->pact = wait;
    int rc = psIocChildSubmit(out->child, &cmd, wait ? done : doneLate, out);
    if (rc) {
        explain(rc, value, cmd.verb, msg, sizeof msg);
        rc = psIocChildDenied(out->child, &cmd, msg, wait ? done : doneLate, out);
    }
    if (rc) {
        prec->pact = FALSE;
        failed(prec, msg);
    }
}

static void firstPass(psOut *out)
{
    double value = out->type->value(out->prec);
    bool setting = out->item->setting;
    if (out->telling) {
        tellOutcome(out);
    } else if (setting && out->readback) {
        adoptActual(out);
    } else if (!setting && value == 0) {
        char by[PS_BY_BYTES];
        psPutTrapTake(out, by, sizeof by);
    } else {
        submit(out, value);
        if (!out->prec->pact)
            settle(out);
    }
    out->readback = false;
}

void psOutWrite(dbCommon *prec, const psOutType *type)
{
    if (!prec->nsev)
        prec->namsg[0] = '\0'; /* 7.0.8.1: a message outlives its alarm */
    psOut *out = prec->dpvt;
    if (!out) {
        failed(prec, "bad link, see errlog");
        type->adopt(prec, 0);
    } else if (prec->pact) {
        secondPass(out);
    } else {
        firstPass(out);
    }
}

/* ---- what happens elsewhere ---- */

/** DISP, and a setting changed elsewhere.  Thread: any that holds no record lock. */
static void syncNow(psOut *out)
{
    dbCommon *prec = out->prec;
    psSettings now;
    bool closed = wantClosed();
    dbScanLock(prec);
    epicsMutexMustLock(out->lock);
    bool change = closed != out->closed;
    out->closed = closed;
    epicsMutexUnlock(out->lock);
    if (change) {
        prec->disp = closed;
        db_post_events(prec, &prec->disp, DBE_VALUE | DBE_LOG);
    }
    if (out->item->setting && !prec->pact && psIocChildSettings(out->child, &now) &&
        settingOf(&now, out->item->verb) != out->type->value(prec)) {
        out->readback = true;
        dbProcess(prec);
        out->readback = false; /* SDIS may have kept it from being processed */
    }
    dbScanUnlock(prec);
}

static void poll(psIocWatch *watch, const psSettings *now, uint32_t shown)
{
    psOut *out = CONTAINER(watch, psOut, watch);
    double actual = settingOf(now, out->item->verb);
    if (!isAlive(out))
        return;
    epicsMutexMustLock(out->lock);
    bool reached = (int32_t)(shown - out->awaited) >= 0;
    bool stuck = shown == out->shown && epicsMonotonicGet() * 1e-9 - out->endedAt > PATIENCE_SEC;
    bool finish = (out->ended || out->late) && (reached || stuck);
    bool sync = actual != out->seen || wantClosed() != out->closed;
    out->shown = shown;
    out->seen = actual;
    epicsMutexUnlock(out->lock);
    if (finish)
        complete(out);
    if (sync)
        syncNow(out);
}

/* ---- init ---- */

static psOut *createOut(dbCommon *prec, const char *name, const psOutItem *item)
{
    psOut *out = calloc(1, sizeof *out);
    if (!out)
        return NULL;
    out->lock = epicsMutexCreate();
    out->child = psIocChildGet(name);
    if (!out->lock || !out->child) {
        if (out->lock)
            epicsMutexDestroy(out->lock);
        free(out);
        return NULL;
    }
    out->prec = prec;
    out->item = item;
    out->epoch = outs.epoch;
    out->watch.poll = poll;
    out->closed = wantClosed();
    prec->disp = out->closed; /* asInit comes later: closed until it has opened */
    return out;
}

/** No process at start: the record shows what holds, without driving it (bumpless). */
static void loadActual(psOut *out)
{
    dbCommon *prec = out->prec;
    psSettings now;
    if (!psIocChildSettings(out->child, &now))
        return; /* VAL stays undefined until there is something to show */
    out->seen = settingOf(&now, out->item->verb);
    out->type->adopt(prec, out->seen);
    prec->udf = FALSE;
    prec->stat = prec->sevr = NO_ALARM;
    epicsTimeGetCurrent(&prec->time);
}

long psOutInit(dbCommon *prec, const struct link *link, const psOutItem *items, size_t count,
               const psOutType *type)
{
    char name[PS_NAME_BYTES], item[PS_NAME_BYTES], msg[PS_TEXT_BYTES];
    prec->dpvt = NULL;
    if (psLinkParse(link, name, sizeof name, item, sizeof item, msg, sizeof msg)) {
        errlogPrintf("%s: %s\n", prec->name, msg);
        return S_dev_badInitRet;
    }
    const psOutItem *row = psItemFind(items, count, sizeof *items, item);
    if (!row) {
        errlogPrintf("%s: link \"@%s %s\": no such item for this record type\n", prec->name, name,
                     item);
        return S_dev_badInitRet;
    }
    psOut *out = createOut(prec, name, row);
    if (!out) {
        errlogPrintf("%s: out of memory\n", prec->name);
        return S_dev_badInitRet;
    }
    out->type = type;
    prec->dpvt = out;
    if (row->setting)
        loadActual(out);
    else
        prec->udf = FALSE;
    psIocChildWatch(out->child, &out->watch);
    return 0;
}
