/* SPDX-License-Identifier: EPICS */
/** @file psChildProcess.h
 *  @brief The process of a child: start it, signal it, and learn how it ended.
 *
 *  What happens is reported by psChild.happened: Spawned, SpawnFailed and Exited, never from within
 *  a call of these functions.  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildProcess_H
#define INC_psChildProcess_H

#include "child/psChildPvt.h"

/** Start a process on a new terminal, once the session of the last one is empty. */
void psChildProcessStart(psChild *child);
/** Send @p signo to its group.  @return 0, -ESRCH if there is no process, or -errno */
int psChildProcessSignal(psChild *child, int signo);
/** SIGKILL to a start in progress, or to the whole session. */
void psChildProcessKill(psChild *child);
/** Its end was announced: close the terminal, reap the zombie. */
void psChildProcessClose(psChild *child);
/** Leave a process that SIGKILL cannot end, or a start that hangs, to the kernel. */
void psChildProcessAbandon(psChild *child);

#endif
