/* SPDX-License-Identifier: EPICS */
/** @file psIocIn.h
 *  @brief What the input records share: link, alarm, time stamp.
 *
 *  A read is: psInBegin(), one getter of the table, psInEnd(), compare, psInStamp().
 */
#ifndef INC_psIocIn_H
#define INC_psIocIn_H

#include <dbCommon.h>
#include <dbScan.h>
#include <devSup.h>
#include <link.h>

#include "psIocChild.h"

/** Every table of items starts its rows with the name, so that one search serves all. */
typedef struct psItem {
    const char *name;
} psItem;

/** Find the row called @p name in a table of @p count rows of @p rowBytes.  NULL: none. */
const void *psItemFind(const void *table, size_t count, size_t rowBytes, const char *name);

/** Take "@NAME item" apart: the item is the last word, the name all before it.
 *  @return 0, or -EINVAL and what is wrong in @p msg */
int psLinkParse(const struct link *link, char *name, size_t nameSize, char *item, size_t itemSize,
                char *msg, size_t msgSize);

/** dpvt of an input record; NULL if its link is bad. */
typedef struct psIn {
    psIocChild *child;
    const void *item; /* row of the record type's table */
    uint32_t seq;     /* transition shown last */
} psIn;

/** init_record of every input.  @return 0 or S_dev_badInitRet after saying why on errlog */
long psInInit(dbCommon *prec, const struct link *link, const void *table, size_t count,
              size_t rowBytes);

/** get_ioint_info of records whose list is the clock's; of State see devPsEnum.c. */
long psInClockInfo(int detach, dbCommon *prec, IOSCANPVT *out);
long psInHeadInfo(int detach, dbCommon *prec, IOSCANPVT *out);

/** Begin a read: the child's mutex is held until psInEnd().
 *  @return the row of the table; NULL: the alarm is set, return -1 and don't call psInEnd() */
const void *psInBegin(dbCommon *prec, psIocView *view);
void psInEnd(dbCommon *prec);

/** Remember when value or severity changed (TSE -2): the instant of the transition, or now if
 *  only the clock or a limit changed it.
 *  @param sevr severity this read will lead to */
void psInStamp(dbCommon *prec, bool changed, epicsEnum16 sevr);

/** Severity by the limits of an analog record: @p limits and @p sevrs of hihi, high, low, lolo. */
epicsEnum16 psInLimitSevr(double val, const double limits[4], const epicsEnum16 sevrs[4]);

#endif
