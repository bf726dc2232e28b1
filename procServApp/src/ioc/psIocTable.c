/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>

#include <ellLib.h>
#include <epicsStdio.h>

#include "psIocTable.h"
#include "psText.h"
#include "psThread.h"

typedef struct named {
    ELLNODE node;
    char name[PS_NAME_BYTES];
    char prefix[MAX_STRING_SIZE];
} named;

static struct {
    psOnceMutex lock; /* guards all below; without memory for it there are no rows */
    psSup *sup;       /* NULL: none */
    psTableRow *rows; /* PS_CHILDREN; NULL: not needed yet, or no memory */
    int count;        /* of them in use */
    uint32_t seq;
    ELLLIST prefixes; /* named.node */
} table = {.lock = PS_ONCE_MUTEX_INIT};

void psIocTableAttach(psSup *sup)
{
    if (!psOnceMutexLock(&table.lock))
        return;
    table.sup = sup;
    psOnceMutexUnlock(&table.lock);
}

/* ---- the prefixes ---- */

void psIocTableReset(void)
{
    ELLNODE *node;

    if (!psOnceMutexLock(&table.lock))
        return;
    while ((node = ellGet(&table.prefixes)))
        free(node);
    table.count = 0;
    psOnceMutexUnlock(&table.lock);
}

/* With the lock held.  @return NULL: none is known */
static const char *prefixOf(const char *name)
{
    for (ELLNODE *node = ellFirst(&table.prefixes); node; node = ellNext(node))
        if (strcmp(((named *)node)->name, name) == 0)
            return ((named *)node)->prefix;
    return NULL;
}

void psIocTablePrefix(const char *name, const char *prefix)
{
    named *entry = calloc(1, sizeof(*entry));

    if (!entry || !psOnceMutexLock(&table.lock)) {
        free(entry);
        return; /* the table shows none */
    }
    epicsSnprintf(entry->name, sizeof(entry->name), "%s", name);
    if (strlen(prefix) < sizeof(entry->prefix)) /* a part of it would lead to other records */
        epicsSnprintf(entry->prefix, sizeof(entry->prefix), "%s", prefix);
    if (prefixOf(name))
        free(entry);
    else
        ellAdd(&table.prefixes, &entry->node);
    psOnceMutexUnlock(&table.lock);
}

/* ---- the rows ---- */

static void putExit(char *out, size_t size, const psStatus *st)
{
    const char *name = psExitClassName(st->exitClass);

    if (st->exitClass == psExitNone)
        out[0] = '\0';
    else if (st->exitSignal > 0)
        epicsSnprintf(out, size, "%s: %s", name, psSignalName(st->exitSignal));
    else if (st->exitCode > 0)
        epicsSnprintf(out, size, "%s: %d", name, st->exitCode);
    else
        epicsSnprintf(out, size, "%s", name);
}

/* With the lock held. */
static void fill(psTableRow *row, psChild *child, double mono)
{
    psStatus st;

    psSupStatus(child, &st);
    memset(row, 0, sizeof(*row)); /* rows are compared as bytes */
    epicsSnprintf(row->name, sizeof(row->name), "%s", psSupFacts(child)->name);
    psTextEndWhole(row->name, sizeof(row->name));
    const char *prefix = prefixOf(psSupFacts(child)->name);
    epicsSnprintf(row->prefix, sizeof(row->prefix), "%s", prefix ? prefix : "");
    putExit(row->exit, sizeof(row->exit), &st);
    epicsSnprintf(row->msg, sizeof(row->msg), "%s", st.stateMsg);
    psTextEndWhole(row->msg, sizeof(row->msg));
    row->state = st.state;
    row->health = st.health;
    row->pid = st.pid;
    row->uptimeSec = st.running && mono > st.startMono ? (int)(mono - st.startMono) : 0;
    row->restarts = st.restarts;
}

/* With the lock held. */
static void take(void)
{
    psTableRow now;
    psChild *child;
    int count = 0;
    bool changed = false;
    double mono = table.sup ? psSupMono(table.sup) : 0;

    for (; table.sup && (child = psSupAt(table.sup, count)); count++) {
        fill(&now, child, mono);
        psTableRow *row = &table.rows[count];
        changed |= count >= table.count || memcmp(row, &now, sizeof(now)) != 0;
        *row = now;
    }
    if (changed || count != table.count)
        table.seq++;
    table.count = count;
}

void psIocTableTake(void)
{
    if (!psOnceMutexLock(&table.lock))
        return;
    if (!table.rows)
        table.rows = calloc(PS_CHILDREN, sizeof(*table.rows));
    if (table.rows)
        take();
    psOnceMutexUnlock(&table.lock);
}

const psTableRow *psIocTableLock(int *outCount)
{
    *outCount = 0;
    if (!psOnceMutexLock(&table.lock))
        return NULL;
    *outCount = table.rows ? table.count : 0;
    return table.rows;
}

void psIocTableUnlock(void)
{
    psOnceMutexUnlock(&table.lock);
}

uint32_t psIocTableSeq(void)
{
    if (!psOnceMutexLock(&table.lock))
        return 0;
    uint32_t seq = table.seq;
    psOnceMutexUnlock(&table.lock);
    return seq;
}
