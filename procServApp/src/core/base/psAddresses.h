/* SPDX-License-Identifier: EPICS */
/** @file psAddresses.h
 *  @brief The IPv4 addresses of this host, and when they change.  Public, so that all parts of the
 *         program learn of them in the same way.
 */
#ifndef INC_psAddresses_H
#define INC_psAddresses_H

#include <netinet/in.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Ask the kernel which addresses the interfaces of this host have.  Thread: any.  Blocks: never.
 *  @param out   the addresses, each once, sorted; to be freed by free().  NULL if there is none
 *  @param count how many there are
 *  @return 0 or -errno */
int psAddressesGet(struct in_addr **out, size_t *count);

/** Begin to listen to what the kernel reports of addresses, and of interfaces that go up or
 *  down.  Thread: any.  Blocks: never.
 *  @return a descriptor for the functions below, which is readable when something has changed,
 *          owned by the caller; or -errno */
int psAddressesOpen(void);
/** Take what has been reported so far, so that the descriptor is no longer readable.
 *  Thread: any.  Blocks: never.
 *  @return 0, or -errno: the descriptor is of no more use */
int psAddressesDrain(int fd);
/** Wait until the addresses may have changed, and 0.2 s longer for those that change with them.
 *  Thread: any.  Blocks: until then, maybe for ever.
 *  @return as psAddressesDrain() */
int psAddressesWait(int fd);

#ifdef __cplusplus
}
#endif

#endif
