/* SPDX-License-Identifier: EPICS */
/** @file psIocSystem.h
 *  @brief What the records of the supervisor as a whole show: those whose link, "@ item", names no
 *         child.
 *
 *  Each type of record that has such items gives psInInit() a table of them; a row is a psItem and
 *  a getter, which sees a psSystemView.  They are on the clock's list: once per second.
 *  Thread: any, record locked.  Blocks: never.
 */
#ifndef INC_psIocSystem_H
#define INC_psIocSystem_H

#include "psCaRelay.h"
#include "psIocIn.h"

/** What a getter sees. */
typedef struct psSystemView {
    psCaRelayStatus relay;
} psSystemView;

/** The item of a record whose link names no child; NULL: it names one, or is bad. */
const void *psSystemItem(const dbCommon *prec);

/** Begin a read of such a record. */
void psSystemBegin(dbCommon *prec, psSystemView *outView);
/** Note when value or severity changed (TSE -2). */
void psSystemStamp(dbCommon *prec, bool changed, epicsEnum16 sevr);

#endif
