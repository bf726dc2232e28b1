/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <alarm.h>
#include <epicsTime.h>
#include <recGbl.h>

#include "psIocAll.h"
#include "psIocSummary.h"
#include "psIocSystem.h"

const void *psSystemItem(const dbCommon *prec)
{
    const psIn *in = prec->dpvt;

    return in && !in->child ? in->item : NULL;
}

bool psSystemBegin(dbCommon *prec, psSystemView *outView)
{
    const psSystemRow *row = psSystemItem(prec);

    if (!prec->nsev)
        prec->namsg[0] = '\0';
    psCaRelayStatusGet(&outView->relay);
    psIocAllShown(&outView->all);
    outView->staggerSec = 0;
    psIocAllStagger(&outView->staggerSec); /* fails without a supervisor only */
    memset(&outView->sum, 0, sizeof(outView->sum));
    bool found = psIocSummaryGet(&outView->sum);
    if (row->need == psSystemAlways)
        return true;
    if (found && (row->need == psSystemSup || outView->sum.self.known))
        return true;
    recGblSetSevrMsg(prec, found ? READ_ALARM : COMM_ALARM, INVALID_ALARM, "%s",
                     found ? "/proc has not been read yet, or never is" : "there is no supervisor");
    psSystemStamp(prec, false, INVALID_ALARM);
    return false;
}

void psSystemStamp(dbCommon *prec, bool changed, epicsEnum16 sevr)
{
    if (changed || !prec->time.secPastEpoch || prec->udf || sevr != prec->sevr)
        epicsTimeGetCurrent(&prec->time);
}
