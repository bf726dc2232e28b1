/* SPDX-License-Identifier: EPICS */
/** @file psHosts.h
 *  @brief The IPv4 addresses of this host as texts, for the rules of access security.
 *
 *  A client on this host that found us by broadcast comes from the address of an interface, not
 *  from 127.0.0.1; so a rule for "this host" has to name every address there is.
 */
#ifndef INC_psHosts_H
#define INC_psHosts_H

#include <stdbool.h>
#include <stddef.h>

/** A list of addresses as text: each once, in the order of psAddressesGet(), NULL at the end. */
typedef struct psHosts {
    char **items; /**< owned here; NULL: empty */
    size_t count;
} psHosts;
#define PS_HOSTS_INIT                                                                              \
    {                                                                                              \
        .items = NULL                                                                              \
    }

/** Ask the kernel.  Thread: any.  Blocks: never.
 *  @param out empty before; on failure untouched
 *  @return 0 or -errno */
int psHostsInit(psHosts *out);
/** Idempotent. */
void psHostsClear(psHosts *self);
/** Do both lists have the same addresses? */
bool psHostsEqual(const psHosts *one, const psHosts *other);

#endif
