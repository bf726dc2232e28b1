/* SPDX-License-Identifier: EPICS */
/** @file psServers.h
 *  @brief Do the CA and the PVA server run, and Base's timer?  Base is asked, nothing is guessed.
 *
 *  Both start inside iocInit() and listen when it returns, however slow the machine is.  What they
 *  then say of themselves is therefore the answer: the CA server's report lists each socket it
 *  listens on; the PVA server has put its port into the environment.
 */
#ifndef INC_psServers_H
#define INC_psServers_H

#include <stddef.h>

/** Forget what the environment says of somebody else's PVA server.  Thread: main, before there is
 *  any other: getenv() of one is not safe beside unsetenv() of another. */
void psServersForget(void);

/** Does the timer of delayed callbacks run?  Without a thread for it iocInit() goes on, and the
 *  first delayed callback of a record crashes; without any other of its threads Base suspends its
 *  caller, or keeps it for ever.
 *  Thread: the one that calls iocInit(), at initHookAfterCallbackInit.  Blocks: until the new
 *  thread has begun to run; at most 2 s.
 *  @return 0; -EAGAIN and what is missing in @p msg */
int psServersTimer(char *msg, size_t msgSize);

/** Ask both servers, but not for a CA server that EPICS_IOC_IGNORE_SERVERS leaves out.  Thread: the
 *  one that called iocInit(), after it returned.  Blocks: never.
 *  @return 0; -ENOENT and in @p msg which of them does not run; -ENOMEM */
int psServersCheck(char *msg, size_t msgSize);

/** The IOC could not be started as a whole: "no PVs: WHY", or which server runs all the same.
 *  Thread and blocking as above. */
void psServersFailed(const char *why, char *out, size_t size);

#endif
