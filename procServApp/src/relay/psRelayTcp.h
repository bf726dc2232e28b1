/* SPDX-License-Identifier: EPICS */
/** @file psRelayTcp.h
 *  @brief A name server for all IOCs of this host: searches that come by TCP.
 *
 *  It is for clients that have this host in EPICS_CA_NAME_SERVERS.  Their searches are passed on
 *  as those that come by UDP are, and an answer names the address by which the client has reached
 *  us.  A client that does not read its answers loses them, and delays nobody.
 *
 *  A connection for which there is no place, of all or of its address, gets that of the client
 *  that has not searched for the longest time.  That one is closed, and connects again when it
 *  needs to, as Base's clients do.
 *  Thread: the relay's.  Blocks: never.
 */
#ifndef INC_psRelayTcp_H
#define INC_psRelayTcp_H

#include <stdbool.h>
#include <stdint.h>

#include "psRelayGate.h"
#include "psRelayPending.h"
#include "psRelaySocket.h"
#include "psRelayWatch.h"

#define PS_RELAY_TCP_CLIENTS 128                           /**< connections */
#define PS_RELAY_TCP_OF_ADDRESS (PS_RELAY_TCP_CLIENTS / 2) /**< connections of one address */
#define PS_RELAY_TCP_GREET_SEC 10 /**< until a client has to send its version */
#define PS_RELAY_TCP_BATCH 1400   /**< bytes of a datagram of searches: it fits everywhere */

typedef struct psRelayTcpClient psRelayTcpClient;

typedef struct psRelayTcp {
    /* fixed from psRelayTcpOpen() on */
    int epoll;
    in_port_t port;
    psRelayGate *gate;
    uint8_t *buffer; /* one datagram of answers; owned here */

    psRelayWatch listener;
    psRelayWatch forward;
    double resumeAt; /* to accept connections: there was no descriptor; INFINITY: now */
    uint32_t serial; /* of the last client */
    psRelayTcpClient *clients[PS_RELAY_TCP_CLIENTS];
    psRelayTcpClient *dead;    /* to be freed after the round */
    bool crowded;              /**< a connection had to be closed, the first of ... */
    struct in_addr firstCrowd; /**< ... this address */
    psRelayPending pending;
    /* searches that are about to be passed on */
    uint8_t batch[PS_RELAY_TCP_BATCH];
    size_t batchLen;
    int batchSearches;
} psRelayTcp;

/** Listen.  @param port in network byte order
 *  @return 0; -EADDRINUSE: somebody else does, or another -errno: try again later.  To be closed
 *          in any case */
int psRelayTcpOpen(psRelayTcp *self, int epoll, in_port_t port, psRelayGate *gate);
bool psRelayTcpIsOpen(const psRelayTcp *self);
/** After each round of epoll's: free the clients that are closed, and close those that have not
 *  sent their version in PS_RELAY_TCP_GREET_SEC.
 *  @return when to be called at the latest, in monotonic seconds; INFINITY: after the next round */
double psRelayTcpTidy(psRelayTcp *self, double now);
/** Idempotent; also for one that is all zero. */
void psRelayTcpClose(psRelayTcp *self);

#endif
