/* SPDX-License-Identifier: EPICS */
/** @file psConsole.h
 *  @brief Everything that reads a child's output or types at it: the ring, its clients,
 *  listeners and log.  Level 4, used by psChild only.
 *
 *  Who is waited for (docs/design.md): a reader that accepted 100 kB in the last 100 ms is;
 *  any other loses bytes and is told how many.
 *  Thread: loop, but for psConsoleInit(), psConsoleOpen() and psConsoleClear().
 */
#ifndef INC_psConsole_H
#define INC_psConsole_H

#include <ellLib.h>

#include "console/psClient.h"
#include "model/psConfig.h"
#include "console/psLine.h"
#include "console/psListener.h"
#include "log/psLogFile.h"
#include "loop/psLoop.h"
#include "console/psRing.h"

typedef struct psConsoleOps {
    /** Typed by a console that may type. */
    void (*typed)(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
    /** A client's window size. */
    void (*size)(void *ctx, psClient *client, unsigned cols, unsigned rows);
    /** Append the banner for a new client. */
    void (*banner)(void *ctx, psText *out, bool readOnly);
    /** One connection more?  @return 0 admits it, else the limit that is reached */
    int (*admit)(void *ctx);
    /** Number of clients or loggers changed. */
    void (*counted)(void *ctx);
    /** The pty may be read again. */
    void (*resume)(void *ctx);
} psConsoleOps;

typedef struct psConsole {
    const psConfig *cfg; /* the child's */
    const psConsoleOps *ops;
    void *ctx;
    psLoop *loop;
    psRing ring;        /* what the child and we print */
    psRing stampedRing; /* the same with time stamps; data NULL without --logstamp */
    psStamp stamp;
    size_t stampLen;  /* of the last one */
    psText stampText; /* scratch */
    ELLLIST clients;  /* psClient.node */
    ELLLIST dead;     /* psClient.node: freed at the end of the round */
    psListener listeners[PS_ENDPOINTS];
    int listenerCount;
    psText noDescriptors; /* told to those who come when there are none */
    bool started;         /* psConsoleStart() was called */
    psLogFile *log;       /* NULL: none */
    bool logFailed;       /* it could not be opened */
    int logError;         /* errno that was told last; 0: all is well */
    bool logNews;         /* perhaps another one */
    double logToldMono;   /* the next is not told before */
    psRingReader logReader;
    psText logOut;   /* a notice on its way to the log */
    bool logMidLine; /* what went there last did not end a line */
    bool logFull;    /* it took less than it was given */
    int users, loggers;
    int terminals; /* of users: not counted against the limit */
    bool waiting;  /* the pty is not read until a reader has moved */
    psJob pumpJob;
    psTimer waitTimer; /* gives up waiting */
    psTimer shrinkTimer;
    double shrinkDelay;
} psConsole;

/** @return 0 or -ENOMEM */
int psConsoleInit(psConsole *console, psLoop *loop, const psConfig *cfg, const psConsoleOps *ops,
                  void *ctx);
/** Open all endpoints and the log.  @return 0 or -errno and one line; what was opened is
 *  closed by psConsoleClear() */
int psConsoleOpen(psConsole *console, const char *argv0, char *msg, size_t msgSize);
/** Begin to accept. */
void psConsoleStart(psConsole *console);
/** Print: our own messages. */
void psConsoleWrite(psConsole *console, const void *bytes, size_t len);
/** The same: a notice of ours, on a line of its own. */
void psConsoleNotice(psConsole *console, const psText *line);
/** Read at most @p max bytes from the pty straight into the ring.  @return bytes, 0 or -errno */
long psConsoleReadFrom(psConsole *console, int fd, size_t max);
/** May the pty be read now?  If not, ops->resume is called when it may. */
bool psConsoleMayRead(psConsole *console);
/** A further console on @p fd, which is taken. */
psClient *psConsoleAddClient(psConsole *console, int fd, psClientKind kind, bool readOnly,
                             const char *peer);
/** The client that made no progress for the longest, at least 10 s; NULL: none. */
psClient *psConsoleMostStalled(psConsole *console, double *outSince);
/** Stop accepting and close all clients once they got what was printed. */
void psConsoleEnd(psConsole *console);
/** All clients gone and the log written? */
bool psConsoleIdle(const psConsole *console);
/** Close everything at once.  Idempotent.  After the loop ended, or in it.
 *  @param logWaitSec for the log's queue */
void psConsoleClear(psConsole *console, double logWaitSec);
/** "LOG=...;CTL=..." parts of PROCSERV_INFO, or lines of an info file: log endpoint first, then
 *  the control endpoints in reverse order, as procServ does. */
void psConsoleInfo(const psConsole *console, bool asFile, psText *out);

#endif
