/* SPDX-License-Identifier: EPICS */
#include <epicsTime.h>

#include "psIocSystem.h"

const void *psSystemItem(const dbCommon *prec)
{
    const psIn *in = prec->dpvt;

    return in && !in->child ? in->item : NULL;
}

void psSystemBegin(dbCommon *prec, psSystemView *outView)
{
    if (!prec->nsev)
        prec->namsg[0] = '\0';
    psCaRelayStatusGet(&outView->relay);
}

void psSystemStamp(dbCommon *prec, bool changed, epicsEnum16 sevr)
{
    if (changed || !prec->time.secPastEpoch || prec->udf || sevr != prec->sevr)
        epicsTimeGetCurrent(&prec->time);
}
