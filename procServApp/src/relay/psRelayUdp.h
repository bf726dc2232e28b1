/* SPDX-License-Identifier: EPICS */
/** @file psRelayUdp.h
 *  @brief Unicast searches on their way to all IOCs of this host, and the answers on theirs back.
 *
 *  A socket at each address of this host receives what clients send to that address.  Each client
 *  gets a socket of its own by which its searches are passed on, so that an answer that arrives
 *  there is that client's.  Nothing is remembered of what was searched or answered.
 *  Thread: the relay's.  Blocks: never, but for psRelayUdpFollow() and psRelayUdpIsServed() on
 * /proc.
 */
#ifndef INC_psRelayUdp_H
#define INC_psRelayUdp_H

#include <stddef.h>

#include <ellLib.h>

#include "psRelayClients.h"
#include "psRelayGate.h"
#include "psRelaySocket.h"
#include "psRelayWatch.h"

#define PS_RELAY_ADDRESSES 256 /**< more addresses than that are left to the IOCs */

typedef struct psRelayUdp psRelayUdp;

/** The way of one client's searches. */
typedef struct psRelayForward {
    psRelayWatch watch;
    psRelayUdp *owner;
    in_port_t port; /* of our end; 0: none */
} psRelayForward;

struct psRelayUdp {
    /* fixed from psRelayUdpOpen() on */
    int epoll;
    in_port_t port;
    psRelayGate *gate;
    uint8_t *buffer;   /* one datagram; owned here */
    ELLLIST addresses; /* psRelayAddress */
    psRelayClients clients;
    psRelayForward forwards[PS_RELAY_CLIENTS]; /* by place */
};

/** What became of the addresses. */
typedef struct psRelayFound {
    int serving; /**< addresses at which searches are received */
    int taken;   /**< left alone: an IOC is bound to them, to which they belong */
    struct in_addr firstTaken;
    int failed; /**< could not be bound, or were too many */
    struct in_addr firstFailed;
    int error; /**< why, as an errno */
} psRelayFound;

/** @param port of the searches, in network byte order
 *  @return 0 or -ENOMEM */
int psRelayUdpOpen(psRelayUdp *self, int epoll, in_port_t port, psRelayGate *gate);
/** Receive at the addresses that this host has now, and at no others.  Not within a round of
 *  epoll's.
 *  @return 0, or -errno: the addresses are not known, nothing has changed */
int psRelayUdpFollow(psRelayUdp *self, psRelayFound *out);
/** Does it receive at any address? */
bool psRelayUdpIsServing(const psRelayUdp *self);
/** Receive at no address any more.  Not within a round of epoll's. */
void psRelayUdpLeave(psRelayUdp *self);
/** Does another process receive at all addresses of this host, as a relay does?
 *  @param outAddress if not, the first one at which nobody does
 *  @return true also if the addresses are not known */
bool psRelayUdpIsServed(const psRelayUdp *self, struct in_addr *outAddress);
/** Idempotent; psRelayUdpOpen() may follow. */
void psRelayUdpClose(psRelayUdp *self);

#endif
