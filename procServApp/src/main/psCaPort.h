/* SPDX-License-Identifier: EPICS */
/** @file psCaPort.h
 *  @brief The TCP port of Channel Access is left to the supervised IOC.
 *
 *  Clients that use a name server (EPICS_CA_NAME_SERVERS) connect to that port, and the IOC that
 *  listens there first keeps it.  Base takes the port for our own CA server and offers no other
 *  way than to find it in use.  So it is told just that: bind() is ours, in this program, and
 *  refuses that port to the thread in which Base starts its server.  Nothing is held, not even
 *  for a moment, so that an IOC that starts at the same instant gets the port.
 */
#ifndef INC_psCaPort_H
#define INC_psCaPort_H

#include <stdbool.h>

/** From now on no TCP socket can be bound to @p port by this thread.  Blocks: never. */
void psCaPortRefuse(unsigned short port);
/** It can be again.  Blocks: never.  @return true if somebody has tried meanwhile */
bool psCaPortAllow(void);

#endif
