/* SPDX-License-Identifier: EPICS */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <dbAccess.h>
#include <dbStaticLib.h>
#include <epicsStdio.h>

#include "psTrialLinks.h"

#define CHILDREN 1024 /* with more, links are not checked */
#define DTYP "procServ"

static struct {
    char names[CHILDREN][PS_NAME_BYTES];
    int count;
} known;

static bool isKnown(const char *name)
{
    for (int i = 0; i < known.count; i++)
        if (strcmp(known.names[i], name) == 0)
            return true;
    return false;
}

bool psTrialLinksKnow(const char *name)
{
    if (isKnown(name))
        return false;
    if (known.count < CHILDREN)
        epicsSnprintf(known.names[known.count++], PS_NAME_BYTES, "%s", name);
    return true;
}

/* The text of the record's link to a device, or NULL. */
static const char *linkOf(DBENTRY *entry)
{
    if (dbFindField(entry, "DTYP"))
        return NULL;
    const char *type = dbGetString(entry);
    if (!type || strcmp(type, DTYP) != 0)
        return NULL;
    if (dbFindField(entry, "INP") && dbFindField(entry, "OUT"))
        return NULL;
    return dbGetString(entry);
}

/* "@NAME item": the item is the last word, the name all before it.  Anything else is a bad link,
 * which device support reports. */
static bool nameOf(const char *link, char *out, size_t size)
{
    const char *begin = link + strspn(link, "@ \t");
    const char *end = begin + strlen(begin);

    if (link[0] != '@')
        return false;
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    while (end > begin && !isspace((unsigned char)end[-1]))
        end--;
    while (end > begin && isspace((unsigned char)end[-1]))
        end--;
    epicsSnprintf(out, size, "%.*s", (int)(end - begin), begin);
    return end > begin;
}

static void check(DBENTRY *entry, psReportFn report, void *ctx)
{
    char name[PS_NAME_BYTES], line[PS_REASON_BYTES];
    const char *link = linkOf(entry);

    if (!link || !nameOf(link, name, sizeof(name)) || isKnown(name))
        return;
    epicsSnprintf(line, sizeof(line), "record %s: link \"%s\": there is no child named %s",
                  dbGetRecordName(entry), link, name);
    report(ctx, true, line);
    psTrialLinksKnow(name); /* a child has fifty records, one of them is enough */
}

void psTrialLinksCheck(psReportFn report, void *ctx)
{
    DBENTRY entry;

    if (known.count == CHILDREN)
        return;
    dbInitEntry(pdbbase, &entry);
    for (long type = dbFirstRecordType(&entry); !type; type = dbNextRecordType(&entry))
        for (long record = dbFirstRecord(&entry); !record; record = dbNextRecord(&entry))
            if (!dbIsAlias(&entry))
                check(&entry, report, ctx);
    dbFinishEntry(&entry);
}
