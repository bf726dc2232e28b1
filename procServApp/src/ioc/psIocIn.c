/* SPDX-License-Identifier: EPICS */
/* See psIocIn.h.  An alarm message outlives its alarm in Base 7.0.8.1, so every read begins by
 * clearing NAMSG. */

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <alarm.h>
#include <epicsStdio.h>
#include <epicsTime.h>
#include <errlog.h>
#include <recGbl.h>

#include "psIocIn.h"

const void *psItemFind(const void *table, size_t count, size_t rowBytes, const char *name)
{
    const char *row = table;
    for (size_t i = 0; i < count; i++, row += rowBytes)
        if (!strcmp(((const psItem *)row)->name, name))
            return row;
    return NULL;
}

static size_t copyWord(const char *from, size_t len, char *out, size_t size)
{
    if (len && len < size) {
        memcpy(out, from, len);
        out[len] = '\0';
        return len;
    }
    return 0;
}

int psLinkParse(const struct link *link, char *name, size_t nameSize, char *item, size_t itemSize,
                char *msg, size_t msgSize)
{
    const char *text = link->type == INST_IO ? link->value.instio.string : NULL;
    if (!text) {
        epicsSnprintf(msg, msgSize, "link must be \"@NAME item\"");
        return -EINVAL;
    }
    while (isspace((unsigned char)*text))
        text++;
    size_t end = strlen(text);
    while (end && isspace((unsigned char)text[end - 1]))
        end--;
    size_t start = end;
    while (start && !isspace((unsigned char)text[start - 1]))
        start--;
    size_t nameEnd = start;
    while (nameEnd && isspace((unsigned char)text[nameEnd - 1]))
        nameEnd--;
    if (!copyWord(text, nameEnd, name, nameSize) ||
        !copyWord(text + start, end - start, item, itemSize)) {
        epicsSnprintf(msg, msgSize, "link \"@%s\" must be \"@NAME item\"", text);
        return -EINVAL;
    }
    return 0;
}

long psInInit(dbCommon *prec, const struct link *link, const void *table, size_t count,
              size_t rowBytes)
{
    char name[PS_NAME_BYTES], item[PS_NAME_BYTES], msg[PS_TEXT_BYTES] = "out of memory";
    prec->dpvt = NULL;
    if (psLinkParse(link, name, sizeof name, item, sizeof item, msg, sizeof msg)) {
        errlogPrintf("%s: %s\n", prec->name, msg);
        return S_dev_badInitRet;
    }
    const void *row = psItemFind(table, count, rowBytes, item);
    if (!row) {
        errlogPrintf("%s: link \"@%s %s\": no such item for this record type\n", prec->name, name,
                     item);
        return S_dev_badInitRet;
    }
    psIn *in = calloc(1, sizeof *in);
    psIocChild *child = psIocChildGet(name);
    if (!in || !child) {
        free(in);
        errlogPrintf("%s: %s\n", prec->name, msg);
        return S_dev_badInitRet;
    }
    in->child = child;
    in->item = row;
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
    *out = psIocChildScan(in->child);
    return 0;
}

static const void *readFailed(dbCommon *prec, epicsEnum16 stat, const char *msg)
{
    recGblSetSevrMsg(prec, stat, INVALID_ALARM, "%s", msg);
    if (prec->sevr != INVALID_ALARM || !prec->time.secPastEpoch)
        epicsTimeGetCurrent(&prec->time);
    return NULL;
}

const void *psInBegin(dbCommon *prec, psIocView *view)
{
    if (!prec->nsev)
        prec->namsg[0] = '\0';
    psIn *in = prec->dpvt;
    if (!in)
        return readFailed(prec, LINK_ALARM, "bad link, see errlog");
    if (!psIocChildLock(in->child, view)) {
        psIocChildUnlock(in->child);
        return readFailed(prec, COMM_ALARM, "no such process is supervised");
    }
    return in->item;
}

void psInEnd(dbCommon *prec)
{
    psIocChildUnlock(((psIn *)prec->dpvt)->child);
}

void psInStamp(dbCommon *prec, bool changed, epicsEnum16 sevr)
{
    psIn *in = prec->dpvt;
    psIocView view;
    psIocChildLock(in->child, &view);
    uint32_t seq = view.st->seq;
    epicsTimeStamp time = view.st->time;
    psIocChildUnlock(in->child);
    bool first = !prec->time.secPastEpoch || prec->udf;
    bool byTransition = seq != in->seq && time.secPastEpoch;
    in->seq = seq;
    if (!first && !changed && sevr == prec->sevr)
        return;
    if (!byTransition) {
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
