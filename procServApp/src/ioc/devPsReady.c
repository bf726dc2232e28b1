/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for calcout: a value that comes from elsewhere is passed on to the
 * supervisor, also while it is invalid (IVOA).  Of inputs only the link's parser is used. */
#include <alarm.h>
#include <calcoutRecord.h>
#include <dbAccess.h>
#include <dbLink.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <epicsTime.h>
#include <errlog.h>
#include <recGbl.h>

#include "psIocIn.h"

typedef struct calcoutItem {
    const char *name;
    void (*put)(psChild *supervised, psReadyPvState state);
} calcoutItem;

static const calcoutItem calcoutItems[] = {
    {"ReadyIn", psSupReadyPv},
};
static const psItemTable calcoutTable = PS_ITEM_TABLE(calcoutItems, PS_NO_SETTINGS);

static long initCalcout(dbCommon *pcommon)
{
    calcoutRecord *prec = (calcoutRecord *)pcommon;

    return psInInit(pcommon, &prec->out, &calcoutTable);
}

/* With an empty macro the record follows nothing, and its value says nothing. */
static psReadyPvState stateOf(const calcoutRecord *prec)
{
    if (dbLinkIsConstant(&prec->inpa))
        return psReadyPvUnknown;
    if (prec->nsev >= INVALID_ALARM)
        return psReadyPvBad;
    return prec->val == 0 ? psReadyPvZero : psReadyPvGood;
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
    bool isFirst = !prec->time.secPastEpoch;
    if (isFirst || prec->val != prec->mlst || prec->nsev != prec->sevr)
        epicsTimeGetCurrent(&prec->time);
    const calcoutItem *item = in->item;
    psReadyPvState state = stateOf(prec);
    char readyPv[PS_TEXT_BYTES] = "";
    if (psIocChildLock(in->child, &view)) {
        item->put(view.supervised, state);
        if (isFirst && state == psReadyPvUnknown)
            epicsSnprintf(readyPv, sizeof(readyPv), "%s", view.facts->readyPv);
    }
    psIocChildUnlock(in->child);
    if (*readyPv)
        errlogPrintf("%s: does not follow the PV %s of --ready-pv; load the records with "
                     "READY_PV=%s\n",
                     prec->name, readyPv, readyPv);
    return 0;
}

static calcoutdset devPsCalcout = {
    {5, NULL, NULL, initCalcout, NULL},
    writeCalcout,
};
epicsExportAddress(dset, devPsCalcout);
