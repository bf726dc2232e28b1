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
    bool wantsReady[CHILDREN], wantsWatch[CHILDREN];
    int count;
} known;

static struct {
    const char *place[CHILDREN], *record[CHILDREN]; /* Base's, of its database */
    int count;
} shown;

/* @return its index, or -1 */
static int find(const char *name)
{
    for (int i = 0; i < known.count; i++)
        if (strcmp(known.names[i], name) == 0)
            return i;
    return -1;
}

bool psTrialLinksKnow(const char *name)
{
    if (find(name) >= 0)
        return false;
    if (known.count < CHILDREN)
        epicsSnprintf(known.names[known.count++], PS_NAME_BYTES, "%s", name);
    return true;
}

void psTrialLinksWant(const psConfig *cfg)
{
    int index = find(psConfigName(cfg));

    if (index < 0)
        return;
    known.wantsReady[index] = cfg->readyRule == psReadyPv;
    known.wantsWatch[index] = cfg->watchPv != NULL;
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

static bool isEmpty(DBENTRY *entry, const char *field)
{
    const char *value = dbFindField(entry, field) ? NULL : dbGetString(entry);

    return !value || !*value;
}

/* WatchSeen counts the updates of WatchIn beside it. */
static bool lacksWatchIn(const char *watchSeen)
{
    static const char own[] = "WatchSeen", other[] = "WatchIn";
    char name[PS_TEXT_BYTES];
    size_t len = strlen(watchSeen), ending = sizeof(own) - 1;
    DBENTRY entry;

    if (len < ending || strcmp(watchSeen + len - ending, own) != 0)
        return false; /* records of the user's own */
    epicsSnprintf(name, sizeof(name), "%.*s%s", (int)(len - ending), watchSeen, other);
    dbInitEntry(pdbbase, &entry);
    bool lacks = !dbFindRecord(&entry, name) && isEmpty(&entry, "INP");
    dbFinishEntry(&entry);
    return lacks;
}

/* A macro that was forgotten: the PV would never be seen. */
static void checkPv(DBENTRY *entry, const char *link, int child, psReportFn report, void *ctx)
{
    const char *item = strrchr(link, ' ');
    const char *macro = NULL;
    char line[PS_REASON_BYTES];

    if (item && strcmp(item + 1, "ReadyIn") == 0 && known.wantsReady[child] &&
        isEmpty(entry, "INPA"))
        macro = "READY_PV";
    else if (item && strcmp(item + 1, "WatchSeen") == 0 && known.wantsWatch[child] &&
             lacksWatchIn(dbGetRecordName(entry)))
        macro = "WATCH_PV";
    if (!macro)
        return;
    epicsSnprintf(line, sizeof(line),
                  "record %s: it follows no PV: load the records of %s with the macro %s",
                  dbGetRecordName(entry), known.names[child], macro);
    report(ctx, true, line);
}

/* Each child has a place of its own in the PVI of its supervisor; of two in one, QSRV drops one. */
static void checkPlace(DBENTRY *entry, psReportFn report, void *ctx)
{
    char line[PS_REASON_BYTES];

    if (dbFindInfo(entry, "Q:group"))
        return;
    const char *place = dbGetInfoString(entry);
    if (!place || !strstr(place, "PVI\":{\"value.child_"))
        return;
    for (int i = 0; i < shown.count; i++) {
        if (strcmp(shown.place[i], place) != 0)
            continue;
        epicsSnprintf(line, sizeof(line),
                      "record %s: %s has the same place in the PVI of the supervisor: load the "
                      "records of each child with an ID of its own",
                      dbGetRecordName(entry), shown.record[i]);
        report(ctx, true, line);
        return;
    }
    if (shown.count < CHILDREN) {
        shown.place[shown.count] = place;
        shown.record[shown.count++] = dbGetRecordName(entry);
    }
}

static void check(DBENTRY *entry, psReportFn report, void *ctx)
{
    char name[PS_NAME_BYTES], line[PS_REASON_BYTES];
    const char *link = linkOf(entry);

    checkPlace(entry, report, ctx);
    if (!link || !nameOf(link, name, sizeof(name)))
        return;
    int child = find(name);
    if (child >= 0) {
        checkPv(entry, link, child, report, ctx);
        return;
    }
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
