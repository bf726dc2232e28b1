/* SPDX-License-Identifier: EPICS */
/** @file devPsTable.h
 *  @brief Waveforms that are columns of the table of all children (psIocTable.h): their items.
 */
#ifndef INC_devPsTable_H
#define INC_devPsTable_H

#include <waveformRecord.h>

#include "psLink.h"

typedef struct psColumn psColumn;

/** Of links that name no child. */
extern const psItemTable psColumnTable;

/** What the elements have to be: DBF_...  Thread: any. */
epicsEnum16 psColumnType(const psColumn *column);
/** Read a record.  Thread: any, record locked.  @return as of a device support */
long psColumnRead(waveformRecord *prec, const psColumn *column);

#endif
