/* SPDX-License-Identifier: EPICS */
/* An alarm message outlives its alarm in Base 7.0.8.1, so every read begins by clearing NAMSG. */
#include <stdlib.h>

#include <alarm.h>
#include <epicsTime.h>
#include <errlog.h>
#include <recGbl.h>

#include "psIocAlarm.h"
#include "psIocClock.h"
#include "psIocIn.h"
#include "psIocRegistry.h"
#include "psIocSummary.h"

long psInInit(dbCommon *prec, const struct link *link, const psItemTable *table)
{
    psLinkTarget target;

    prec->dpvt = NULL;
    if (psLinkResolve(prec, link, table, &target))
        return S_dev_badInitRet;
    psIn *in = calloc(1, sizeof(*in));
    psIocChild *child = in && target.name[0] ? psIocRegistryGet(target.name) : NULL;
    if (!in || (!child && target.name[0])) {
        free(in);
        errlogPrintf("%s: cannot allocate memory or create a thread\n", prec->name);
        return S_dev_badInitRet;
    }
    if (!child || target.table->topic == psTopicResources)
        psIocSummaryUse();
    in->child = child;
    in->item = target.row;
    in->setting = target.setting;
    in->topic = target.table->topic;
    in->isHead = target.row && target.row == target.table->head;
    in->unknown = target.table->unknown;
    if (child)
        psIocChildUse(child, in->topic);
    prec->dpvt = in;
    return 0;
}

long psInClockInfo(int detach, dbCommon *prec, IOSCANPVT *out)
{
    (void)detach;
    if (!prec->dpvt)
        return S_dev_noDeviceFound;
    *out = psIocClockScan();
    return 0;
}

long psInHeadInfo(int detach, dbCommon *prec, IOSCANPVT *out)
{
    (void)detach;
    const psIn *in = prec->dpvt;
    if (!in)
        return S_dev_noDeviceFound;
    *out = in->child ? psIocChildScan(in->child, in->topic) : psIocClockScan();
    return 0;
}

static const psIn *readFailed(dbCommon *prec, epicsEnum16 stat, const char *msg)
{
    psIocAlarmSet(prec, stat, INVALID_ALARM, msg);
    if (prec->sevr != INVALID_ALARM || !prec->time.secPastEpoch)
        epicsTimeGetCurrent(&prec->time);
    return NULL;
}

void psInTake(const dbCommon *prec)
{
    const psIn *in = prec->dpvt;

    if (in && in->child)
        psIocChildTake(in->child, in->topic);
}

const psIn *psInBegin(dbCommon *prec, psIocView *outView)
{
    if (!prec->nsev)
        prec->namsg[0] = '\0';
    psIn *in = prec->dpvt;
    if (!in)
        return readFailed(prec, LINK_ALARM, "bad link, see errlog");
    if (in->isHead)
        psInTake(prec);
    if (!psIocChildLock(in->child, outView)) {
        psIocChildUnlock(in->child);
        return readFailed(prec, COMM_ALARM, "there is no child of that name");
    }
    const char *why = in->unknown ? in->unknown(in->item, outView) : NULL;
    if (!why)
        return in;
    psIocChildUnlock(in->child);
    return readFailed(prec, READ_ALARM, why);
}

void psInEnd(dbCommon *prec)
{
    psIocChildUnlock(((psIn *)prec->dpvt)->child);
}

void psInStamp(dbCommon *prec, bool changed, epicsEnum16 sevr)
{
    psIn *in = prec->dpvt;
    uint32_t seq;
    epicsTimeStamp time;
    psIocChildShown(in->child, in->topic, &seq, &time);
    bool first = !prec->time.secPastEpoch || prec->udf;
    bool published = seq != in->seq && time.secPastEpoch;
    in->seq = seq;
    if (!first && !changed && sevr == prec->sevr)
        return;
    if (!published) {
        epicsTimeGetCurrent(&prec->time);
        return;
    }
    /* A transition is shown a little later than it happened: a tick of the clock may have been
     * quicker, and archivers refuse samples that go back. */
    double ahead = epicsTimeDiffInSeconds(&prec->time, &time);
    if (first || !(ahead > 0 && ahead < 1.5))
        prec->time = time;
}

epicsEnum16 psInLimitSevr(double val, const double limits[4], const epicsEnum16 sevrs[4])
{
    if (sevrs[0] && val >= limits[0])
        return sevrs[0];
    if (sevrs[3] && val <= limits[3])
        return sevrs[3];
    if (sevrs[1] && val >= limits[1])
        return sevrs[1];
    if (sevrs[2] && val <= limits[2])
        return sevrs[2];
    return NO_ALARM;
}
