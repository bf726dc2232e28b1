/* SPDX-License-Identifier: EPICS */
#include <recGbl.h>

#include "psIocAlarm.h"
#include "psText.h"

void psIocAlarmSet(dbCommon *prec, epicsEnum16 stat, epicsEnum16 sevr, const char *msg)
{
    recGblSetSevrMsg(prec, stat, sevr, "%s", msg);
    psTextEndWhole(prec->namsg, sizeof(prec->namsg));
}
