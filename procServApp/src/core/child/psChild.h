/* SPDX-License-Identifier: EPICS */
/** @file psChild.h
 *  @brief One supervised process with all that belongs to it: machine, terminal, console, log.
 *
 *  Opaque: what is inside is known to the room child/ only.
 *  Thread: the loop's unless a function says otherwise.  Blocks: never unless it says so.
 */
#ifndef INC_psChild_H
#define INC_psChild_H

#include "base/psText.h"
#include "child/psFeed.h"
#include "loop/psLoop.h"
#include "model/psConfig.h"
#include "process/psInherit.h"

typedef struct psChild psChild;

/** What a child needs of its supervisor.  Called on the loop thread. */
typedef struct psChildOps {
    /** May one more console connect?  @return 0: yes; otherwise the limit that is reached */
    int (*admit)(void *ctx);
    /** The child has come to rest.  During the end: a console is gone, or the log is written. */
    void (*settled)(void *ctx);
    /** ^Q on the console of @p child: begin the end of all, unless another child is not at rest.
     *  @param outWhyNot a sentence if false is returned */
    bool (*quit)(void *ctx, const psChild *child, const char **outWhyNot);
} psChildOps;

/** What is the same for all children; its pointers must live as long as they do. */
typedef struct psChildSetup {
    psLoop *loop;
    const psChildOps *ops;
    void *ctx;                /**< passed to ops */
    const psInherit *inherit; /**< NULL: defaults */
    char *const *environ;     /**< copied; PROCSERV_INFO is added */
    const char *argv0;        /**< of the program, in messages */
    const char *banner;       /**< program and version */
} psChildSetup;

/** Open its endpoints and its log; nothing is started.
 *  @param cfg copied
 *  @param msg on failure one line for the user
 *  Thread: any.  Blocks: at most 2 s for the log to be open, and as psListenerOpen().
 *  @return NULL: *outStatus is -errno */
psChild *psChildCreate(const psChildSetup *setup, const psConfig *cfg, int *outStatus, char *msg,
                       size_t msgSize);
/** Thread: any, once the loop has ended or before it runs.  Blocks: up to 1 s for a log still being
 *  written, 1 s for a start in progress.  NULL is fine. */
void psChildFree(psChild *child);

/** Accept consoles, and start the process as mode and --wait say.  Once; later calls do nothing. */
void psChildStart(psChild *child);
/** Carry out a command; @p done as of psSupSubmit(). */
void psChildCommand(psChild *child, const psCommand *cmd, psDoneFn done, void *ctx);
/** Record a command that was refused. */
void psChildDenied(psChild *child, const psCommand *cmd, const char *reason);
/** Print a notice on console and log. */
void psChildNotice(psChild *child, const char *text);
/** One more console on @p fd, which is taken.  @return 0 or -ENOMEM */
int psChildAddTerminal(psChild *child, int fd);
/** The window of that console has this size now. */
void psChildSizeTerminal(psChild *child, unsigned cols, unsigned rows);
/** What the banner of later clients says of the PVs.  Without memory it says what it said. */
void psChildSetPvs(psChild *child, const char *text);
/** The prefix of its PVs, for its event command.  Without memory it is what it was. */
void psChildSetPrefix(psChild *child, const char *prefix);
/** Open the log again by its name.  A child without a log does nothing. */
void psChildReopenLog(psChild *child);

/** @name The end, in this order @{ */
/** End the process for good; a second call goes straight to SIGKILL. */
void psChildShutdown(psChild *child);
bool psChildEnding(const psChild *child); /**< was psChildShutdown() called? */
bool psChildDown(const psChild *child);   /**< has it come to rest after that? */
/** Fail the commands that wait, and close the consoles once they got what was printed.
 *  ops->settled follows. */
void psChildClose(psChild *child);
bool psChildClosed(const psChild *child); /**< are consoles closed, the log written, and
                                                no command of its user running? */
/** The time for that is over: report on errlog what is lost, and end its event command. */
void psChildGiveUp(psChild *child);
/** Exit code of the program, from the last exit of the child: see docs/design.md "Shutdown". */
int psChildExitCode(const psChild *child);
/** Does a start hang?  Its thread may come back.  Thread: any, once the loop has ended. */
bool psChildHangs(const psChild *child);
/** @} */

bool psChildLockedOut(const psChild *child); /**< does it take no commands of people? */
bool psChildAtRest(const psChild *child); /**< has it neither a process nor a start in progress? */
bool psChildFinished(const psChild *child); /**< is it OneShot, and has it ended for good? */

/** @name Connections, for the limit of the program @{ */
int psChildConnections(const psChild *child);
/** @param outSince since when its most stalled client has made no progress, monotonic s
 *  @return false: none is stalled */
bool psChildStalled(psChild *child, double *outSince);
void psChildDropStalled(psChild *child); /**< close that client */
/** @} */

/** @name Facts.  Thread: any. @{ */
const char *psChildName(const psChild *child);
const psChildFacts *psChildGetFacts(const psChild *child);
/** Append what PROCSERV_INFO or an info file says about the endpoints. */
void psChildInfo(const psChild *child, bool asFile, psText *out);
/** Its log, for the calls that any thread may make; NULL: none. */
struct psLogFile *psChildLog(const psChild *child);
psFeed *psChildFeed(psChild *child); /**< what it publishes; the child's */
/** When it printed something last, monotonic s; 0: never. */
double psChildOutputMono(const psChild *child);
/** Somebody subscribes to its console: publish it soon. */
void psChildConsoleWanted(psChild *child);
/** As psSupConsoleMonitored(). */
void psChildConsoleMonitored(psChild *child);
/** psSupReadyPv() */
void psChildReadyPvIs(psChild *child, psReadyPvState state);
/** psSupPvUpdated() */
unsigned psChildPvUpdated(psChild *child);
/** psSupAliveAge() */
double psChildAliveAge(const psChild *child, double mono);
/** @} */

#endif
