/* SPDX-License-Identifier: EPICS */
/** @file psRelayGate.h
 *  @brief What is let through, and how much of it: the limit of each address, and the counters.
 *
 *  Pure: time is given.  The counters may be read by any thread; all else belongs to the owner's.
 */
#ifndef INC_psRelayGate_H
#define INC_psRelayGate_H

#include <stdatomic.h>

#include "psRelayLimit.h"

#define PS_RELAY_IGNORED 64 /**< more addresses than that are not ignored */

/** All zero at first. */
typedef struct psRelayGate {
    uint32_t ignored[PS_RELAY_IGNORED]; /**< nothing is passed on for these; fixed while in use */
    int ignoredCount;
    psRelayLimit limit;
    atomic_ullong searches; /**< passed on to the IOCs */
    atomic_ullong answers;  /**< passed on to clients */
    atomic_ullong dropped;  /**< searches and answers that were not, what was neither, and clients
                                 without a place */
    int error;              /**< why the last search could not be sent, as an errno; 0: it was */
} psRelayGate;

/** Are the searches of one datagram to be passed on?  They are counted as dropped if not.
 *  @param searches what psCaCheckSearches() says of it; if negative, it counts as one
 *  @return false also for no search at all, which is not counted */
bool psRelayGatePass(psRelayGate *self, uint32_t address, int searches, double now);
/** Count searches that were passed on, or could not be.
 *  @param status what psRelaySocketToAll() says of them */
void psRelayGateSent(psRelayGate *self, int searches, int status);
/** Count a client of the name server for which there was no place. */
void psRelayGateCrowded(psRelayGate *self);
/** Count answers; a negative number counts as one. */
void psRelayGateAnswered(psRelayGate *self, int answers, bool sent);

#endif
