/* SPDX-License-Identifier: EPICS */
/** @file psRelayLimit.h
 *  @brief How many searches per second the relay passes on, for one address and for all.
 *
 *  Each address has a credit of PS_RELAY_SEARCHES_PER_SEC, refilled at that rate, and all addresses
 *  together have one of PS_RELAY_SEARCHES_ALL, since the sender of a datagram can give any address.
 *  Of more addresses than it remembers the one that has been quiet for the longest time is
 *  forgotten; the new one goes on with the credit of that one.  Pure: time is given.
 *  Thread: its owner's.  Blocks: never.
 */
#ifndef INC_psRelayLimit_H
#define INC_psRelayLimit_H

#include <stdbool.h>
#include <stdint.h>

#define PS_RELAY_SEARCHES_PER_SEC 10000
#define PS_RELAY_SEARCHES_ALL 20000 /**< per second */
#define PS_RELAY_LIMIT_ADDRESSES 64

/** All zero at first. */
typedef struct psRelayLimit {
    struct {
        uint32_t address; /* as in struct in_addr; 0: free */
        double time;      /* s, when credit was right */
        double credit;    /* searches */
    } entries[PS_RELAY_LIMIT_ADDRESSES];
    double time;   /* s, when the credit of all was right; 0: it is full */
    double credit; /* searches, of all addresses */
} psRelayLimit;

/** May @p searches of @p address be passed on?  If not, nothing is taken from a credit.
 *  @param now monotonic seconds, more than 0 and never less than before */
bool psRelayLimitTake(psRelayLimit *self, uint32_t address, int searches, double now);

#endif
