/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <alarm.h>
#include <dbAccess.h>
#include <dbFldTypes.h>
#include <epicsStdio.h>

#include "devPsTable.h"
#include "psIocSystem.h"
#include "psIocTable.h"

/* One element of a record. */
typedef union element {
    char text[MAX_STRING_SIZE];
    epicsInt32 number;
} element;

struct psColumn {
    psSystemRow row;
    epicsEnum16 type;
    void (*get)(const psTableRow *row, element *out);
    bool isHead;
};

static void putText(element *out, const char *text)
{
    memset(out->text, 0, sizeof(out->text)); /* elements are compared as bytes */
    epicsSnprintf(out->text, sizeof(out->text), "%s", text);
}

static void getName(const psTableRow *row, element *out)
{
    putText(out, row->name);
}

static void getState(const psTableRow *row, element *out)
{
    putText(out, psStateName(row->state));
}

static void getHealth(const psTableRow *row, element *out)
{
    putText(out, psHealthName(row->health));
}

static void getPid(const psTableRow *row, element *out)
{
    out->number = row->pid;
}

static void getUptime(const psTableRow *row, element *out)
{
    out->number = row->uptimeSec;
}

static void getRestarts(const psTableRow *row, element *out)
{
    out->number = row->restarts;
}

static void getExit(const psTableRow *row, element *out)
{
    putText(out, row->exit);
}

static void getMsg(const psTableRow *row, element *out)
{
    putText(out, row->msg);
}

static void getPrefix(const psTableRow *row, element *out)
{
    putText(out, row->prefix);
}

static const psColumn columns[] = {
    {{"TableName", psSystemSup}, DBF_STRING, getName, true},
    {{"TableState", psSystemSup}, DBF_STRING, getState, false},
    {{"TableHealth", psSystemSup}, DBF_STRING, getHealth, false},
    {{"TablePid", psSystemSup}, DBF_LONG, getPid, false},
    {{"TableUptime", psSystemSup}, DBF_LONG, getUptime, false},
    {{"TableRestarts", psSystemSup}, DBF_LONG, getRestarts, false},
    {{"TableExit", psSystemSup}, DBF_STRING, getExit, false},
    {{"TableMsg", psSystemSup}, DBF_STRING, getMsg, false},
    {{"TablePrefix", psSystemSup}, DBF_STRING, getPrefix, false},
};
const psItemTable psColumnTable = PS_ITEM_TABLE(columns, PS_NO_SETTINGS);

epicsEnum16 psColumnType(const psColumn *column)
{
    return column->type;
}

/* @return whether it has changed */
static bool show(waveformRecord *prec, const psColumn *column)
{
    size_t size = column->type == DBF_STRING ? MAX_STRING_SIZE : sizeof(epicsInt32);
    int count;
    const psTableRow *rows = psIocTableLock(&count);
    char *to = prec->bptr;

    count = count < (int)prec->nelm ? count : (int)prec->nelm;
    bool changed = prec->nord != (epicsUInt32)count;
    for (int i = 0; i < count; i++, to += size) {
        element now;

        column->get(&rows[i], &now);
        changed |= memcmp(to, &now, size) != 0;
        memcpy(to, &now, size);
    }
    psIocTableUnlock();
    prec->nord = (epicsUInt32)count;
    return changed;
}

long psColumnRead(waveformRecord *prec, const psColumn *column)
{
    dbCommon *pcommon = (dbCommon *)prec;
    psSystemView view;

    if (column->isHead)
        psIocTableTake();
    if (!psSystemBegin(pcommon, &view))
        return -1;
    psSystemStamp(pcommon, show(prec, column), NO_ALARM);
    return 0;
}
