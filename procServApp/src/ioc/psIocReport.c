/* SPDX-License-Identifier: EPICS */
/* What "dbior procServ LEVEL" says: which records of this IOC are ours, and what they do.  It is
 * found in the records themselves, so that no list of items has to be kept here. */
#include <stdio.h>
#include <string.h>

#include <dbAccess.h>
#include <dbStaticLib.h>
#include <drvSup.h>
#include <epicsExport.h>
#include <epicsStdio.h>

#include "psIocAccess.h"
#include "psIocRegistry.h"
#include "psIocSup.h"

#define ITEMS_MAX 128 /* different items of one record type; those beyond are not listed */
#define ITEM_BYTES 40 /* longer ones are cut */
#define LINE_COLUMNS 90

typedef struct items {
    int records; /* of this record type that are ours */
    int writers; /* of them, with an output link */
    int count;
    char names[ITEMS_MAX][ITEM_BYTES];
} items;

/* The link of a record with our device support, or NULL. */
static const char *linkOf(DBENTRY *entry)
{
    if (dbFindField(entry, "DTYP"))
        return NULL;
    const char *type = dbGetString(entry);
    if (!type || strcmp(type, "procServ") != 0)
        return NULL;
    if (dbFindField(entry, "INP") && dbFindField(entry, "OUT"))
        return NULL;
    return dbGetString(entry);
}

/* The item is the last word of a link. */
static void note(items *found, const char *link)
{
    const char *blank = strrchr(link, ' ');
    const char *item = blank ? blank + 1 : link;

    for (int i = 0; i < found->count; i++)
        if (strncmp(found->names[i], item, ITEM_BYTES - 1) == 0)
            return;
    if (found->count < ITEMS_MAX)
        epicsSnprintf(found->names[found->count++], ITEM_BYTES, "%s", item);
}

/* Of the record type that @p entry is at. */
static void collect(DBENTRY *entry, items *found, bool list)
{
    memset(found, 0, sizeof(*found));
    for (long status = dbFirstRecord(entry); !status; status = dbNextRecord(entry)) {
        const char *link = dbIsAlias(entry) ? NULL : linkOf(entry);

        if (!link)
            continue;
        found->records++;
        note(found, link);
        if (list)
            printf("    %-30s %s\n", dbGetRecordName(entry), link);
        /* A calculation has an output, too, but what it does is to follow a PV. */
        found->writers += dbFindField(entry, "OUT") == 0 && dbFindField(entry, "CALC") != 0;
    }
}

static void print(const char *recordType, const items *found)
{
    int column = printf("  %-9s %4d %s:", recordType, found->records,
                        found->writers ? "commands and settings" : "inputs");

    for (int i = 0; i < found->count; i++) {
        if (column + (int)strlen(found->names[i]) >= LINE_COLUMNS)
            column = printf("\n                ") - 1;
        column += printf(" %s", found->names[i]);
    }
    printf("\n");
}

static int countChildren(void)
{
    psSup *sup = psIocSupTake();
    int count = sup ? psSupCount(sup) : 0;

    psIocSupRelease();
    return count;
}

static long report(int level)
{
    items found;
    DBENTRY entry;

    printf("  children: %d; records %s; commands and settings %s\n", countChildren(),
           psIocRegistryRunning() ? "follow them" : "do not follow them",
           psIocAccessClosed() ? "are closed, as access security is not active" : "are open");
    if (level < 1 || !pdbbase)
        return 0;
    dbInitEntry(pdbbase, &entry);
    for (long status = dbFirstRecordType(&entry); !status; status = dbNextRecordType(&entry)) {
        collect(&entry, &found, level > 1);
        if (found.records)
            print(dbGetRecordTypeName(&entry), &found);
    }
    dbFinishEntry(&entry);
    return 0;
}

static drvet procServ = {2, report, NULL};
epicsExportAddress(drvet, procServ);
