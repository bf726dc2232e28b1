/* SPDX-License-Identifier: EPICS */
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <errlog.h>

#include "base/psClock.h"
#include "base/psLog.h"

#define LINE_BYTES 512

/* Leaf; guards the members of every psLogLimit.  It needs no memory, so it is always there. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* May this one be told?  If so, *outSuppressed is how many were left out before it. */
static bool take(psLogLimit *limit, double now, unsigned *outSuppressed)
{
    if (limit->used > 0 && now >= limit->nextMono) {
        double due = (now - limit->nextMono) / limit->intervalSec;
        int back = due >= limit->used ? limit->used : 1 + (int)due;

        limit->used -= back;
        limit->nextMono += back * limit->intervalSec;
    }
    if (limit->used >= limit->burst) {
        limit->suppressed++;
        return false;
    }
    if (limit->used == 0)
        limit->nextMono = now + limit->intervalSec;
    limit->used++;
    *outSuppressed = limit->suppressed;
    limit->suppressed = 0;
    return true;
}

void psLogPrintf(const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    errlogPrintf("procServ: %s\n", line);
}

void psLogLimited(psLogLimit *limit, const char *fmt, ...)
{
    char line[LINE_BYTES];
    unsigned suppressed = 0;
    va_list args;

    pthread_mutex_lock(&lock);
    bool tell = take(limit, psClockMono(psClockSystem()), &suppressed);
    pthread_mutex_unlock(&lock);
    if (!tell)
        return;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (suppressed > 0)
        errlogPrintf("procServ: %s (%u more like this were not shown)\n", line, suppressed);
    else
        errlogPrintf("procServ: %s\n", line);
}
