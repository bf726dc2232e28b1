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

#include "psServeOptions.h"

typedef enum psServeState {
    psServeStarting, /**< psServeWait() ran into its time-out: still at work */
    psServeServing,  /**< iocInit returned, CA and PVA run */
    psServeFailed,   /**< it gave up; supervision goes on */
    psServeSuspended /**< Base suspended the thread, or it called exit(): it never comes back */
} psServeState;

/** Make what the thread needs, set the environment of the IOC.  Thread: main, once, before there
 *  is any other thread and any child.
 *  @param options copied; without .sup yet
 *  @return 0 or -ENOMEM: psServeStart() must not be called */
int psServePrepare(const psServeOptions *options);

/** Say in the banners of the children there are that the PVs are not served yet.
 *  @param sup used from now on; must live until the program ends, or until psServeStart() fails
 *  Thread: main, once, after psServePrepare().  Blocks: never. */
void psServeAnnounce(psSup *sup);

/** Start the thread.  The database, access security and the interface lists are tried first,
 *  in a process of its own.  Thread: main, once, after psServeAnnounce() and the start of its
 *  supervisor.  Blocks: never.
 *  @return 0 or -errno: no thread could be had, which banners say from now on */
int psServeStart(void);

/** Wait for the outcome.  What is wrong has been reported by then, in one line, on the consoles
 *  and logs of all children and on errlog.
 *  @param timeoutSec < 0: for ever, 0: only look; the end of the supervision ends it, too
 *  Thread: any but the loop's. */
psServeState psServeWait(double timeoutSec);

/** Orderly end of the IOC (iocShutdown), if it serves; else nothing.  May hang like everything
 *  of Base, so the caller arms his watchdog before.  Thread: main. */
void psServeStop(void);

#endif
