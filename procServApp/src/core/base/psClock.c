/* SPDX-License-Identifier: EPICS */
#include <time.h>

#include "base/psClock.h"

static double systemMono(void *ctx)
{
    (void)ctx;
    return (double)epicsMonotonicGet() * 1e-9;
}

static void systemWall(void *ctx, epicsTimeStamp *out)
{
    (void)ctx;
    /* It fails only where no time source is known; the epoch is then as good as any. */
    if (epicsTimeGetCurrent(out) != epicsTimeOK)
        *out = (epicsTimeStamp){0, 0};
}

const psClock *psClockSystem(void)
{
    static const psClock clock = {systemMono, systemWall, NULL};

    return &clock;
}

size_t psClockFormat(const epicsTimeStamp *time, const char *fmt, char *out, size_t size)
{
    struct tm tm;
    size_t len = 0;

    if (size == 0)
        return 0;
    if (epicsTimeToTM(&tm, NULL, time) == epicsTimeOK && fmt[0] != 0) {
        len = strftime(out, size, fmt, &tm);
        /* 0 means "does not fit" but for a format that shows nothing, such as %Z without one */
        if (len == 0)
            len = strftime(out, size, "%Y-%m-%dT%H:%M:%S%z", &tm);
    }
    /* strftime leaves the buffer undefined when it returns 0 */
    out[len] = 0;
    return len;
}
