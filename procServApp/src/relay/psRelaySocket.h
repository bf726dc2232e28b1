/* SPDX-License-Identifier: EPICS */
/** @file psRelaySocket.h
 *  @brief The sockets of the search relay, and what has to be known of the host before.
 *
 *  Addresses and ports are in network byte order, as in struct sockaddr_in.  Every descriptor is
 *  non-blocking, and owned by the caller.  Thread: any.
 */
#ifndef INC_psRelaySocket_H
#define INC_psRelaySocket_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A socket that receives the searches sent to one address of this host.  Linux prefers it to
 *  those that IOCs have bound to any address.  Blocks: never.
 *  @return a descriptor or -errno */
int psRelaySocketSearches(struct in_addr address, in_port_t port);
/** A socket that listens at every address.  Blocks: never.  @return a descriptor or -errno */
int psRelaySocketListen(in_port_t port);
/** A socket by which searches are passed on and answers come back: only processes of this host
 *  reach it.  Blocks: never.  @return a descriptor or -errno */
int psRelaySocketForward(void);

/** Send to all IOCs of this host that are bound to any address.  Blocks: never.
 *  @return 0, or -errno: it was not sent */
int psRelaySocketToAll(int fd, in_port_t port, const uint8_t *bytes, size_t len);

/** Does what is sent to all arrive?  It does not where the loopback interface is down, or has
 *  another network than 127/8.  Blocks: for at most 0.1 s.  @return 0 or -errno */
int psRelaySocketTest(void);

/** Has anybody bound a UDP socket to exactly this address and port?  Thread: any.
 *  Blocks: on /proc.  @return false also if the kernel does not say */
bool psRelaySocketIsTaken(struct in_addr address, in_port_t port);

#endif
