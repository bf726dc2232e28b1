/* SPDX-License-Identifier: EPICS */
/** @file psRelayClients.h
 *  @brief The clients whose searches were passed on last, each with a place of its own.
 *
 *  A client is known by the address and port that it sends from and the address of ours that it
 *  sent to.  When all places are taken the client that has been quiet for the longest time makes
 *  room: answers that are still on their way to it are lost, and it will search again.
 *  Pure.  Thread: its owner's.  Blocks: never.
 */
#ifndef INC_psRelayClients_H
#define INC_psRelayClients_H

#include <stdbool.h>
#include <stdint.h>

#define PS_RELAY_CLIENTS 64

typedef struct psRelayClient {
    uint32_t address, local; /**< as in struct in_addr; address 0: the place is free */
    uint16_t port;           /**< as in struct sockaddr_in */
} psRelayClient;

/** All zero at first. */
typedef struct psRelayClients {
    psRelayClient clients[PS_RELAY_CLIENTS];
    uint64_t used[PS_RELAY_CLIENTS]; /* the number of the last use */
    uint64_t uses;
} psRelayClients;

/** The place of @p client.
 *  @param outNew true: it was free, or another client's
 *  @return 0 to PS_RELAY_CLIENTS - 1 */
int psRelayClientsPlace(psRelayClients *self, const psRelayClient *client, bool *outNew);
/** The place becomes free. */
void psRelayClientsForget(psRelayClients *self, int place);

#endif
