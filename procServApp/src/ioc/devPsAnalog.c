/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for longin and ai. */

#include <math.h>

#include <aiRecord.h>
#include <alarm.h>
#include <epicsExport.h>
#include <longinRecord.h>

#include "psIocIn.h"

/* ---- longin ---- */

typedef struct longItem {
    const char *name;
    epicsInt32 (*get)(const psIocView *v);
} longItem;

/* Seconds as an integer record shows them. */
static epicsInt32 wholeSeconds(double sec)
{
    return sec <= 0 ? 0 : sec >= INT32_MAX ? INT32_MAX : (epicsInt32)floor(sec);
}

static epicsInt32 getSeq(const psIocView *v)
{
    return (epicsInt32)(v->st->seq & 0x7fffffff);
}

static epicsInt32 getPid(const psIocView *v)
{
    return v->st->pid;
}

static epicsInt32 getUptime(const psIocView *v)
{
    return v->st->running ? wholeSeconds(v->mono - v->st->startMono) : 0;
}

static epicsInt32 getStarts(const psIocView *v)
{
    return v->st->starts;
}

static epicsInt32 getRestarts(const psIocView *v)
{
    return v->st->restarts;
}

static epicsInt32 getAutoRestarts(const psIocView *v)
{
    return v->st->autoRestarts;
}

static epicsInt32 getCrashes(const psIocView *v)
{
    return v->st->crashes;
}

static epicsInt32 getWindowCrashes(const psIocView *v)
{
    return v->st->windowCrashes;
}

static epicsInt32 getLastRun(const psIocView *v)
{
    return v->st->lastRunSec;
}

static epicsInt32 getExitCode(const psIocView *v)
{
    return v->st->exitCode;
}

static epicsInt32 getExitSignal(const psIocView *v)
{
    return v->st->exitSignal;
}

static epicsInt32 getCmdSeq(const psIocView *v)
{
    return v->st->cmd.seq;
}

static const longItem longItems[] = {
    {"Seq", getSeq},
    {"Pid", getPid},
    {"Tick", getUptime},
    {"Uptime", getUptime},
    {"Starts", getStarts},
    {"Restarts", getRestarts},
    {"AutoRestarts", getAutoRestarts},
    {"Crashes", getCrashes},
    {"WindowCrashes", getWindowCrashes},
    {"LastRun", getLastRun},
    {"ExitCode", getExitCode},
    {"ExitSignal", getExitSignal},
    {"CmdSeq", getCmdSeq},
};
static const psItemTable longTable = PS_ITEM_TABLE(longItems, psSettingInt);

static long initLongin(dbCommon *pcommon)
{
    longinRecord *prec = (longinRecord *)pcommon;

    return psInInit(pcommon, &prec->inp, &longTable);
}

static long readLongin(longinRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psIocView view;
    const psIn *in = psInBegin(pcommon, &view);

    if (!in)
        return -1;
    const longItem *item = in->item;
    epicsInt32 val =
        item ? item->get(&view) : (epicsInt32)psSettingGet(in->setting, &view.st->settings);
    psInEnd(pcommon);
    const double limits[] = {prec->hihi, prec->high, prec->low, prec->lolo};
    const epicsEnum16 sevrs[] = {prec->hhsv, prec->hsv, prec->lsv, prec->llsv};
    psInStamp(pcommon, val != prec->val, psInLimitSevr(val, limits, sevrs));
    prec->val = val;
    return 0;
}

static longindset devPsLongin = {
    {5, NULL, NULL, initLongin, psInClockInfo},
    readLongin,
};
epicsExportAddress(dset, devPsLongin);

/* ---- ai ---- */

typedef struct aiItem {
    const char *name;
    double (*get)(const psIocView *v);
} aiItem;

static double getExitMaxRss(const psIocView *v)
{
    return v->st->exitMaxRssMiB;
}

static double getExitCpu(const psIocView *v)
{
    return v->st->exitCpuSec;
}

static double getHoldoffRemain(const psIocView *v)
{
    double remain = v->st->nextStartMono > 0 ? v->st->nextStartMono - v->mono : 0;
    return remain > 0 ? remain : 0;
}

static const aiItem aiItems[] = {
    {"ExitMaxRss", getExitMaxRss},
    {"ExitCpu", getExitCpu},
    {"HoldoffRemain", getHoldoffRemain},
};
static const psItemTable aiTable = PS_ITEM_TABLE(aiItems, psSettingDouble);

static long initAi(dbCommon *pcommon)
{
    aiRecord *prec = (aiRecord *)pcommon;

    return psInInit(pcommon, &prec->inp, &aiTable);
}

static long readAi(aiRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psIocView view;
    const psIn *in = psInBegin(pcommon, &view);

    if (!in)
        return -1;
    const aiItem *item = in->item;
    double val = item ? item->get(&view) : psSettingGet(in->setting, &view.st->settings);
    psInEnd(pcommon);
    const double limits[] = {prec->hihi, prec->high, prec->low, prec->lolo};
    const epicsEnum16 sevrs[] = {prec->hhsv, prec->hsv, prec->lsv, prec->llsv};
    psInStamp(pcommon, val != prec->val, psInLimitSevr(val, limits, sevrs));
    prec->val = val;
    prec->udf = FALSE;
    return 2; /* the value needs no conversion */
}

static aidset devPsAi = {
    {6, NULL, NULL, initAi, NULL},
    readAi,
    NULL,
};
epicsExportAddress(dset, devPsAi);
