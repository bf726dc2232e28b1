/* SPDX-License-Identifier: EPICS */
/** @file psMatcher.h
 *  @brief Looks in a thread of its own whether a line of a child's output matches.
 *
 *  A regular expression may cost 0.1 s per line, so none is tried in the loop.  The loop collects
 *  whole lines of plain text into a queue, and the result comes back as a job.  A run of the child
 *  has a number, and neither a line nor a result of an older run counts for a newer one.
 *
 *  There is a thread only while lines are waited for, and only from the first line on.  It is one
 *  per matcher: where it is busy with the line of an older run, the lines of the next one wait.
 *
 *  The queue takes PS_MATCHER_QUEUE_BYTES.  A line that does not fit is dropped, as is one for
 *  which no thread can be had.  The first one of each run is reported to the owner.
 *
 *  Thread: loop, unless a function says otherwise.  Blocks: never, unless it says so.
 */
#ifndef INC_psMatcher_H
#define INC_psMatcher_H

#include "loop/psLoop.h"

#define PS_MATCHER_QUEUE_BYTES 262144

typedef struct psMatcher psMatcher;

/** What the lines are compared with. */
typedef struct psMatcherTest {
    /** Does this line match?  Thread: the matcher's.  May take long. */
    bool (*matches)(void *what, const char *line);
    void (*free)(void *what);
    void *what; /**< the matcher's from psMatcherCreate() on */
} psMatcherTest;

/** Called by the loop. */
typedef struct psMatcherOps {
    /** A line of the present run matches; called at most once per run. */
    void (*matched)(void *ctx);
    /** The first line of this run is dropped.  @param why ends a sentence */
    void (*dropped)(void *ctx, const char *why);
} psMatcherOps;

/** @param ops must live as long as the program
 *  Thread: any.  @return NULL without memory: then @p test stays the caller's */
psMatcher *psMatcherCreate(psLoop *loop, const psMatcherTest *test, const psMatcherOps *ops,
                           void *ctx);
/** Nothing is called any more.  A thread that is in a comparison after 1 s is left alone, and
 *  keeps its memory.  NULL is fine.
 *  Thread: any, but not in the loop's rounds.  Blocks: up to 1 s, only if a comparison goes on. */
void psMatcherFree(psMatcher *matcher);

/** Another run begins: what was printed before is forgotten. */
void psMatcherBegin(psMatcher *matcher);
/** No line is waited for any more.  Its thread ends by itself; nobody waits for it. */
void psMatcherEnd(psMatcher *matcher);
/** What the child has printed; ignored unless lines are waited for. */
void psMatcherFeed(psMatcher *matcher, const char *bytes, size_t len);
/** Number of lines of the present run, or of the last one, that were dropped. */
unsigned long psMatcherDropped(const psMatcher *matcher);

#endif
