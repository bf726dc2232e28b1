/* SPDX-License-Identifier: EPICS */
/** @file psClock.h
 *  @brief Time, through pointers, so that a test owns it.  Level 0.
 *
 *  All deadlines are absolute monotonic seconds; the wall clock is for display only.
 */
#ifndef INC_psClock_H
#define INC_psClock_H

#include <epicsTime.h>

typedef struct psClock {
    double (*mono)(void *ctx);                    /**< s, never steps */
    void (*wall)(void *ctx, epicsTimeStamp *out); /**< time of day */
    void *ctx;
} psClock;

/** The machine's clocks (epicsMonotonicGet, epicsTimeGetCurrent).  Never NULL. */
const psClock *psClockSystem(void);

static inline double psClockMono(const psClock *clock)
{
    return clock->mono(clock->ctx);
}

static inline void psClockWall(const psClock *clock, epicsTimeStamp *out)
{
    clock->wall(clock->ctx, out);
}

/** A time as strftime shows it, local; never truncated within @p size: if it does not fit,
 *  ISO 8601 is shown.  @return length without NUL */
size_t psClockFormat(const epicsTimeStamp *time, const char *fmt, char *out, size_t size);

#endif
