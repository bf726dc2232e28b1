/* SPDX-License-Identifier: EPICS */
/** @file psRelay.h
 *  @brief The search relay beside our IOC: when it starts, and in which mode.
 *
 *  Our IOC would hide the IOCs that we supervise: from clients with a unicast address, since Linux
 *  gives a unicast search to one of all, and from those with a name server, since Base would take
 *  the TCP port first.  The relay undoes the one, psCaPort.h the other.
 *  Thread: the one that runs iocInit, except psRelayInit().
 */
#ifndef INC_psRelay_H
#define INC_psRelay_H

#include "psServeOptions.h"

/** Note the TCP port of Channel Access that the environment gives the children.  To be called
 *  before anything changes the environment for our IOC only: `--ioc-env`, or a script's
 *  epicsEnvSet.
 *  Thread: main, before there is any other.  Blocks: never. */
void psRelayInit(void);

/** Start the relay, if it is wanted and does not run yet: before our servers start, so that no
 *  search meets our IOC alone.
 *  @param notice reports one line to people; called on any thread, now and later; it must not block
 *  Blocks: as psCaRelayStart() */
void psRelayStart(const psServeOptions *options, void (*notice)(const char *line));
/** Is it to be a name server whatever the script says?  Then it has to be there before the first
 *  child is, which would take the port. */
bool psRelayIsEarly(const psServeOptions *options);

/** Base is about to start its servers: the CA server must not take the TCP port of the children.
 *  Where the environment of our IOC names another port, it takes that one as any IOC does. */
void psRelayServersBegin(void);
/** Base has started them.  @param notice as for psRelayStart(): called if the port was taken */
void psRelayServersEnd(void (*notice)(const char *line));

#endif
