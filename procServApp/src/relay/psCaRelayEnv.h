/* SPDX-License-Identifier: EPICS */
/** @file psCaRelayEnv.h
 *  @brief What the environment says to the Channel Access server of this process, and so to the
 *         search relay.  Part of psCaRelay.h.
 */
#ifndef INC_psCaRelayEnv_H
#define INC_psCaRelayEnv_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The port at which clients search, and at which the server listens if it can: that of
 *  EPICS_CAS_SERVER_PORT, or EPICS_CA_SERVER_PORT.  Thread: any. */
unsigned short psCaRelayPort(void);

/** Does the environment leave a server, at any address?  Else a relay would add nothing.
 *  @param why if not, the reason; may be NULL
 *  Thread: any.  Blocks: on DNS, if EPICS_CAS_INTF_ADDR_LIST has names. */
bool psCaRelayIsUseful(const char **why);

/** The addresses whose searches the server ignores, by EPICS_CAS_IGNORE_ADDR_LIST: it could not
 *  know them any more when the relay passes them on.  In network byte order.
 *  Thread: any.  Blocks: on DNS, if the list has names.  @return how many, at most @p max */
int psCaRelayIgnored(uint32_t *out, int max);

#ifdef __cplusplus
}
#endif

#endif
