/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for waveform: the history of exits, the newest first, and texts of the
 * console.  Out, the head of the records of the console, is here. */

#include <stdlib.h>
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbFldTypes.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <errlog.h>
#include <waveformRecord.h>

#include "devPsItems.h"
#include "devPsTable.h"
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
static const psItemTable waveformTable =
    PS_ITEM_TABLE_AND(historyItems, PS_NO_SETTINGS, &psColumnTable, &psConsoleCharsTable);

/* Everything but the history is a text. */
static bool isText(const psIn *in)
{
    return in->topic != psTopicStatus;
}

static bool isTypeOf(const psIn *in, epicsEnum16 ftvl)
{
    if (!in->child)
        return ftvl == psColumnType(in->item);
    if (isText(in))
        return ftvl == DBF_CHAR || ftvl == DBF_UCHAR;
    return ftvl == ((const historyItem *)in->item)->ftvl;
}

static long initWaveform(dbCommon *pcommon)
{
    waveformRecord *prec = (waveformRecord *)pcommon;
    long status = psInInit(pcommon, &prec->inp, &waveformTable);
    if (status)
        return status;
    const psIn *in = pcommon->dpvt;
    if (!isTypeOf(in, prec->ftvl)) {
        errlogPrintf("%s: FTVL does not fit item %s\n", prec->name,
                     ((const psItem *)in->item)->name);
        free(pcommon->dpvt);
        pcommon->dpvt = NULL;
        return S_dev_badInitRet;
    }
    return 0;
}

/* ---- history ---- */

static long readHistory(waveformRecord *prec)
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

/* ---- text ---- */

/* The last lines of @p text that fit into @p size with a NUL; of one line, its end. */
static const char *lastThatFits(const char *text, size_t *len, size_t size)
{
    if (*len < size)
        return text;
    const char *end = text + *len;
    const char *from = end - (size - 1);
    const char *feed = from[-1] == '\n' ? from - 1 : memchr(from, '\n', (size_t)(end - from));
    if (feed)
        from = feed + 1;
    while (from < end && (*from & 0xc0) == 0x80)
        from++;
    *len = (size_t)(end - from);
    return from;
}

/* Clients that take it for a string find a NUL at its end, and those that ask for all NELM bytes
 * get NULs after that. */
static bool showText(waveformRecord *prec, const char *text, size_t len)
{
    char *shown = prec->bptr;
    text = lastThatFits(text, &len, prec->nelm);
    bool changed = prec->nord != len + 1 || memcmp(shown, text, len);

    memcpy(shown, text, len);
    memset(shown + len, 0, prec->nelm - len);
    prec->nord = (epicsUInt32)len + 1;
    return changed;
}

/* Each read looks: Base reports neither the first monitor nor the end of the last one. */
static void readMonitors(waveformRecord *prec)
{
    epicsMutexMustLock(prec->mlok);
    bool monitored = ellCount(&prec->mlis) > 0;
    epicsMutexUnlock(prec->mlok);
    if (monitored)
        psIocChildConsoleMonitored(((const psIn *)prec->dpvt)->child);
}

static long readText(waveformRecord *prec)
{
    dbCommon *pcommon = (dbCommon *)prec;
    const psCharsItem *item = ((const psIn *)prec->dpvt)->item;
    psIocView view;
    size_t len;

    if (item->isHead) {
        readMonitors(prec);
        psInTake(pcommon);
    }
    if (!psInBegin(pcommon, &view))
        return -1;
    const char *text = item->get(&view, &len);
    bool changed = showText(prec, text, len);
    psInEnd(pcommon);
    psInStamp(pcommon, changed, NO_ALARM);
    return 0;
}

static long readWaveform(waveformRecord *prec)
{
    const psIn *in = prec->dpvt;

    if (in && !in->child)
        return psColumnRead(prec, in->item);
    return in && isText(in) ? readText(prec) : readHistory(prec);
}

static wfdset devPsWaveform = {
    {5, NULL, NULL, initWaveform, psInHeadInfo},
    readWaveform,
};
epicsExportAddress(dset, devPsWaveform);
