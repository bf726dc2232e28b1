/* SPDX-License-Identifier: EPICS */
/** @file psPrefixClaim.h
 *  @brief Does another procServIoc on this host serve the same PVs?
 *
 *  Clients would get the records of either, by luck.  So each claims its prefix by an abstract unix
 *  socket, which the kernel removes with the process.  Those that serve on other ports or addresses
 *  of Channel Access, or in another network namespace, do not meet.  Any user can claim any prefix:
 *  it is a hint for people, and nothing depends on it.
 */
#ifndef INC_psPrefixClaim_H
#define INC_psPrefixClaim_H

#include <sys/types.h>

/** Claim @p prefix until the program ends.  The port and the addresses are taken from the
 *  environment of the IOC.
 *  @param outOwner on -EADDRINUSE: the process that has claimed it; 0: unknown
 *  Thread: any, once.  Blocks: up to 3 s, for one that is ending.
 *  @return 0; -EADDRINUSE; -errno: it cannot be found out */
int psPrefixClaim(const char *prefix, pid_t *outOwner);

#endif
