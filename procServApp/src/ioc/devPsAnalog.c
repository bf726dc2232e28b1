/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for longin and ai. */

#include <math.h>
#include <unistd.h>

#include <aiRecord.h>
#include <alarm.h>
#include <epicsExport.h>
#include <longinRecord.h>

#include "devPsItems.h"
#include "psIocIn.h"
#include "psIocSystem.h"
#include "psIocTable.h"

/* ---- longin ---- */

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

/* Processed by each update of the PV, and by nothing else. */
static epicsInt32 getWatchSeen(const psIocView *v)
{
    return (epicsInt32)(psSupPvUpdated(v->supervised) & 0x7fffffff);
}

static epicsInt32 getAliveAge(const psIocView *v)
{
    return wholeSeconds(psSupAliveAge(v->supervised, v->mono));
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

static const psLongItem longItems[] = {
    {"Seq", getSeq},
    {"Pid", getPid},
    {"Tick", getUptime},
    {"Uptime", getUptime},
    {"AliveAge", getAliveAge},
    {"WatchSeen", getWatchSeen},
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

typedef struct longSystemItem {
    psSystemRow row;
    epicsInt32 (*get)(const psSystemView *v);
} longSystemItem;

/* A counter as an integer record shows it: it begins anew at 0. */
static epicsInt32 counter(unsigned long long count)
{
    return (epicsInt32)(count & 0x7fffffff);
}

static epicsInt32 getCaSearches(const psSystemView *v)
{
    return counter(v->relay.searches);
}

static epicsInt32 getCaDropped(const psSystemView *v)
{
    return counter(v->relay.dropped);
}

static epicsInt32 getApiLevel(const psSystemView *v)
{
    (void)v;
    return PS_API_LEVEL;
}

static epicsInt32 getSupPid(const psSystemView *v)
{
    (void)v;
    return getpid();
}

static epicsInt32 getSupUptime(const psSystemView *v)
{
    return wholeSeconds(v->sum.upSec);
}

static epicsInt32 getHeartbeat(const psSystemView *v)
{
    return counter(v->sum.heartbeat);
}

static epicsInt32 getNumChildren(const psSystemView *v)
{
    return v->sum.children;
}

static epicsInt32 getNumRunning(const psSystemView *v)
{
    return v->sum.running;
}

static epicsInt32 getNumAlarm(const psSystemView *v)
{
    return v->sum.notOk;
}

static epicsInt32 getCmdSeqOfAll(const psSystemView *v)
{
    return v->all.cmd.seq;
}

static epicsInt32 getSupFds(const psSystemView *v)
{
    return v->sum.self.fds;
}

static epicsInt32 getSupThreads(const psSystemView *v)
{
    return v->sum.self.threads;
}

static epicsInt32 getTableSeq(const psSystemView *v)
{
    (void)v;
    return counter(psIocTableSeq());
}

static const longSystemItem longSystemItems[] = {
    {{"SupFds", psSystemSelf}, getSupFds},           {{"SupThreads", psSystemSelf}, getSupThreads},
    {{"CaSearches", psSystemAlways}, getCaSearches}, {{"CaDropped", psSystemAlways}, getCaDropped},
    {{"ApiLevel", psSystemAlways}, getApiLevel},     {{"SupPid", psSystemAlways}, getSupPid},
    {{"SupUptime", psSystemSup}, getSupUptime},      {{"Heartbeat", psSystemSup}, getHeartbeat},
    {{"NumChildren", psSystemSup}, getNumChildren},  {{"NumRunning", psSystemSup}, getNumRunning},
    {{"NumAlarm", psSystemSup}, getNumAlarm},        {{"CmdSeq", psSystemSup}, getCmdSeqOfAll},
    {{"TableSeq", psSystemSup}, getTableSeq},
};
static const psItemTable longSystemTable = PS_ITEM_TABLE(longSystemItems, PS_NO_SETTINGS);
static const psItemTable longTable =
    PS_ITEM_TABLE_AND(longItems, psSettingInt, &longSystemTable, &psConsoleLongTable);

static long initLongin(dbCommon *pcommon)
{
    longinRecord *prec = (longinRecord *)pcommon;

    return psInInit(pcommon, &prec->inp, &longTable);
}

static epicsEnum16 longSevr(const longinRecord *prec, epicsInt32 val)
{
    const double limits[] = {prec->hihi, prec->high, prec->low, prec->lolo};
    const epicsEnum16 sevrs[] = {prec->hhsv, prec->hsv, prec->lsv, prec->llsv};

    return psInLimitSevr(val, limits, sevrs);
}

static long readSystem(longinRecord *prec, const longSystemItem *item)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psSystemView view;

    if (!psSystemBegin(pcommon, &view))
        return -1;
    epicsInt32 val = item->get(&view);
    psSystemStamp(pcommon, val != prec->val, longSevr(prec, val));
    prec->val = val;
    return 0;
}

static long readLongin(longinRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    const longSystemItem *system = psSystemItem(pcommon);
    psIocView view;

    if (system)
        return readSystem(prec, system);
    const psIn *in = psInBegin(pcommon, &view);
    if (!in)
        return -1;
    const psLongItem *item = in->item;
    epicsInt32 val =
        item ? item->get(&view) : (epicsInt32)psSettingGet(in->setting, &view.st->settings);
    psInEnd(pcommon);
    psInStamp(pcommon, val != prec->val, longSevr(prec, val));
    prec->val = val;
    return 0;
}

static longindset devPsLongin = {
    {5, NULL, NULL, initLongin, psInClockInfo},
    readLongin,
};
epicsExportAddress(dset, devPsLongin);

/* ---- ai ---- */

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

static double getReadyTime(const psIocView *v)
{
    return v->st->readyAfterSec;
}

static const psAiItem aiItems[] = {
    {"ReadyTime", getReadyTime},
    {"ExitMaxRss", getExitMaxRss},
    {"ExitCpu", getExitCpu},
    {"HoldoffRemain", getHoldoffRemain},
};

typedef struct aiSystemItem {
    psSystemRow row;
    double (*get)(const psSystemView *v);
} aiSystemItem;

static double getLoopMax(const psSystemView *v)
{
    return v->sum.loopMaxSec * 1e3;
}

static double getStagger(const psSystemView *v)
{
    return v->staggerSec;
}

static double getSupCpu(const psSystemView *v)
{
    return v->sum.self.cpuPercent;
}

static double getSupRss(const psSystemView *v)
{
    return v->sum.self.rssMiB;
}

static double getLogDiskFree(const psSystemView *v)
{
    return v->sum.logSpace.freePercent;
}

static const aiSystemItem aiSystemItems[] = {
    {{"LogDiskFree", psSystemSpace}, getLogDiskFree},
    {{"SupCpu", psSystemSelf}, getSupCpu},
    {{"SupRss", psSystemSelf}, getSupRss},
    {{"LoopMax", psSystemSup}, getLoopMax},
    {{"Stagger", psSystemSup}, getStagger},
};
static const psItemTable aiSystemTable = PS_ITEM_TABLE(aiSystemItems, PS_NO_SETTINGS);
static const psItemTable aiTable =
    PS_ITEM_TABLE_AND(aiItems, psSettingDouble, &aiSystemTable, &psConsoleAiTable);

static long initAi(dbCommon *pcommon)
{
    aiRecord *prec = (aiRecord *)pcommon;

    return psInInit(pcommon, &prec->inp, &aiTable);
}

static epicsEnum16 aiSevr(const aiRecord *prec, double val)
{
    const double limits[] = {prec->hihi, prec->high, prec->low, prec->lolo};
    const epicsEnum16 sevrs[] = {prec->hhsv, prec->hsv, prec->lsv, prec->llsv};

    return psInLimitSevr(val, limits, sevrs);
}

static long readAiSystem(aiRecord *prec, const aiSystemItem *item)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psSystemView view;

    if (!psSystemBegin(pcommon, &view))
        return -1;
    double val = item->get(&view);
    psSystemStamp(pcommon, val != prec->val, aiSevr(prec, val));
    prec->val = val;
    prec->udf = FALSE;
    return 2; /* the value needs no conversion */
}

static long readAi(aiRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    const aiSystemItem *system = psSystemItem(pcommon);
    psIocView view;

    if (system)
        return readAiSystem(prec, system);
    const psIn *in = psInBegin(pcommon, &view);

    if (!in)
        return -1;
    const psAiItem *item = in->item;
    double val = item ? item->get(&view) : psSettingGet(in->setting, &view.st->settings);
    psInEnd(pcommon);
    psInStamp(pcommon, val != prec->val, aiSevr(prec, val));
    prec->val = val;
    prec->udf = FALSE;
    return 2; /* the value needs no conversion */
}

static long infoAi(int detach, dbCommon *pcommon, IOSCANPVT *out)
{
    const psIn *in = pcommon->dpvt;

    return in && in->isHead ? psInHeadInfo(detach, pcommon, out)
                            : psInClockInfo(detach, pcommon, out);
}

static aidset devPsAi = {
    {6, NULL, NULL, initAi, infoAi},
    readAi,
    NULL,
};
epicsExportAddress(dset, devPsAi);
