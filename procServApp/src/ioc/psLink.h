/* SPDX-License-Identifier: EPICS */
/** @file psLink.h
 *  @brief The link of a record, "@NAME item", and the tables in which its item is looked up.
 *
 *  A record type has a table of items.  Each row begins with a psItem; what follows is the affair
 *  of the record type: a getter, a verb.  A new item is one row.
 *  Thread: any.  Blocks: on errlog at most.
 */
#ifndef INC_psLink_H
#define INC_psLink_H

#include <stddef.h>

#include <dbCommon.h>
#include <link.h>

#include "psTypes.h"

/** The beginning of every row. */
typedef struct psItem {
    const char *name;
} psItem;

/** A table of rows of one size. */
typedef struct psItemTable {
    const void *rows;
    size_t count;
    size_t rowBytes;
} psItemTable;

#define PS_ITEM_TABLE(rows)                                                                        \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof((rows)[0]), sizeof((rows)[0])                                \
    }

/** Take the link of @p prec apart and look up its item.  The item is the last word; the name is
 *  all that stands before it, so that it may contain blanks.
 *  @param outName the child's name
 *  @return the row, or NULL after one line on errlog that names the record and its link */
const void *psLinkResolve(const dbCommon *prec, const struct link *link, const psItemTable *table,
                          char outName[PS_NAME_BYTES]);

#endif
