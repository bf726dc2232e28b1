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

/** Base is about to start its servers.  The relay is there before them, so that no search meets
 *  our IOC alone.
 *  @param notice tells people one line; called on any thread, now and later; it must not block
 *  Blocks: as psCaRelayStart() */
void psRelayBegin(const psServeOptions *options, void (*notice)(const char *line));
/** Base has started its servers. */
void psRelayEnd(void (*notice)(const char *line));

#endif
