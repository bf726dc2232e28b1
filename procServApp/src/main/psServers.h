/* SPDX-License-Identifier: EPICS */
/** @file psServers.h
 *  @brief Do the CA and the PVA server run?  Base is asked, nothing is guessed.
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

/** Ask both servers.  Thread: the one that called iocInit(), after it returned.  Blocks: never.
 *  @return 0; -ENOENT and who does not run in @p msg; -ENOMEM */
int psServersCheck(char *msg, size_t msgSize);

#endif
