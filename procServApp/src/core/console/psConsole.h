/* SPDX-License-Identifier: EPICS */
/** @file psConsole.h
 *  @brief Everything that reads a child's output or types at it: the ring, its clients,
 *  listeners and log.
 *
 *  Output goes in one direction: from the pty, or from us, into the ring.  At the end of the round
 *  every reader gets as much as it takes.  psFlow decides which readers are waited for.
 *  Thread: loop, but for psConsoleInit(), psConsoleOpen(), psConsoleInfo() and psConsoleClear().
 *  Blocks: psConsoleOpen() and psConsoleClear() for the log, and the former as psListenerOpen()
 *  does; nothing else.
 */
#ifndef INC_psConsole_H
#define INC_psConsole_H

#include <ellLib.h>

#include "console/psClients.h"
#include "console/psConsoleLog.h"
#include "console/psConsoleOutput.h"
#include "console/psListener.h"
#include "loop/psLoop.h"
#include "model/psConfig.h"

typedef struct psConsoleOps {
    /** How many bytes can be typed now?  0: none until psClientsResumeTyping(). */
    size_t (*room)(void *ctx, psClient *client);
    /** Typed by a console that may type. */
    void (*typed)(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
    /** A client's window size. */
    void (*size)(void *ctx, psClient *client, unsigned cols, unsigned rows);
    /** Append the banner for a new client. */
    void (*banner)(void *ctx, psText *out, bool readOnly);
    /** May one more connection be accepted?  @return 0: yes; otherwise the limit that is reached */
    int (*admit)(void *ctx);
    /** Number of clients or loggers changed, or a connection was refused. */
    void (*counted)(void *ctx);
    /** At the end of a round in which something was printed, or that brought news of the log. */
    void (*printed)(void *ctx);
    /** The error of the log (psConsoleLog.error) has changed, or the log works again. */
    void (*logNews)(void *ctx);
    /** The pty may be read again. */
    void (*resume)(void *ctx);
    /** A request of psConsoleRotateLog() was tried, and with it all smaller ones.
     *  @param why it failed, valid during the call; NULL: the file is open */
    void (*rotated)(void *ctx, int request, const char *why);
    /** After psConsoleEnd(): psConsoleIdle() is true.  May be called several times. */
    void (*ended)(void *ctx);
} psConsoleOps;

typedef struct psConsole {
    const psConfig *cfg; /* the child's */
    const psConsoleOps *ops;
    void *ctx;
    psLoop *loop;
    psConsoleOutput output;
    psClients clients;
    psListener listeners[PS_ENDPOINTS];
    int listenerCount;
    psText noDescriptors; /* sent to connections that are refused for lack of descriptors */
    psConsoleLog log;
    psTimer foreignTimer; /* armed: a foreign connection was reported a moment ago */
    unsigned foreigners;  /* closed since, unreported */
    bool ending;          /* psConsoleEnd() was called */
    psJob pumpJob;
} psConsole;

/** @param cfg must live as long as the console, as must @p ops.  @return 0 or -ENOMEM */
int psConsoleInit(psConsole *console, psLoop *loop, const psConfig *cfg, const psConsoleOps *ops,
                  void *ctx);
/** Open all endpoints, and the log; a log that cannot be opened is reported on errlog only
 *  (procServ's rule).  Blocks: as psConsoleLogOpen().
 *  @return 0 or -errno and one line; what was opened is closed by psConsoleClear() */
int psConsoleOpen(psConsole *console, const char *argv0, char *msg, size_t msgSize);
/** Begin to accept. */
void psConsoleStart(psConsole *console);
/** Print: our own messages. */
void psConsoleWrite(psConsole *console, const void *bytes, size_t len);
/** The same for a notice, on a line of its own.  If there is no memory for it, it is lost, and
 *  errlog says so. */
void psConsoleNotice(psConsole *console, const psText *line);
/** Read at most @p max bytes from the pty straight into the ring.  @return bytes, 0 or -errno */
long psConsoleReadFrom(psConsole *console, int fd, size_t max);
/** Append the last @p lines lines that are complete, psTail.h; at most @p bytes. */
void psConsoleTail(const psConsole *console, unsigned lines, size_t bytes, psText *out);
/** May the pty be read now?  If not, ops->resume is called when it may. */
bool psConsoleMayRead(psConsole *console);
/** With --audit, write a line "@@@ TIME WHO WHAT" to the log only. */
void psConsoleAudit(psConsole *console, const char *who, const char *fmt, ...)
    EPICS_PRINTF_STYLE(3, 4);
/** A further console on @p fd, which is taken, also on failure.
 *  @return NULL without memory, or if it cannot be watched */
psClient *psConsoleAddClient(psConsole *console, int fd, psClientKind kind, bool readOnly,
                             const char *peer);
/** Have the log reopened by its name; ops->rotated gives the result.
 *  @param request greater than those before; 0: nobody asks for the result
 *  @return 0; -ENOENT: there is no log; -EOPNOTSUPP: it is standard output */
int psConsoleRotateLog(psConsole *console, int request);
/** Is there a log that has no file to write to? */
bool psConsoleLogIsFailed(const psConsole *console);
/** Stop accepting, and close all clients once they got what was printed; ops->ended is called when
 *  that is done and the log is written. */
void psConsoleEnd(psConsole *console);
/** Are all clients gone and is the log written? */
bool psConsoleIdle(const psConsole *console);
/** The time for that is over: report on errlog what is left unwritten. */
void psConsoleGiveUp(psConsole *console);
/** Close everything at once.  May be called twice.  Thread: loop, or any once the loop has ended.
 *  @param logWaitSec for what is queued for the log */
void psConsoleClear(psConsole *console, double logWaitSec);
/** "LOG=...;CTL=..." parts of PROCSERV_INFO, or lines of an info file: log endpoint first, then
 *  the control endpoints in reverse order, as procServ does.  Thread: any, after
 *  psConsoleOpen(). */
void psConsoleInfo(const psConsole *console, bool asFile, psText *out);

#endif
