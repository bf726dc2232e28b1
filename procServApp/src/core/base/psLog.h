/* SPDX-License-Identifier: EPICS */
/** @file psLog.h
 *  @brief Our own diagnostics, to errlog, rate-limited.  Level 0.
 *
 *  One line per event, in the user's terms, by the layer that knows them.
 */
#ifndef INC_psLog_H
#define INC_psLog_H

#include <compilerDependencies.h>

/** Limits one kind of message: at most `burst` at once and one per `intervalSec` after;
 *  those left out are counted and told with the next.  One static object per call site. */
typedef struct psLogLimit {
    double intervalSec;
    int burst;
    double nextMono; /* guarded by a mutex inside psLog.c, as are the next two */
    int used;
    unsigned suppressed;
} psLogLimit;
#define PS_LOG_LIMIT_INIT                                                                          \
    {                                                                                              \
        10.0, 5, 0.0, 0, 0                                                                         \
    }

/** One line to errlog, prefixed "procServ: ".  Thread: any.  Blocks: never (errlog queues). */
void psLogPrintf(const char *fmt, ...) EPICS_PRINTF_STYLE(1, 2);
/** The same, limited. */
void psLogLimited(psLogLimit *limit, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);

#endif
