/* SPDX-License-Identifier: EPICS */
/** @file psConsoleOutput.h
 *  @brief What a console has printed: the ring of a child's output and our notices, and with
 *  --logstamp a second one with the same text and time stamps.
 *
 *  Bytes are read from the pty straight into the ring.  If there is no memory for stamps, the
 *  stamped ring gets the text without them, so that no byte is lost.
 *  Thread: loop, except Init and Clear.  Nothing blocks.
 */
#ifndef INC_psConsoleOutput_H
#define INC_psConsoleOutput_H

#include "base/psText.h"
#include "console/psFlow.h"
#include "console/psStamp.h"
#include "loop/psLoop.h"
#include "model/psConfig.h"

typedef struct psConsoleOutput {
    const psConfig *cfg; /* the child's */
    psLoop *loop;
    void (*written)(void *ctx); /* there is something new to be read */
    void (*urgent)(void *ctx);  /* readers with stamps are about to be overrun: serve them now */
    void (*resume)(void *ctx);  /* more may be read again */
    void *ctx;
    psFlow plain;   /* private, as are the next */
    psFlow stamped; /* not in use without --logstamp */
    psStamp stamp;
    size_t stampLen;   /* of the last one */
    psText stampText;  /* scratch */
    bool waiting;      /* nothing more is read until a reader has moved */
    psTimer waitTimer; /* gives up waiting */
    uint64_t runFrom;  /* where the last run begins, with the end of the one before */
    uint64_t endFrom;  /* where the end of that run begins, once it is `over` */
    bool over;
    uint64_t linesEnd; /**< where the last complete line in `plain` ends, after its line feed; the
                            ring may have lost it */
    /* what the child has printed */
    uint64_t spawnFrom;      /**< where the output of the present or last process begins */
    uint32_t readLines;      /**< since then */
    uint64_t readBytes;      /**< since the beginning */
    _Atomic double readMono; /**< when something was read last, s; 0: never.  Thread: any */
} psConsoleOutput;

/** @param written called from within, after each write
 *  @param urgent  called from within; it must not write
 *  @param resume  called from psConsoleOutputProgress(), and by a timer
 *  @return 0 or -ENOMEM */
int psConsoleOutputInit(psConsoleOutput *output, psLoop *loop, const psConfig *cfg,
                        void (*written)(void *ctx), void (*urgent)(void *ctx),
                        void (*resume)(void *ctx), void *ctx);
/** May be called twice, and on an object of zeros. */
void psConsoleOutputClear(psConsoleOutput *output);
/** Where to read.
 *  @param stamps with time stamps, if there are any: for the log and for log clients */
psFlow *psConsoleOutputFlow(psConsoleOutput *output, bool stamps);
void psConsoleOutputWrite(psConsoleOutput *output, const void *bytes, size_t len);
/** Read at most @p max bytes from @p fd, non-blocking.  @return bytes, 0 or -errno */
long psConsoleOutputReadFrom(psConsoleOutput *output, int fd, size_t max);
/** Is no reader that is waited for about to be overrun? If one is, `resume` is called when
 *  more may be read. */
bool psConsoleOutputMayRead(psConsoleOutput *output);
/** A reader has moved, or is gone. */
void psConsoleOutputProgress(psConsoleOutput *output);
/** A process starts, or has ended, and this is about to be printed. @{ */
void psConsoleOutputMarkStart(psConsoleOutput *output);
void psConsoleOutputMarkEnd(psConsoleOutput *output);
/** @} */
/** A process has started, and nothing was read from it yet. */
void psConsoleOutputMarkSpawn(psConsoleOutput *output);
/** Where a reader begins that is to see what was printed without stamps since the last start, and
 *  the end of the run before it: the last --history lines of that. */
uint64_t psConsoleOutputHistory(const psConsoleOutput *output);
/** Is the last line printed incomplete? */
bool psConsoleOutputMidLine(const psConsoleOutput *output);

#endif
