/* SPDX-License-Identifier: EPICS */
/** @file psSupLog.h
 *  @brief The log of the supervisor itself: one line per event, with the time before it.
 *
 *  Lines come from any thread, and wait for the loop, which gives them to the file's own thread
 *  (psLogFile).  At most PS_SUP_LOG_BYTES wait; lines beyond that are lost and counted in the log.
 */
#ifndef INC_psSupLog_H
#define INC_psSupLog_H

#include <epicsMutex.h>

#include "base/psText.h"
#include "log/psLogFile.h"
#include "loop/psLoop.h"

#define PS_SUP_LOG_BYTES 65536

typedef struct psSupLog {
    /* fixed after psSupLogOpen */
    psLoop *loop;
    psLogFile *file; /**< NULL: there is none, and nothing else does anything */
    const char *path;
    void (*idle)(void *ctx);
    void *ctx;
    psJob job;
    epicsMutexId lock; /* guards the next two; only the loop's own is taken under it */
    psText pending;
    unsigned long lostLines;
    /* loop thread only */
    psText giving; /* taken from pending, not yet by the file */
    int error;     /* reported last */
} psSupLog;

/** Start the log.  That it cannot be opened is reported on errlog, and is no failure: it may be
 *  reopened.
 *  @param path must live as long as the log; NULL: there is to be none
 *  @param argv0 in procServ's text for a log that cannot be opened
 *  @param idle called on the loop when everything given so far is written or lost
 *  Thread: any, before the loop runs.  Blocks: as psLogFileCreate().
 *  @return 0 or -ENOMEM */
int psSupLogOpen(psSupLog *log, psLoop *loop, const char *path, const char *argv0,
                 void (*idle)(void *ctx), void *ctx);
/** Write one line.  Control characters in it become \xHH.  Thread: any.  Blocks: never. */
void psSupLogLine(psSupLog *log, const char *line);
/** Open the file again by its name.  Thread: loop.  Blocks: never. */
void psSupLogReopen(psSupLog *log);
/** Have `idle` called when what is given now is written.  Thread: loop.  Blocks: never. */
void psSupLogFlush(psSupLog *log);
/** Is everything written?  Thread: loop.  Blocks: never. */
bool psSupLogIdle(psSupLog *log);
/** Close and free.  May be called twice.  Thread: the owner's, once the loop has ended.
 *  Blocks: at most @p waitSec, for what is queued. */
void psSupLogClear(psSupLog *log, double waitSec);

#endif
