/* SPDX-License-Identifier: EPICS */
/** @file psServe.h
 *  @brief The IOC beside the supervision: load the database, run iocInit, guarded.
 *
 *  Base does to its caller whatever it likes: iocInit may suspend the calling thread for ever,
 *  a token in a database may call exit().  So all of it runs in an epicsThread "psServe" of its
 *  own, after the children were started, and what users gave is tried first by
 *  `procServIoc --check-ioc` in a process of its own, under a deadline.
 */
#ifndef INC_psServe_H
#define INC_psServe_H

#include <stdbool.h>
#include <stddef.h>

#include "psSup.h"

#ifdef __cplusplus
extern "C" {
#endif

/** All pointers must live until the program ends. */
typedef struct psServeOptions {
    psSup *sup;          /**< NULL in psServeTrial(): nothing is supervised there */
    const char *argv0;   /**< to run this program again for a trial when /proc/self/exe can't be
                              read; in messages */
    const char *name;    /**< of the command line's child; NULL: there is none */
    const char *prefix;  /**< with its separator, as given; NULL: $(NAME):PS: */
    const char *script;  /**< IOC shell script; NULL: the program's own records */
    const char *acf;     /**< access security file of the user; NULL: the installed one */
    bool insecurePvs;    /**< without acf there is no access security, and commands work */
    char *const *iocEnv; /**< NAME=VALUE for our IOC only, NULL at the end; NULL: none */
    bool shell;          /**< run an IOC shell on standard input afterwards: in the foreground,
                              on a terminal that no child's console uses.  Its end ends nothing */
} psServeOptions;

typedef enum psServeState {
    psServeStarting, /**< psServeWait() ran into its time-out: still at work */
    psServeServing,  /**< iocInit returned, CA and PVA listen */
    psServeFailed,   /**< it gave up; supervision goes on */
    psServeSuspended /**< Base suspended the thread, or it called exit(): it never comes back */
} psServeState;

/** Set the variables of iocEnv, which anybody in this process sees.  Thread: main, before there is
 *  any other: getenv() of one is not safe beside setenv() of another. */
void psServeEnvironment(const psServeOptions *options);

/** Start the thread.  The database, access security and the interface lists are tried first,
 *  in a process of its own.  Thread: main, once, after psSupStart().  Blocks: never.
 *  @return 0 or -errno: no thread could be had */
int psServeStart(const psServeOptions *options);

/** Wait for the outcome.  What is wrong has been told by then, in one line, on the consoles and
 *  logs of all children and on errlog.
 *  @param timeoutSec < 0: for ever, 0: only look; the end of the supervision ends it, too
 *  @param msg        that line again, "" while serving; may be NULL
 *  Thread: any but the loop's. */
psServeState psServeWait(double timeoutSec, char *msg, size_t msgSize);

/** Orderly end of the IOC (iocShutdown), if it serves; else nothing.  May hang like everything
 *  of Base, so the caller arms his watchdog before.  Thread: main. */
void psServeStop(void);

/** For --check: the checks of our own (interface lists, prefix) and the trial in a process of
 *  its own, at most @p deadlineSec.  One line per finding, @p bad telling errors from warnings.
 *  Thread: any; forks and execs.  @return number of errors */
int psServeCheck(const psServeOptions *options, double deadlineSec,
                 void (*report)(void *ctx, bool bad, const char *line), void *ctx);

/** `procServIoc --check-ioc`: build the IOC isolated in this very process and print one line per
 *  finding on standard output.  Never serves anything.  @return the exit code: 0 good, 1 bad */
int psServeTrial(const psServeOptions *options);

#ifdef __cplusplus
}
#endif
#endif
