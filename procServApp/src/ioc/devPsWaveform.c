/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for waveform: the history of exits, the newest first. */

#include <stdlib.h>
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbFldTypes.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <errlog.h>
#include <waveformRecord.h>

#include "psIocIn.h"

typedef struct historyItem {
    const char *name;
    epicsEnum16 ftvl;
    void (*put)(void *to, int index, const psExitRecord *from);
} historyItem;

typedef char historyString[MAX_STRING_SIZE];

static void putTime(void *to, int index, const psExitRecord *from)
{
    ((epicsFloat64 *)to)[index] = from->timePosix;
}

static void putClass(void *to, int index, const psExitRecord *from)
{
    historyString *text = (historyString *)to + index;
    memset(text, 0, sizeof(*text));
    epicsSnprintf(*text, sizeof(*text), "%s", psExitClassName(from->cls));
}

static void putCode(void *to, int index, const psExitRecord *from)
{
    ((epicsInt32 *)to)[index] = from->code;
}

static void putRun(void *to, int index, const psExitRecord *from)
{
    ((epicsInt32 *)to)[index] = from->runSec;
}

static const historyItem historyItems[] = {
    {"ExitHistTime", DBF_DOUBLE, putTime},
    {"ExitHistClass", DBF_STRING, putClass},
    {"ExitHistCode", DBF_LONG, putCode},
    {"ExitHistRun", DBF_LONG, putRun},
};
static const psItemTable historyTable = PS_ITEM_TABLE(historyItems, PS_NO_SETTINGS);

static long initWaveform(dbCommon *pcommon)
{
    waveformRecord *prec = (waveformRecord *)pcommon;
    long status = psInInit(pcommon, &prec->inp, &historyTable);
    if (status)
        return status;
    const historyItem *item = ((const psIn *)pcommon->dpvt)->item;
    if (prec->ftvl != item->ftvl) {
        errlogPrintf("%s: FTVL does not fit item %s\n", prec->name, item->name);
        free(prec->dpvt);
        prec->dpvt = NULL;
        return S_dev_badInitRet;
    }
    return 0;
}

static long readWaveform(waveformRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psIocView view;
    union {
        epicsFloat64 number[PS_HISTORY];
        epicsInt32 integer[PS_HISTORY];
        historyString text[PS_HISTORY];
    } now;
    const psIn *in = psInBegin(pcommon, &view);

    if (!in)
        return -1;
    int count = view.st->historyCount;
    count = count < (int)prec->nelm ? count : (int)prec->nelm;
    for (int i = 0; i < count; i++)
        ((const historyItem *)in->item)->put(&now, i, &view.st->history[i]);
    psInEnd(pcommon);
    size_t bytes = (size_t)count * dbValueSize((short)prec->ftvl);
    bool changed = prec->nord != (epicsUInt32)count || memcmp(prec->bptr, &now, bytes);
    psInStamp(pcommon, changed, NO_ALARM);
    memcpy(prec->bptr, &now, bytes);
    prec->nord = (epicsUInt32)count;
    return 0;
}

static wfdset devPsWaveform = {
    {5, NULL, NULL, initWaveform, NULL},
    readWaveform,
};
epicsExportAddress(dset, devPsWaveform);
