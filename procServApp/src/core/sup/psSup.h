/* SPDX-License-Identifier: EPICS */
/** @file psSup.h
 *  @brief The supervisor: the public face of psCore.
 *
 *  One object owns one loop thread; the thread owns all children.  A child is named by its
 *  configuration; whoever needs it more than once keeps the handle that psSupFind() gives.
 *  Life: psSupCreate, psSupAddChild..., psSupStart, (psSupAddChild, psSupStartChild)...,
 *  psSupShutdown, psSupWait, psSupFree.
 */
#ifndef INC_psSup_H
#define INC_psSup_H

#include <stdio.h>

#include <compilerDependencies.h>

#include "psConfig.h"
#include "psTypes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct psSup psSup;
/** One child; valid as long as its supervisor. */
typedef struct psChild psChild;
struct psClock;
struct psInherit;

/** How the supervisor as a whole behaves.  Start from psSupOptionsDefault(). */
typedef struct psSupOptions {
    const char *banner;              /**< in "Welcome to procServ (...)" and --version; static */
    const char *argv0;               /**< in messages that quote it; static */
    const struct psInherit *inherit; /**< for the children; NULL: defaults; static */
    char *const *environ;            /**< the children's; PROCSERV_INFO is added; NULL: ::environ at
                                          psSupCreate, copied */
    int reservedDescriptors;         /**< descriptors the caller may need: 256 with an IOC */
    const char *ownLog;   /**< file for psSupWriteLog(), "-": standard output; NULL: none;
                               static */
    double statPeriodSec; /**< how often /proc is read; 0: never; else 0.5...3600 */
    double staggerSec;    /**< psSupStagger() at first */
    bool endWithOneShot;  /**< shut down when all children are OneShot and done, or ^Q */
    /** Called once, on the loop thread, when the end begins; must not block; may be NULL. */
    void (*ending)(void *ctx);
    /** Called once, on the loop thread, when everything is down and the logs are flushed, or the
     *  time for that is over; may be NULL. */
    void (*ended)(void *ctx, int exitCode);
    void *ctx;
    const struct psClock *clock; /**< NULL: the machine's */
} psSupOptions;
void psSupOptionsDefault(psSupOptions *out);

/** @return NULL with a line on errlog */
psSup *psSupCreate(const psSupOptions *options);

/** Save what children are to inherit.  Thread: main, before any other and before psSupCreate.
 *  @return a static object for psSupOptions.inherit */
const struct psInherit *psSupSaveInherit(void);

/** Children whose log is "-", and an own log of that name, write to a duplicate of @p fd instead of
 *  to descriptor 1, which others may use from now on.  Thread: main, before psSupCreate(). */
void psSupSetStandardOutput(int fd);

/** Close every descriptor from @p first on, whoever opened it.  Thread: any, while there is no
 *  other.  Blocks: never. */
void psSupCloseDescriptors(int first);

/** Add a child: opens its endpoints and its log, starts nothing before psSupStart().
 *  @param cfg copied
 *  @param msg on failure one line for the user
 *  Thread: any but the loop's.  Blocks: at most 2 s for the log to be open, and 1 s for each
 *  unix socket that others replace; and first while other threads add children, so that no two get
 *  the same name.
 *  @return 0; -EEXIST name taken; -EINVAL configuration; -ENOSPC too many; else -errno of the
 *          endpoint that could not be opened (the log is no reason to fail: procServ's rule) */
int psSupAddChild(psSup *sup, const psConfig *cfg, char *msg, size_t msgSize);
/** A check of children that may be added.  It knows what endpoints they have asked for. */
typedef struct psSupCheck psSupCheck;
/** @param options must live as long as the check
 *  @param report  called with one line per finding, @p bad being true for an error
 *  Thread: any, one at a time per check.  @return NULL without memory */
psSupCheck *psSupCheckCreate(const psSupOptions *options,
                             void (*report)(void *ctx, bool bad, const char *line), void *ctx);
/** Would psSupAddChild() and the start work?  Leaves no trace, but that the ports of the first
 *  child are in use until psSupCheckFree().  Blocks: as long as opening files and looking up names
 *  does.  @return number of errors */
int psSupCheckChild(psSupCheck *check, const psConfig *cfg);
/** Are there descriptors enough for all children so far?
 *  @param others children that another check has looked at
 *  @return as psSupCheckChild() */
int psSupCheckLimits(psSupCheck *check, int others);
/** The same for the own log of the options. */
int psSupCheckOwnLog(psSupCheck *check);
/** NULL is fine. */
void psSupCheckFree(psSupCheck *check);

/** Start the loop thread, and every child added so far, as mode and --wait say.  Once.
 *  @return 0 or -errno */
int psSupStart(psSup *sup);

/** @name Children.  Thread: any.  Blocks: never.  @{ */
/** @return NULL: there is no child of that name */
psChild *psSupFind(psSup *sup, const char *name);
/** In the order added.  @return NULL past the end */
psChild *psSupAt(psSup *sup, int index);
int psSupCount(psSup *sup);
/** @} */

/** Start a child that was added after psSupStart(), as mode and --wait say.  Starting one again
 *  does nothing.  Thread: any.  Blocks: never.
 *  @return as psSupSubmit() */
int psSupStartChild(psSup *sup, psChild *child);
/** Start all that were not started yet.  Cannot fail.  Thread: any.  Blocks: never. */
void psSupStartAll(psSup *sup);

/** Give the launching terminal to a child as one more console, if fd is a terminal.
 *  The supervisor uses a description of its own and restores the mode at the end.  Once, before
 *  psSupStart().  The child's terminal gets its size, and each change of it that psSupRaise()
 *  reports.
 *  @return 0, -ENOTTY or -errno */
int psSupAttachTerminal(psSup *sup, psChild *child, int fd);

/** Queue a command for one child.
 *  @param done called exactly once, on the loop thread, if 0 is returned; may be NULL.  It must
 *              not block.
 *  Thread: any.  Blocks: never.
 *  @return 0, -EAGAIN queue full, -ESHUTDOWN ending, -ENOMEM, -EINVAL value out of
 *          psVerbRange() or not a number, or psVerbCheckText() refuses the text */
int psSupSubmit(psSup *sup, psChild *child, const psCommand *cmd, psDoneFn done, void *ctx);

/** Print "@@@ text" on a child's console and log.  Thread: any.  Blocks: never.
 *  @return as psSupSubmit() */
int psSupTell(psSup *sup, psChild *child, const char *text);
/** Say in the banner of later clients which PVs a child has: "@@@ PVs: TEXT".  Without this
 *  there is no such line.  Thread: any.  Blocks: never. @return as psSupSubmit() */
int psSupSetPvs(psSup *sup, psChild *child, const char *text);
/** The prefix of a child's PVs, which its event command finds in PS_PREFIX.  Thread: any.
 *  Blocks: never.  @return as psSupSubmit() */
int psSupSetPrefix(psSup *sup, psChild *child, const char *prefix);
/** Publish a command that was refused: CmdState Denied.
 *  @param child NULL: a command to all children
 *  @param done called with Denied, as by psSupSubmit(); may be NULL
 *  Thread: any.  Blocks: never.  @return as psSupSubmit() */
int psSupDenied(psSup *sup, psChild *child, const psCommand *cmd, const char *reason, psDoneFn done,
                void *ctx);

/** @name Commands to all children.  Thread: any.  Blocks: never.  @{ */
/** Queue a command for all children there are when its turn comes, in the order in which they were
 *  added; starts and restarts psSupStagger() apart.  A restart leaves alone what is stopped.  A
 *  newer command, or the shutdown, ends an older one as Failed; children that were given it
 *  already go on.
 *  @param done as of psSupSubmit(), when all children have ended it: Failed if it failed for one;
 *              a child that refused it (Denied) is only counted
 *  @return as psSupSubmit() */
int psSupSubmitAll(psSup *sup, const psCommand *cmd, psDoneFn done, void *ctx);
/** psSupTell() for all children and the own log. */
int psSupTellAll(psSup *sup, const char *text);
/** How the last such command stands or ended. */
void psSupAllStatus(psSup *sup, psAllStatus *out);
/** From one start to the next, s: 0...PS_STAGGER_MAX_SEC; at first as the options say.  The next
 *  start of a command in progress still comes when it was due. */
double psSupStagger(psSup *sup);
/** @return 0, or -EINVAL: out of range */
int psSupSetStagger(psSup *sup, double sec);
/** @} */

/** The newest published status.  Thread: any.  Blocks: never. */
void psSupStatus(psChild *child, psStatus *out);
/** Take the oldest transition not yet taken; each is given once.  One consumer per child.
 *  @return 1 taken and more are waiting, 0 taken and none is left, -EAGAIN none */
int psSupNextTransition(psChild *child, psStatus *out);
/** What was published of its console last.  It is kept up to date only while somebody subscribes to
 *  psTopicConsole.  Thread: any.  Blocks: never. */
void psSupConsole(psChild *child, psConsoleStatus *out);
/** What its processes use: the newest, which is as old as the last period of reading while somebody
 *  subscribes to psTopicResources and psSupWatch() is on.  seq is 0 as long as nothing was read.
 *  Thread: any.  Blocks: never. */
void psSupResources(psChild *child, psResources *out);
/** Be called after each publication of @p topic, on the loop thread (psTopicResources: on the one
 *  that reads /proc), without any lock held; must not block.  The transitions given from then on
 *  begin with the newest there is now; the console is published soon, and from then on when it has
 *  changed: once per second at most, or five times while it is monitored.
 *  One subscriber per child and topic; NULL ends it, and when that call returns no call is under
 *  way (so never call it from @p fn or with a lock that @p fn takes).
 *  Thread: any but the loop's. */
void psSupSubscribe(psChild *child, psTopic topic, void (*fn)(void *ctx), void *ctx);
/** When it printed something last, on the clock of psSupMono(); 0: never.
 *  Thread: any.  Blocks: never. */
double psSupOutputMono(const psChild *child);
/** A client follows the text of its console: for the next PS_MONITORED_SEC it is worth more
 *  updates.  It ends by itself, because nobody reports that the last client has gone, or that what
 *  it follows is no longer shown.
 *  Thread: any.  Blocks: never. */
void psSupConsoleMonitored(psChild *child);

/** How long ago its last sign of life was, s, by the watchdog that is nearest to its limit; 0
 *  where none counts.
 *  @param mono as of psSupMono()
 *  Thread: any.  Blocks: never. */
double psSupAliveAge(const psChild *child, double mono);

/** The PV of --ready-pv is so now.  Thread: any.  Blocks: never. */
void psSupReadyPv(psChild *child, psReadyPvState state);

/** The PV of --watch-pv was updated: a sign of life.  Thread: any.  Blocks: never.
 *  @return how often that was, beginning anew at 0 */
unsigned psSupPvUpdated(psChild *child);

/** What never changes, its name among it.  Thread: any.  Blocks: never. */
const psChildFacts *psSupFacts(const psChild *child);

/** Write a line to the supervisor's own log, with the time before it; without one, do nothing.  The
 *  beginning of the end, its reason and its exit code are written by the supervisor itself.
 *  Thread: any.  Blocks: never; a line that cannot be had is counted in the log. */
void psSupWriteLog(psSup *sup, const char *line);

/** Monotonic now of the supervisor's clock, s: what Uptime counts with. */
double psSupMono(psSup *sup);

/** The supervisor as a whole. */
typedef struct psSummary {
    double upSec; /**< since psSupCreate() */
    int children, running;
    int notOk;          /**< children whose health is not psHealthOk */
    int major;          /**< of them, those that need a person: Crashing, Down and Hung */
    uint32_t heartbeat; /**< counted by the loop, once per second while psSupWatch() is on */
    psSelfUsage self;   /**< of this program, read last */
    psLogSpace logSpace;
    double loopMaxSec; /**< the loop's longest round within the last 60 beats of its heart */
} psSummary;

/** Let the loop's heart beat, which costs a wake-up per second, and have /proc read once per
 *  period, by a thread of its own that is made the first time; or not.  Off at first.
 *  Thread: any, one at a time.  Blocks: never. */
void psSupWatch(psSup *sup, bool on);
/** Thread: any.  Blocks: never. */
void psSupSummary(psSup *sup, psSummary *out);

/** Write the content of an info file, for all children.  Thread: any.  Blocks: on @p out. */
void psSupPrintInfo(psSup *sup, FILE *out);
/** @name Reports for people.  Level 0: one line per child; 1: how it is run, and its last exit; 2:
 *  all that records show of it.  Thread: any.  Blocks: on @p out. @{ */
void psSupReport(psSup *sup, FILE *out, int level);
void psSupReportChild(psSup *sup, psChild *child, FILE *out, int level);
/** @} */

/** Begin the end: children are stopped in their stages, logs flushed, `ended` is called.  A
 *  second call goes straight to SIGKILL.  Thread: any.  Blocks: never. */
void psSupShutdown(psSup *sup);
/** From a signal handler: SIGHUP reopens logs; SIGWINCH passes the size of the launching terminal
 *  on; SIGTERM, SIGINT and SIGQUIT shut down.
 *  Async-signal-safe. */
void psSupRaise(psSup *sup, int signo);
/** Wait for the end.  @return the exit code a drop-in for procServ has to return, or -ETIMEDOUT.
 *  @param timeoutSec < 0: for ever */
int psSupWait(psSup *sup, double timeoutSec);
/** After psSupWait() returned, or before psSupStart().  A start that still hangs keeps its memory.
 *  NULL is fine. */
void psSupFree(psSup *sup);

#ifdef __cplusplus
}
#endif
#endif
