/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include "console/psStamp.h"

#include "base/psClock.h"

size_t psStampPrint(const epicsTimeStamp *when, const char *format, const char *timeFormat,
                    char out[PS_STAMP_BYTES])
{
    if (format[0])
        return psClockFormat(when, format, out, PS_STAMP_BYTES);
    out[0] = '[';
    size_t len = 1 + psClockFormat(when, timeFormat, out + 1, PS_STAMP_BYTES - 3);
    out[len++] = ']';
    out[len++] = ' ';
    return len;
}

void psStampFeed(psStamp *self, const void *bytes, size_t len, const char *stamp, size_t stampLen,
                 psText *out)
{
    const char *in = bytes, *end = in + len;

    while (in < end) {
        const char *feed = memchr(in, '\n', (size_t)(end - in));
        const char *next = feed ? feed + 1 : end;

        if (!self->inLine)
            psTextAppend(out, stamp, stampLen);
        psTextAppend(out, in, (size_t)(next - in));
        self->inLine = !feed;
        in = next;
    }
}
