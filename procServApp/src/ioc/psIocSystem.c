/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <alarm.h>
#include <epicsTime.h>
#include <recGbl.h>

#include "psIocAlarm.h"
#include "psIocAll.h"
#include "psIocSummary.h"
#include "psIocSystem.h"

const void *psSystemItem(const dbCommon *prec)
{
    const psIn *in = prec->dpvt;

    return in && !in->child ? in->item : NULL;
}

/* Why there is no value; NULL: there is one. */
static const char *unknown(psSystemNeed need, const psSummary *sum)
{
    if (need == psSystemSelf && !sum->self.known)
        return "/proc has not been read yet, or never is";
    if (need == psSystemSpace && !sum->logSpace.known)
        return "not looked at yet";
    if (need == psSystemSpace && sum->logSpace.hangs)
        return "the file system of a log does not answer";
    return NULL;
}

bool psSystemBegin(dbCommon *prec, psSystemView *outView)
{
    const psSystemRow *row = psSystemItem(prec);

    if (!prec->nsev)
        prec->namsg[0] = '\0';
    psCaRelayStatusGet(&outView->relay);
    psIocAllShown(&outView->all);
    outView->acf = psIocAcfState(outView->acfWhy);
    outView->staggerSec = 0;
    psIocAllStagger(&outView->staggerSec); /* fails without a supervisor only */
    memset(&outView->sum, 0, sizeof(outView->sum));
    bool found = psIocSummaryGet(&outView->sum);
    const char *why = row->need == psSystemAlways ? NULL
                      : found                     ? unknown(row->need, &outView->sum)
                                                  : "there is no supervisor";
    if (!why)
        return true;
    psIocAlarmSet(prec, found ? READ_ALARM : COMM_ALARM, INVALID_ALARM, why);
    psSystemStamp(prec, false, INVALID_ALARM);
    return false;
}

void psSystemStamp(dbCommon *prec, bool changed, epicsEnum16 sevr)
{
    if (changed || !prec->time.secPastEpoch || prec->udf || sevr != prec->sevr)
        epicsTimeGetCurrent(&prec->time);
}
