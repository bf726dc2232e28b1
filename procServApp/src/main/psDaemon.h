/* SPDX-License-Identifier: EPICS */
/** @file psDaemon.h
 *  @brief Becoming a daemon, with the start's outcome as the caller's exit code.
 *
 *  Callers of procServ rely on an exit code that shows whether it could bind.  But threads do not
 *  survive a fork, so the fork comes first: the child opens everything and reports through a pipe,
 *  and the parent waits for that and exits with it.  The child keeps standard error until then.
 *  No libCom function is called in here.  Thread: main; psDaemonGuardStdio() and psDaemonFork()
 *  before there is any other.
 */
#ifndef INC_psDaemon_H
#define INC_psDaemon_H

#include <stdbool.h>

typedef struct psDaemon {
    int reportFd; /* -1: not a daemon, or it has reported */
} psDaemon;
#define PS_DAEMON_INIT                                                                             \
    {                                                                                              \
        -1                                                                                         \
    }

/** Make sure that descriptors 0, 1 and 2 are open: a socket must never become standard output.
 *  @return 0 or -errno */
int psDaemonGuardStdio(void);

/** Fork.  Blocks: in the parent until the child has reported or died.  The child leads a session of
 *  its own, its standard input and output are /dev/null, and it has closed every descriptor above 2
 *  that it inherited.
 *  @return 0 in the child; the child's pid in the parent, with the start's exit code in
 *          *outCode once it is known; -errno if there is no child */
int psDaemonFork(psDaemon *self, int *outCode);

/** Report to the parent, and give up standard error.  Does nothing if no parent waits, so a program
 *  in the foreground may call it as well.
 *  @param code exit code of the parent, 0...255 */
void psDaemonReport(psDaemon *self, int code);

#endif
