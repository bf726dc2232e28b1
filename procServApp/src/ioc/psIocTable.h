/* SPDX-License-Identifier: EPICS */
/** @file psIocTable.h
 *  @brief The table of all children, as the records of its columns show it: a copy.
 *
 *  TableName is the head of the columns: its read makes a new copy, once per second, and its
 *  forward link processes the others, so all columns are of one instant.
 *  Thread: any that holds none of the supervisor's locks.  Blocks: on its own leaf mutex, which is
 *  held while the supervisor is asked.
 */
#ifndef INC_psIocTable_H
#define INC_psIocTable_H

#include <epicsTypes.h>

#include "psSup.h"

/** One child.  Texts are cut at the 39 characters that an element of an array has. */
typedef struct psTableRow {
    char name[MAX_STRING_SIZE];
    char prefix[MAX_STRING_SIZE]; /**< of its records; "": it has none, or they do not fit */
    char exit[MAX_STRING_SIZE];   /**< how the last process ended; "": none has */
    char msg[MAX_STRING_SIZE];    /**< StateMsg */
    psState state;
    psHealth health;
    int pid, uptimeSec, restarts;
} psTableRow;

/** Use @p sup from now on; NULL: none, and when it returns none is used any more. */
void psIocTableAttach(psSup *sup);
/** A new IOC: no prefix is known.  Thread: the one that runs iocInit. */
void psIocTableReset(void);
/** The records of a child have this prefix; the first one counts.  Thread: as psIocTableReset(). */
void psIocTablePrefix(const char *name, const char *prefix);

/** Make a new copy. */
void psIocTableTake(void);
/** Look at it; psIocTableUnlock() must follow in any case.
 *  @return NULL without memory, or before the first psIocTableTake(): then there are 0 rows */
const psTableRow *psIocTableLock(int *outCount);
void psIocTableUnlock(void);
/** Counts the copies that differ from the one before. */
uint32_t psIocTableSeq(void);

#endif
