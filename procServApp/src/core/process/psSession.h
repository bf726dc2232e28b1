/* SPDX-License-Identifier: EPICS */
/** @file psSession.h
 *  @brief Who is left of a session, from /proc; signals to them.
 *
 *  Zombies do not count.  Each call is one pass over /proc, about 1 us per process of the machine.
 *  Thread: any.  Blocks: for that pass.
 */
#ifndef INC_psSession_H
#define INC_psSession_H

#include <sys/types.h>

/** Live members of session @p sid, which is > 0.  @return how many, or -errno: without descriptors
 *  or memory nobody can look */
int psSessionCount(pid_t sid);
/** Send @p signo, > 0, to every live member but ourselves, whatever its group.
 *  @return how many got it, or -errno */
int psSessionSignal(pid_t sid, int signo);

#endif
