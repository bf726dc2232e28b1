/* SPDX-License-Identifier: EPICS */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <epicsMutex.h>
#include <epicsThread.h>
#include <errlog.h>

#include "base/psClock.h"
#include "base/psLog.h"

#define LINE_BYTES 512

static epicsThreadOnceId onceId = EPICS_THREAD_ONCE_INIT;
static epicsMutexId lock; /* leaf; guards the members of every psLogLimit */

static void initOnce(void *unused)
{
    (void)unused;
    lock = epicsMutexMustCreate();
}

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

    epicsThreadOnce(&onceId, initOnce, NULL);
    epicsMutexMustLock(lock);
    bool tell = take(limit, psClockMono(psClockSystem()), &suppressed);
    epicsMutexUnlock(lock);
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
