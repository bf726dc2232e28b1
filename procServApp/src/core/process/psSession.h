/* SPDX-License-Identifier: EPICS */
/** @file psSession.h
 *  @brief Who is left of a session, from /proc; signals to them.  Level 2.
 *
 *  Zombies do not count.  One pass over /proc: about 1 us a process of the machine.
 */
#ifndef INC_psSession_H
#define INC_psSession_H

#include <sys/types.h>

/** Live members of session @p sid.  @return count or -errno */
int psSessionCount(pid_t sid);
/** Send @p signo to every live member, whatever its group.  @return how many, or -errno */
int psSessionSignal(pid_t sid, int signo);

#endif
