/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for calcout: a value that comes from elsewhere is passed on to the
 * supervisor, also while it is invalid (IVOA).  Of inputs only the link's parser is used. */
#include <alarm.h>
#include <calcoutRecord.h>
#include <dbAccess.h>
#include <epicsExport.h>
#include <epicsTime.h>
#include <recGbl.h>

#include "psIocIn.h"

typedef struct calcoutItem {
    const char *name;
    void (*put)(psChild *supervised, bool valid, double value);
} calcoutItem;

static void putReadyIn(psChild *supervised, bool valid, double value)
{
    psSupReadyPv(supervised, !valid ? psReadyPvBad : value == 0 ? psReadyPvZero : psReadyPvGood);
}

static const calcoutItem calcoutItems[] = {
    {"ReadyIn", putReadyIn},
};
static const psItemTable calcoutTable = PS_ITEM_TABLE(calcoutItems, PS_NO_SETTINGS);

static long initCalcout(dbCommon *pcommon)
{
    calcoutRecord *prec = (calcoutRecord *)pcommon;

    return psInInit(pcommon, &prec->out, &calcoutTable);
}

/* That there is no child of that name shows in State. */
static long writeCalcout(calcoutRecord *prec)
{
    const psIn *in = prec->dpvt;
    psIocView view;

    if (!in) {
        recGblSetSevrMsg(prec, LINK_ALARM, INVALID_ALARM, "bad link, see errlog");
        return -1;
    }
    if (!prec->time.secPastEpoch || prec->val != prec->mlst || prec->nsev != prec->sevr)
        epicsTimeGetCurrent(&prec->time);
    const calcoutItem *item = in->item;
    if (psIocChildLock(in->child, &view))
        item->put(view.supervised, prec->nsev < INVALID_ALARM, prec->val);
    psIocChildUnlock(in->child);
    return 0;
}

static calcoutdset devPsCalcout = {
    {5, NULL, NULL, initCalcout, NULL},
    writeCalcout,
};
epicsExportAddress(dset, devPsCalcout);
