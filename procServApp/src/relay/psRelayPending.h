/* SPDX-License-Identifier: EPICS */
/** @file psRelayPending.h
 *  @brief Which search of a name server's client an answer belongs to.
 *
 *  All searches that came by TCP are passed on from one socket, under numbers of our own.  The
 *  last PS_RELAY_PENDING are remembered; an answer to an older one is lost, and its client searches
 *  again.  A search may have several answers.
 *  Pure.  Thread: its owner's.  Blocks: never.
 */
#ifndef INC_psRelayPending_H
#define INC_psRelayPending_H

#include <stdbool.h>
#include <stdint.h>

#define PS_RELAY_PENDING 4096

typedef struct psRelaySearch {
    uint32_t client; /**< who asked: a number that is never given twice; 0: nobody */
    uint32_t id;     /**< as the client numbers it */
} psRelaySearch;

/** All zero at first. */
typedef struct psRelayPending {
    psRelaySearch searches[PS_RELAY_PENDING];
    uint32_t next; /* its remainder by PS_RELAY_PENDING is the place of the next search */
} psRelayPending;

/** @return the number under which the search is to be passed on */
uint32_t psRelayPendingAdd(psRelayPending *self, const psRelaySearch *search);
/** @return false: no search of that number is remembered */
bool psRelayPendingFind(const psRelayPending *self, uint32_t number, psRelaySearch *out);

#endif
