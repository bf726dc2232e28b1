/* SPDX-License-Identifier: EPICS */
/** @file psIocIn.h
 *  @brief What the input records share: link, alarm, time stamp.
 *
 *  A read is: psInBegin(), the setting or one getter of the table, psInEnd(), compare,
 *  psInStamp().
 *  Threads: initialization on the one that runs iocInit; the rest on any, record locked.  Nothing
 *  here blocks but for the child's leaf mutex.
 */
#ifndef INC_psIocIn_H
#define INC_psIocIn_H

#include <dbScan.h>
#include <devSup.h>

#include "psIocChild.h"
#include "psLink.h"

/** dpvt of an input record; NULL if its link is bad. */
typedef struct psIn {
    psIocChild *child;        /**< NULL: an item of the supervisor as a whole (psIocSystem.h) */
    const void *item;         /**< row of the record type's table; NULL: a setting */
    const psSetting *setting; /**< NULL: a row */
    psTopic topic;            /**< of the item */
    bool isHead;              /**< the row is the head of its table */
    /** Of its table; NULL: every row has a value. */
    const char *(*unknown)(const void *row, const psIocView *view);
    uint32_t seq; /**< number of what was shown last */
} psIn;

/** init_record of every input.  @return 0, or S_dev_badInitRet after saying why on errlog */
long psInInit(dbCommon *prec, const struct link *link, const psItemTable *table);

/** get_ioint_info of records whose list is the clock's.
 *  @return 0, or S_dev_noDeviceFound if the link is bad */
long psInClockInfo(int detach, dbCommon *prec, IOSCANPVT *out);
/** get_ioint_info of heads, whose list is that of their child and topic; and of items of the
 *  supervisor, which are on the clock's.  @return as psInClockInfo() */
long psInHeadInfo(int detach, dbCommon *prec, IOSCANPVT *out);

/** A head is about to be read: take what is new of its topic. */
void psInTake(const dbCommon *prec);
/** Begin a read: the child's mutex is held until psInEnd().  The head of a table takes what is new
 *  of its topic first.
 *  @return dpvt; NULL: the alarm is set, return -1 and don't call psInEnd() */
const psIn *psInBegin(dbCommon *prec, psIocView *outView);
void psInEnd(dbCommon *prec);

/** Note when value or severity changed (TSE -2): the instant when it was published, or now if only
 *  the clock or a limit changed it.  Not between psInBegin() and psInEnd().
 *  @param sevr severity this read will lead to */
void psInStamp(dbCommon *prec, bool changed, epicsEnum16 sevr);

/** Severity by the limits of an analog record: @p limits and @p sevrs of hihi, high, low, lolo. */
epicsEnum16 psInLimitSevr(double val, const double limits[4], const epicsEnum16 sevrs[4]);

#endif
