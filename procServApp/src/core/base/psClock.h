/* SPDX-License-Identifier: EPICS */
/** @file psClock.h
 *  @brief The clocks, reached through pointers so that a test can replace them.
 *
 *  All deadlines are absolute monotonic seconds; the wall clock is for display only.  No function
 *  here blocks.  Thread: any.
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

/** Write a time as strftime() does, in local time.  If the result does not fit or is
 *  empty, ISO 8601 is written instead.  If that does not fit either, or if @p time is invalid or
 *  @p fmt is empty, the text is empty.
 *  @param size of @p out, with the NUL; 30 bytes are enough for ISO 8601
 *  @return length without the NUL */
size_t psClockFormat(const epicsTimeStamp *time, const char *fmt, char *out, size_t size);

#endif
