/* SPDX-License-Identifier: EPICS */
/** @file psMessages.h
 *  @brief The messages on console and log.  Those that procServ has, which scripts parse, are the
 *  same byte for byte.  Pure.
 *
 *  All lines end in CR LF and are complete, however long they are (procServ cuts them).  Control
 *  characters in names, paths and notices become \xHH.  Each function appends to @p out, which
 *  also remembers if memory ran out.
 */
#ifndef INC_psMessages_H
#define INC_psMessages_H

#include <stdbool.h>

#include "base/psKey.h"
#include "base/psText.h"
#include "base/psTypes.h"

/** The keys, as bytes; 0: disabled. */
typedef struct psKeys {
    unsigned char kill, toggle, logout;
    bool noStart, noQuit; /**< --ignore has ^R, ^Q */
} psKeys;

/** What the banner of a console shows. */
typedef struct psBanner {
    const char *program; /**< "Welcome to procServ (...)"; NULL: procServIoc and version */
    psKeys keys;
    psMode mode;
    int serverPid;
    const char *serverDir, *childDir;
    const char *name, *command; /**< command: the first word only */
    const char *logFile;        /**< NULL: none */
    bool logFailed;
    const char *pvs;                          /**< prefix and state of the PVs; NULL: no line */
    int childPid;                             /**< 0: not running */
    const char *serverStarted, *childStarted; /**< formatted times */
    int users, loggers;
    bool readOnly; /**< the shorter banner of a log client */
} psBanner;

/** What a console shows when it connects. */
void psMessageBanner(psText *out, const psBanner *banner);
/** "@@@ Toggled auto restart mode to ..." */
void psMessageToggled(psText *out, psMode mode);
/** "@@@ Got a kill command" */
void psMessageKill(psText *out);
/** "@@@ ^X is not needed: the child has just been started" */
void psMessageJustStarted(psText *out, const char *key);
/** "@@@ Restarting child", and "(as ...)" if the name is not argv0.  procServ prints the PID line
 *  at once; ours follows when the start is confirmed: psMessageNewPid. */
void psMessageRestarting(psText *out, const char *name, const char *argv0);
/** "@@@ The PID of new child ..." and the line that consists of @@@ only. */
void psMessageNewPid(psText *out, const char *name, int pid);
/** "Received a sigChild for process": it exited with @p code, or was killed by @p signo if > 0. */
void psMessageReaped(psText *out, int pid, int code, int signo);
/** "Current time", what comes next, and the help line unless the mode is OneShot. */
void psMessageGone(psText *out, const char *time, psMode mode, const psKeys *keys);

/** @name Messages of our own, where procServ prints nothing.  Each is one line with @@@.  A message
 *  that answers typed input comes in the middle of a line, so it begins with an empty line, as
 *  those of procServ do. @{ */
void psMessageLost(psText *out, unsigned long long bytes); /**< "@@@ N bytes lost" */
void psMessageInputFull(psText *out, unsigned long bytes); /**< the child does not read */
void psMessageInputNoMemory(psText *out, unsigned long bytes);
/** --key-guard: "@@@ ^X again within 2 s kills the child" */
void psMessagePressAgain(psText *out, const char *key, double sec, const char *ends);
void psMessageLineTooLong(psText *out); /**< canonical mode holds 4095 bytes per line */
void psMessageConsolesFull(psText *out, int limit);
/** Any other notice: "@@@ ", then the text, then CR LF. */
void psMessageNotice(psText *out, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);
/** @} */

#endif
