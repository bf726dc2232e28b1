/* SPDX-License-Identifier: EPICS */
/** @file psLogFile.h
 *  @brief A log file behind a writer thread and a bounded queue.  Level 2.
 *
 *  The loop never waits for a disk.  The thread owns the descriptor: it opens (O_APPEND,
 *  O_CLOEXEC, 0644 less umask), writes, reopens.  No fsync per write.  When the disk refuses
 *  (ENOSPC, EIO, EFBIG...) the bytes are counted as dropped, it tries again with the next ones,
 *  and where the file goes on it says so: "@@@ N bytes lost" in the file.  A pipe that is full is
 *  waited for.  Where reopening fails, the file that is open stays in use.
 */
#ifndef INC_psLogFile_H
#define INC_psLogFile_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/psLoop.h"

typedef struct psLogFile psLogFile;

#define PS_LOG_OPEN_SEC 2.0 /**< a start waits no longer for its log to be open */

typedef struct psLogStats {
    uint64_t writtenBytes;
    uint64_t droppedBytes; /**< refused by the disk, or dropped at close */
    int error;             /**< errno of the last failed open or write; 0: all is well */
    uint64_t sizeBytes;    /**< of the file now */
    bool isOpen;           /**< there is a file to write to */
} psLogStats;

/** @param path   "-" is standard output, of which a duplicate is kept: reopen then does nothing
 *  @param loop   where @p onNews runs
 *  @param onNews called on the loop when a write that was refused for lack of room could now be
 *                taken, and when an error came or went (psLogFileStats); may be NULL
 *  @param outErr 0, or negative errno of the first open: the log is created all the same and
 *                keeps trying at psLogFileReopen(); -EINPROGRESS if the thread is still in open(),
 *                for a dead file server perhaps: what comes meanwhile is queued
 *  Thread: any but the loop's.  Blocks: at most PS_LOG_OPEN_SEC, for the first open.
 *  @return NULL without memory or thread */
psLogFile *psLogFileCreate(const char *path, psLoop *loop, void (*onNews)(void *ctx), void *ctx,
                           int *outErr);
/** Queue bytes.  Thread: loop.  Blocks: never.  @return how many were taken (0...len) */
size_t psLogFileWrite(psLogFile *log, const void *bytes, size_t len);
/** Close and open again by name, after what is queued now.  Thread: any. */
void psLogFileReopen(psLogFile *log);
void psLogFileStats(const psLogFile *log, psLogStats *out);
/** Nothing queued and nothing being written?  Thread: any. */
bool psLogFileIdle(const psLogFile *log);
/** @p onIdle is called on the loop, never from within, once everything queued so far is written
 *  or dropped.  A second call before that replaces the first.  Thread: loop. */
void psLogFileFlush(psLogFile *log, void (*onIdle)(void *ctx), void *ctx);
/** Stop the thread and free, after waiting at most @p waitSec for the queue: a thread stuck in
 *  a write is left behind with its memory.  Not from the loop unless idle. */
void psLogFileFree(psLogFile *log, double waitSec);

#endif
