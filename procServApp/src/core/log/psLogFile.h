/* SPDX-License-Identifier: EPICS */
/** @file psLogFile.h
 *  @brief A log file with a writer thread and a bounded queue.
 *
 *  The loop never waits for a disk: it queues bytes (psLogQueue), and the thread opens, writes and
 *  reopens (psLogSink).  There is one thread per log, so that a file on a dead server stops no
 *  other log.  There is no fsync.
 *
 *  The log is at first *opening*; then *open*, or *failed*: there is nothing to write to, and what
 *  is queued is lost.  A reopening that succeeds makes it open; one that fails leaves it as it is.
 */
#ifndef INC_psLogFile_H
#define INC_psLogFile_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/psLoop.h"

typedef struct psLogFile psLogFile;

#define PS_LOG_OPEN_SEC 2.0 /**< a start waits no longer for its log to be open */

typedef enum psLogState { psLogOpening, psLogIsOpen, psLogFailed } psLogState;

typedef struct psLogStats {
    psLogState state;
    int error;             /**< errno of the last open, else of the last write, else ENOENT if the
                              last look found the file removed; 0: all is well */
    uint64_t writtenBytes; /**< without the notices of losses */
    uint64_t lostBytes;    /**< refused by the disk, or for lack of memory */
    uint64_t sizeBytes;    /**< of the file now; 0 if it is no regular file */
    bool looking;          /**< psLogFileLook() has not been answered yet */
    double
        freePercent; /**< room in its file system, as seen last; -1: no regular file, or unknown */
    int reopened;    /**< newest request of psLogFileReopen() that was tried; 0: none */
    int reopenError; /**< errno of that; 0: the file is open */
} psLogStats;

/** Start the thread and wait for the first attempt to open.
 *  @param path   copied; "-" is standard output, of which a duplicate is kept
 *  @param loop   where @p onNews runs
 *  @param onNews called on the loop when state, error or reopened of psLogStats changed since this
 *                call returned, and when bytes that were refused for lack of room could now be
 *                taken; may be NULL
 *  @param outStatus 0, or -errno of the first open: the log is created all the same, and can be
 *                reopened; -EINPROGRESS if the thread is still in open(), perhaps because a file
 *                server does not answer: until then bytes are queued.  Set in any case
 *  Thread: any but the loop's.  Blocks: at most PS_LOG_OPEN_SEC.
 *  @return NULL if memory, descriptors or a thread could not be had; *outStatus gives the reason */
psLogFile *psLogFileCreate(const char *path, psLoop *loop, void (*onNews)(void *ctx), void *ctx,
                           int *outStatus);
/** Queue bytes.  Thread: loop.  Blocks: never.  @return how many were taken (0...len) */
size_t psLogFileWrite(psLogFile *log, const void *bytes, size_t len);
/** Have it opened again by its name, after what is queued now.  When that was tried,
 *  psLogStats.reopened is at least @p request.  Of several requests that wait, one attempt serves
 *  all.  Thread: loop.  Blocks: never.
 *  @param request greater than those before; 0: nobody asks for the result
 *  @return 0, or -EOPNOTSUPP: standard output has no name to be opened by */
int psLogFileReopen(psLogFile *log, int request);
/** Have the thread look whether the file was removed, which is an error then until it is reopened,
 *  and how much room the file system has, which psLogStats.freePercent shows;
 *  looking stays true while a file server does not answer.  Thread: any.  Blocks: never. */
void psLogFileLook(psLogFile *log);
/** Thread: any.  Blocks: never. */
void psLogFileStats(psLogFile *log, psLogStats *out);
/** Bytes queued or being written.  Thread: any.  Blocks: never. */
size_t psLogFileQueued(psLogFile *log);
/** @p onIdle is called on the loop, never from within, once everything queued so far is written
 *  or lost.  A second call before that replaces the first.  Thread: loop.  Blocks: never. */
void psLogFileFlush(psLogFile *log, void (*onIdle)(void *ctx), void *ctx);
/** End the thread and free, after waiting at most @p waitSec for what is queued: a thread stuck
 *  in open() or write() is left with its memory, and frees it if it ever comes back.  No callback
 *  runs any more.  NULL does nothing.  Thread: any, but the loop's only if nothing is queued. */
void psLogFileFree(psLogFile *log, double waitSec);

#endif
