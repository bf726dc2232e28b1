/* SPDX-License-Identifier: EPICS */
/** @file psIocAlarm.h
 *  @brief An alarm with its message.
 */
#ifndef INC_psIocAlarm_H
#define INC_psIocAlarm_H

#include <dbCommon.h>

/** recGblSetSevrMsg(), for a message that may be longer than AMSG: no UTF-8 character is cut.
 *  Thread: any, record locked.  Blocks: never. */
void psIocAlarmSet(dbCommon *prec, epicsEnum16 stat, epicsEnum16 sevr, const char *msg);

#endif
