/* SPDX-License-Identifier: EPICS */
/** @file psLogSink.h
 *  @brief Where a log goes: the descriptor, writing to it, and what it could not take.
 *
 *  What the disk refuses (ENOSPC, EIO, EFBIG...) is lost and counted; the next bytes are tried
 *  again, and the place of the loss is marked by "@@@ N bytes lost", after which the file
 *  continues with a whole line.  If a pipe or terminal is full, the sink waits for it.  If
 *  reopening fails, the file that is open stays in use, since an old name is better than a
 *  loss.  Thread: one, the log's; it has no lock.  Blocks: as long as open() and write() do,
 *  which may be for ever.
 */
#ifndef INC_psLogSink_H
#define INC_psLogSink_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/psText.h"

typedef struct psLogSink {
    /* fixed */
    const char *path; /**< the owner's; NULL: standard output */
    int wakeFd;       /**< the owner's eventfd: readable, it ends a wait for a full pipe */
    bool (*mayWait)(void *ctx); /**< asked after that: false gives up */
    void *ctx;
    /* results */
    int fd;                /**< owned here; -1: not open */
    int openError;         /**< errno of the last attempt to open; 0: it worked */
    int writeError;        /**< errno of the last write; 0: it worked */
    int nameError;         /**< ENOENT: psLogSinkLook() found the file without a name; else 0 */
    uint64_t writtenBytes; /**< without the notices of losses */
    uint64_t lostBytes;
    uint64_t sizeBytes; /**< of the file now; 0 if it is no regular file */
    /* private */
    uint64_t unreported; /* of lostBytes: not said in the file yet */
    bool midLine;        /* the last byte written was no line feed */
    psText notice;       /* scratch; its memory is had at psLogSinkInit() */
} psLogSink;

/** What "standard output" is: a duplicate of @p fd, which must stay open.  Descriptor 1 unless this
 *  is called.  Thread: main, before any log is opened. */
void psLogSinkSetStandardOutput(int fd);
/** Opens nothing.  @return 0 or -ENOMEM */
int psLogSinkInit(psLogSink *sink, const char *path, int wakeFd, bool (*mayWait)(void *ctx),
                  void *ctx);
/** Closes.  May be called twice. */
void psLogSinkClear(psLogSink *sink);
/** Open, or open again by the name.  @return 0 or -errno, also in openError */
int psLogSinkOpen(psLogSink *sink);
/** Has the file been removed?  One that was renamed still has a name, as has one that a program for
 *  rotation moved away before it asks for a reopening.  Standard output is not looked at. */
void psLogSinkLook(psLogSink *sink);
/** How much room the file's file system has for those who are not root, as df shows it.
 *  @return 0...100 %; -1: it is no regular file, or that cannot be found out */
double psLogSinkFreePercent(const psLogSink *sink);
/** Write @p bytes, all of them if the file takes them.
 *  @param lostBefore bytes that were lost elsewhere just before these */
void psLogSinkWrite(psLogSink *sink, uint64_t lostBefore, const char *bytes, size_t len);

#endif
