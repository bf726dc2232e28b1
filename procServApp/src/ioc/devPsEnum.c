/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for bi and mbbi.  State, the head of a child's records, is here. */

#include <alarm.h>
#include <biRecord.h>
#include <dbAccess.h>
#include <epicsExport.h>
#include <mbbiRecord.h>
#include <recGbl.h>

#include "devPsItems.h"
#include "psIocAlarm.h"
#include "psIocAll.h"
#include "psIocCompat.h"
#include "psIocIn.h"
#include "psIocRegistry.h"
#include "psIocSystem.h"

/* ---- bi ---- */

static bool getRunning(const psIocView *v)
{
    return v->st->running;
}

static bool getReady(const psIocView *v)
{
    return v->st->ready;
}

static epicsEnum16 sevrReady(const psIocView *v, const char **outWhy)
{
    *outWhy = v->st->stateMsg;
    return v->st->readyLate ? MINOR_ALARM : NO_ALARM;
}

static bool getDesired(const psIocView *v)
{
    return v->st->desiredUp;
}

static bool getAlive(const psIocView *v)
{
    return v->st->alive;
}

static bool getExitCore(const psIocView *v)
{
    return v->st->exitCore;
}

static bool getOverridden(const psIocView *v)
{
    return v->st->overridden;
}

static bool getCompatAutoRestart(const psIocView *v)
{
    return psCompatAutoRestarts(v->st);
}

static const psBiItem biItems[] = {
    {"Running", getRunning, NULL},
    {"Alive", getAlive, NULL},
    {"Ready", getReady, sevrReady},
    {"Desired", getDesired, NULL},
    {"ExitCore", getExitCore, NULL},
    {"Overridden", getOverridden, NULL},
    {"AUTORESTART", getCompatAutoRestart, NULL},
};

typedef struct biSystemItem {
    psSystemRow row;
    bool (*get)(const psSystemView *v);
} biSystemItem;

static bool getAnyAlarm(const psSystemView *v)
{
    return v->sum.major > 0;
}

static const biSystemItem biSystemItems[] = {
    {{"AnyAlarm", psSystemSup}, getAnyAlarm},
};
static const psItemTable biSystemTable = PS_ITEM_TABLE(biSystemItems, PS_NO_SETTINGS);
static const psItemTable biTable =
    PS_ITEM_TABLE_AND(biItems, PS_NO_SETTINGS, &biSystemTable, &psConsoleBiTable);

static long initBi(dbCommon *pcommon)
{
    biRecord *prec = (biRecord *)pcommon;

    return psInInit(pcommon, &prec->inp, &biTable);
}

static long readBiSystem(biRecord *prec, const biSystemItem *item)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psSystemView view;

    if (!psSystemBegin(pcommon, &view))
        return -1;
    epicsEnum16 val = item->get(&view);
    psSystemStamp(pcommon, val != prec->val, val ? prec->osv : prec->zsv);
    prec->val = val;
    prec->udf = FALSE;
    return 2;
}

static long readBi(biRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    const biSystemItem *system = psSystemItem(pcommon);
    psIocView view;

    if (system)
        return readBiSystem(prec, system);
    const psIn *in = psInBegin(pcommon, &view);

    if (!in)
        return -1;
    const psBiItem *item = in->item;
    epicsEnum16 val = item->get(&view);
    const char *why;
    epicsEnum16 own = item->sevr ? item->sevr(&view, &why) : NO_ALARM;
    if (own)
        psIocAlarmSet((dbCommon *)prec, STATE_ALARM, own, why);
    psInEnd(pcommon);
    epicsEnum16 byValue = val ? prec->osv : prec->zsv;
    psInStamp(pcommon, val != prec->val, byValue > own ? byValue : own);
    prec->val = val;
    prec->udf = FALSE;
    return 2;
}

static bidset devPsBi = {
    {5, NULL, NULL, initBi, NULL},
    readBi,
};
epicsExportAddress(dset, devPsBi);

/* ---- mbbi ---- */

typedef struct mbbiItem {
    const char *name;
    unsigned (*get)(const psIocView *v);
    /** Severity beyond what the record's own xxSV give, and its reason; may be NULL. */
    epicsEnum16 (*sevr)(const psIocView *v);
    bool isHead;
} mbbiItem;

static unsigned getState(const psIocView *v)
{
    return v->st->state;
}

static unsigned getHealth(const psIocView *v)
{
    return v->st->health;
}

static unsigned getStartReason(const psIocView *v)
{
    return v->st->startReason;
}

static unsigned getExitClass(const psIocView *v)
{
    return v->st->exitClass;
}

/* The alarm of an exit ends when the process runs again, not when the class changes. */
static epicsEnum16 sevrExitClass(const psIocView *v)
{
    switch (v->st->exitClass) {
    case psExitError:
    case psExitSignal:
    case psExitTimeout:
    case psExitExecFail:
    case psExitLost:
        return v->st->exitAlarm ? MINOR_ALARM : NO_ALARM;
    default:
        return NO_ALARM;
    }
}

static unsigned getCmdState(const psIocView *v)
{
    return v->st->cmd.state;
}

static unsigned getCompatStatus(const psIocView *v)
{
    return psCompatStateOf(v->st);
}

static const mbbiItem mbbiItems[] = {
    {"State", getState, NULL, true},
    {"Health", getHealth, NULL, false},
    {"StartReason", getStartReason, NULL, false},
    {"ExitClass", getExitClass, sevrExitClass, false},
    {"CmdState", getCmdState, NULL, false},
    {"STATUS", getCompatStatus, NULL, true},
};

typedef struct mbbiSystemItem {
    psSystemRow row;
    unsigned (*get)(const psSystemView *v);
    const char *(*why)(const psSystemView *v); /* the reason of an alarm that the state has */
    void (*before)(void); /* it is a head, and this takes what is new; NULL: on the clock's list */
} mbbiSystemItem;

static unsigned getCaRelay(const psSystemView *v)
{
    return v->relay.state;
}

static const char *whyCaRelay(const psSystemView *v)
{
    return v->relay.text;
}

static unsigned getCmdStateOfAll(const psSystemView *v)
{
    return v->all.cmd.state;
}

static const char *whyCmdStateOfAll(const psSystemView *v)
{
    return v->all.cmd.msg;
}

static unsigned getAcfState(const psSystemView *v)
{
    return v->acf;
}

static const char *whyAcfState(const psSystemView *v)
{
    return v->acfWhy;
}

static const mbbiSystemItem mbbiSystemItems[] = {
    {{"AcfState", psSystemAlways}, getAcfState, whyAcfState, NULL},
    {{"CaRelay", psSystemAlways}, getCaRelay, whyCaRelay, NULL},
    {{"CmdState", psSystemSup}, getCmdStateOfAll, whyCmdStateOfAll, psIocAllTake},
};
static const psItemTable mbbiSystemTable = PS_ITEM_TABLE(mbbiSystemItems, PS_NO_SETTINGS);
static const psItemTable mbbiTable =
    PS_ITEM_TABLE_AND(mbbiItems, psSettingMode, &mbbiSystemTable, NULL);

/* A new set of records begins: their scan lists must not be those of the last iocShutdown. */
static long initMbbiSupport(int after)
{
    if (!after)
        psIocRegistryReset();
    return 0;
}

static const mbbiItem *itemOf(const mbbiRecord *prec)
{
    const psIn *in = prec->dpvt;

    return in ? in->item : NULL;
}

static long initMbbi(dbCommon *pcommon)
{
    mbbiRecord *prec = (mbbiRecord *)pcommon;
    long status = psInInit(pcommon, &prec->inp, &mbbiTable);
    const mbbiItem *item = status ? NULL : itemOf(prec);

    if (item && item->get == getState)
        psIocChildNamed(((psIn *)prec->dpvt)->child, prec->name);
    return status;
}

/* A name without a child is a state of its own, not a failed read. */
static long readUnknown(mbbiRecord *prec)
{
    static const psStatus unknown = {.state = psStateUnknown};
    const psIocView view = {.st = &unknown};
    const mbbiItem *item = itemOf(prec);

    if (!item || !item->isHead)
        return -1;
    prec->val = (epicsEnum16)item->get(&view);
    prec->udf = FALSE;
    return 2;
}

/* Severity beyond what the record's own xxSV give. */
static epicsEnum16 ownSevr(mbbiRecord *prec, const psIocView *view)
{
    const mbbiItem *item = itemOf(prec);
    epicsEnum16 sevr = item && item->sevr ? item->sevr(view) : NO_ALARM;

    if (sevr)
        psIocAlarmSet((dbCommon *)prec, STATE_ALARM, sevr, view->st->exitMsg);
    return sevr;
}

static epicsEnum16 sevrOf(const mbbiRecord *prec, unsigned val)
{
    return val < 16 ? (&prec->zrsv)[val] : prec->unsv;
}

static long readSystem(mbbiRecord *prec, const mbbiSystemItem *item)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psSystemView view;

    if (item->before)
        item->before();
    if (!psSystemBegin(pcommon, &view))
        return -1;
    unsigned val = item->get(&view);
    epicsEnum16 sevr = sevrOf(prec, val);
    if (sevr)
        psIocAlarmSet((dbCommon *)prec, STATE_ALARM, sevr, item->why(&view));
    psSystemStamp(pcommon, val != prec->val, sevr);
    prec->val = (epicsEnum16)val;
    prec->udf = FALSE;
    return 2;
}

static long readMbbi(mbbiRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    const mbbiSystemItem *system = psSystemItem(pcommon);

    if (system)
        return readSystem(prec, system);
    const mbbiItem *item = itemOf(prec);
    psIocView view;

    if (item && item->isHead)
        psInTake(pcommon);
    const psIn *in = psInBegin(pcommon, &view);
    if (!in)
        return readUnknown(prec);
    unsigned val =
        item ? item->get(&view) : (unsigned)psSettingGet(in->setting, &view.st->settings);
    epicsEnum16 own = ownSevr(prec, &view);
    psInEnd(pcommon);
    epicsEnum16 byValue = sevrOf(prec, val);
    psInStamp(pcommon, val != prec->val, byValue > own ? byValue : own);
    prec->val = (epicsEnum16)val;
    prec->udf = FALSE;
    return 2;
}

static long infoMbbi(int detach, dbCommon *pcommon, IOSCANPVT *out)
{
    const mbbiSystemItem *system = psSystemItem(pcommon);

    if (!system || !system->before)
        return psInHeadInfo(detach, pcommon, out);
    *out = psIocAllScan();
    return *out ? 0 : S_dev_noDeviceFound;
}

static mbbidset devPsMbbi = {
    {5, NULL, initMbbiSupport, initMbbi, infoMbbi},
    readMbbi,
};
epicsExportAddress(dset, devPsMbbi);
