/* SPDX-License-Identifier: EPICS */
/** @file psStamp.h
 *  @brief Time stamps before lines, as procServ's --logstamp puts them.  Pure.
 */
#ifndef INC_psStamp_H
#define INC_psStamp_H

#include <stdbool.h>
#include <stddef.h>

#include <epicsTime.h>

#include "base/psText.h"

#define PS_STAMP_BYTES 256 /**< longest stamp, with its NUL */

/** Where in a line the stream is; false at its beginning. */
typedef struct psStamp {
    bool inLine;
} psStamp;

/** The stamp of a moment.
 *  @param format     strftime's; "" for procServ's default, "[" time "] "
 *  @param timeFormat of the time in that default
 *  @return its length; longer ones are cut */
size_t psStampPrint(const epicsTimeStamp *when, const char *format, const char *timeFormat,
                    char out[PS_STAMP_BYTES]);
/** Append @p bytes to @p out with @p stamp before each line that begins in them; blank lines are
 *  stamped, too.  The bytes of one line may come in any number of calls. */
void psStampFeed(psStamp *self, const void *bytes, size_t len, const char *stamp, size_t stampLen,
                 psText *out);

#endif
