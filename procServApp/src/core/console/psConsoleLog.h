/* SPDX-License-Identifier: EPICS */
/** @file psConsoleLog.h
 *  @brief The log as a reader of the console's ring: it gets as much as it takes, counts what it
 *  misses, and keeps its state and errors to be reported.
 *
 *  Thread: loop, but for psConsoleLogOpen() and psConsoleLogClear().
 *  Blocks: psConsoleLogOpen() and psConsoleLogClear() only, as psLogFileCreate() and
 *  psLogFileFree().
 */
#ifndef INC_psConsoleLog_H
#define INC_psConsoleLog_H

#include "base/psText.h"
#include "console/psRing.h"
#include "log/psLogFile.h"
#include "loop/psLoop.h"

/** News is reported at most once in this number of seconds, since a full disk accepts a few bytes
 *  now and then. */
#define PS_CONSOLE_LOG_NEWS_SEC 10.0

/** Lines of psConsoleLogNote() that wait for the log, at most. */
#define PS_CONSOLE_LOG_NOTE_BYTES 65536

typedef struct psConsoleLog {
    psLogFile *file;  /**< NULL: none */
    const char *path; /* the owner's */
    psLoop *loop;
    void (*wake)(void *ctx); /* have psConsoleLogPump() called soon */
    void *ctx;
    const psRing *ring;
    psRingReader reader; /**< the owner enters it with the ring's readers */
    psText notice;       /* on its way to the file */
    unsigned notesLost;  /* lines that did not fit */
    bool midLine;        /* what went there last did not end a line */
    bool full;           /* it took less than it was given */
    bool heard;          /* psConsoleLogStart() was called */
    bool news;           /* perhaps state or error changed */
    bool tried;          /* perhaps a reopening was tried */
    psLogState state;    /* reported last, as is the next */
    int error;
    int rotated;       /* newest request whose result was given */
    double quietUntil; /* nothing is reported before; monotonic s */
    psTimer quietTimer;
} psConsoleLog;

/** Open the log.  That it cannot be opened, or not soon, is no failure: psConsoleLogFailed().
 *  @param path of the file, or "-"; must live as long as the log
 *  @param ring to be read from its head on; must live as long
 *  @param wake called on the loop, never from within, when there is something to do
 *  @return as *outStatus of psLogFileCreate() */
int psConsoleLogOpen(psConsoleLog *log, psLoop *loop, const char *path, const psRing *ring,
                     void (*wake)(void *ctx), void *ctx);
/** Wait for what is queued, close, free.  May be called twice, and on an object of zeros. */
void psConsoleLogClear(psConsoleLog *log, double waitSec);
/** From now on `wake` is called.  Until then another thread may be using the owner. */
void psConsoleLogStart(psConsoleLog *log);
/** Give the log as much as it takes. */
void psConsoleLogPump(psConsoleLog *log);
/** Write a line of the log's own after what was printed so far.  While the log takes nothing, lines
 *  wait for it up to PS_CONSOLE_LOG_NOTE_BYTES, and what is printed meanwhile comes after
 *  them; more lines are counted, and the number is written where they are missing. */
void psConsoleLogNote(psConsoleLog *log, const psText *line);
/** Have `wake` called when what is queued now is written: there may be room for more. */
void psConsoleLogFlush(psConsoleLog *log);
/** Bytes that are in the ring, or queued, and not written yet. */
size_t psConsoleLogUnwritten(const psConsoleLog *log);
/** Is there no file to write to, as far as was reported?  False while it is opening. */
bool psConsoleLogFailed(const psConsoleLog *log);
/** What there is of it, and what it lacks: lostBytes with those that it did not take in time.
 *  @param out all zero if there is no log */
void psConsoleLogStats(const psConsoleLog *log, psLogStats *out);
/** Did state or error change since it was last asked?
 *  @param outLine the sentence for people is appended; its `failed` may be set */
bool psConsoleLogNews(psConsoleLog *log, psText *outLine);
/** Reopen the log by its name.
 *  @param request as psLogFileReopen().  @return 0; -ENOENT: there is no log; -EOPNOTSUPP */
int psConsoleLogReopen(psConsoleLog *log, int request);
/** Was a reopening tried since it was last asked?
 *  @param outRequest the newest that was tried
 *  @param outLine    empty if the file is open, else why not; its `failed` may be set */
bool psConsoleLogReopened(psConsoleLog *log, int *outRequest, psText *outLine);

#endif
