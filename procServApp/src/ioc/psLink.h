/* SPDX-License-Identifier: EPICS */
/** @file psLink.h
 *  @brief The link of a record, "@NAME item", and the tables in which its item is looked up.
 *         Without NAME, "@ item", it is an item of the supervisor as a whole.
 *
 *  A record type has a table of items.  Each row begins with a psItem; what follows is the affair
 *  of the record type: a getter, a verb.  A new item is one row.  The settings of a child need
 *  none: they are items of all record types of their kind, by their own table (psSetting.h).
 *  Thread: any.  Blocks: on errlog at most.
 */
#ifndef INC_psLink_H
#define INC_psLink_H

#include <stddef.h>

#include <dbCommon.h>
#include <link.h>

#include "psSetting.h"
#include "psTypes.h"

/** The beginning of every row. */
typedef struct psItem {
    const char *name;
} psItem;

struct psIocView;

/** A table of rows of one size. */
typedef struct psItemTable {
    const void *rows;
    size_t count;
    size_t rowBytes;
    int settings; /**< psSettingType of the settings that are items, too; PS_NO_SETTINGS */
    const struct psItemTable *system; /**< items of links that name no child; NULL: none */
    psTopic topic;                    /**< which the items belong to */
    const struct psItemTable *more;   /**< items of another topic; NULL: no more */
    const void *head;                 /**< the row that is the head of its topic; NULL: none, or the
                                           record type sees to it */
    /** Why a row has no value to be shown; NULL: it has.  The text is static, or that of
     * strerror(). NULL: every row has one.  Called as a getter is. */
    const char *(*unknown)(const void *row, const struct psIocView *view);
} psItemTable;

#define PS_NO_SETTINGS (-1)
/** Items of the status. */
#define PS_ITEM_TABLE(rows, settings) PS_ITEM_TABLE_AND(rows, settings, NULL, NULL)
/** The same with a table of the items of links that name no child, and one of items of another
 *  topic; either may be NULL. */
#define PS_ITEM_TABLE_AND(rows, settings, system, more)                                            \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof((rows)[0]), sizeof((rows)[0]), (settings), (system),         \
            psTopicStatus, (more), NULL, NULL                                                      \
    }
/** Items of another topic than the status.  @param more as above */
#define PS_ITEM_TABLE_OF(topic, rows, more)                                                        \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof((rows)[0]), sizeof((rows)[0]), PS_NO_SETTINGS, NULL,         \
            (topic), (more), NULL, NULL                                                            \
    }

/** What a link names: a row of the table, or a setting. */
typedef struct psLinkTarget {
    char name[PS_NAME_BYTES]; /**< of the child; "": the supervisor */
    const void *row;          /**< NULL: a setting */
    const psSetting *setting; /**< NULL: a row */
    const psItemTable *table; /**< of the row, or of the setting */
} psLinkTarget;

/** Take the link of @p prec apart and look up its item.  The item is the last word; the name is
 *  all that stands before it, so that it may contain blanks.
 *  @return 0, or -EINVAL after one line on errlog that names the record and its link */
int psLinkResolve(const dbCommon *prec, const struct link *link, const psItemTable *table,
                  psLinkTarget *out);

#endif
