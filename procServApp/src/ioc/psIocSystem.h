/* SPDX-License-Identifier: EPICS */
/** @file psIocSystem.h
 *  @brief What the records of the supervisor as a whole show: those whose link, "@ item", names no
 *         child.
 *
 *  Each type of record that has such items gives psInInit() a table of them; a row is a
 *  psSystemRow and a getter, which sees a psSystemView.  Their heads are on the clock's list: once
 *  per second.
 *  Thread: any, record locked.  Blocks: never.
 */
#ifndef INC_psIocSystem_H
#define INC_psIocSystem_H

#include "psCaRelay.h"
#include "psIocAcf.h"
#include "psIocIn.h"
#include "psSup.h"

/** What must be known for a row to have a value. */
typedef enum psSystemNeed {
    psSystemAlways, /**< nothing */
    psSystemSup,    /**< there is a supervisor */
    psSystemSelf,   /**< and what it uses was read from /proc */
    psSystemSpace   /**< and the file systems of its logs answer */
} psSystemNeed;

/** The beginning of every row. */
typedef struct psSystemRow {
    const char *name;
    psSystemNeed need;
} psSystemRow;

/** What a getter sees. */
typedef struct psSystemView {
    psCaRelayStatus relay;
    psSummary sum;     /**< zero without a supervisor: only rows of psSystemAlways are asked then */
    psAllStatus all;   /**< the last command to all children */
    double staggerSec; /**< 0 if nothing is supervised */
    psAcfState acf;
    char acfWhy[PS_TEXT_BYTES];
} psSystemView;

/** The item of a record whose link names no child; NULL: it names one, or is bad. */
const void *psSystemItem(const dbCommon *prec);

/** Begin a read of such a record.
 *  @return false: the alarm is set, return -1 */
bool psSystemBegin(dbCommon *prec, psSystemView *outView);
/** Note when value or severity changed (TSE -2). */
void psSystemStamp(dbCommon *prec, bool changed, epicsEnum16 sevr);

#endif
