/* SPDX-License-Identifier: EPICS */
/** @file psRelayTurn.h
 *  @brief Is it this relay that is to receive the UDP searches of the host?
 *
 *  One that has the lock (psRelayLock.h) is.  Where another process has it, somebody else has to
 *  receive at the addresses of the host.  If nobody does, and the process belongs neither to root
 *  nor to our own user, we do it in spite of the lock: anybody can take the lock.
 *  Thread: the relay's, not within a round of epoll's.  Blocks: never, but on /proc.
 */
#ifndef INC_psRelayTurn_H
#define INC_psRelayTurn_H

#include <stdbool.h>

#include "psRelayLock.h"
#include "psRelayUdp.h"

#define PS_RELAY_TURN_BYTES 128

/** What was found; each text is a line for a person, or empty. */
typedef struct psRelayTurn {
    bool isOurs;
    bool again;                        /**< it may change without waking us up: look again later */
    char text[PS_RELAY_TURN_BYTES];    /**< why we stand by */
    char problem[PS_RELAY_TURN_BYTES]; /**< why nobody relays */
    char claim[PS_RELAY_TURN_BYTES];   /**< who has the lock and does not relay, while we do */
} psRelayTurn;

/** Try to take the lock, and look whether somebody relays if it is another's.
 *  @param udp leaves all addresses if the turn is no longer ours
 *  @param moment one that does not relay may be about to begin, and is no problem yet */
void psRelayTurnTake(psRelayTurn *out, psRelayLock *lock, psRelayUdp *udp, bool moment);

#endif
