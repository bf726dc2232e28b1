/* SPDX-License-Identifier: EPICS */
/** @file psRelay.h
 *  @brief The search relay beside our IOC: when it starts, and in which mode.
 *
 *  Our IOC would hide the IOCs that we supervise: from clients with a unicast address, since Linux
 *  gives a unicast search to one of all, and from those with a name server, since Base would take
 *  the TCP port first.  The relay undoes the one, psCaPort.h the other.
 *  Thread: the one that runs iocInit.
 */
#ifndef INC_psRelay_H
#define INC_psRelay_H

#include "psServeOptions.h"

/** Start the relay, if it is wanted and does not run yet: before our servers start, so that no
 *  search meets our IOC alone.
 *  @param notice reports one line to people; called on any thread, now and later; it must not block
 *  Blocks: as psCaRelayStart() */
void psRelayStart(const psServeOptions *options, void (*notice)(const char *line));
/** Is it to be a name server whatever the script says?  Then it has to be there before the first
 *  child is, which would take the port. */
bool psRelayIsEarly(const psServeOptions *options);

/** Base is about to start its servers: the CA server must not take the TCP port. */
void psRelayServersBegin(void);
/** Base has started them. */
void psRelayServersEnd(void (*notice)(const char *line));

#endif
