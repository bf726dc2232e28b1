/* SPDX-License-Identifier: EPICS */
/** @file psRelayLimit.h
 *  @brief How many searches per second the relay passes on for one address.
 *
 *  Each address has a credit of PS_RELAY_SEARCHES_PER_SEC, refilled at that rate.  Pure: time is
 *  given.  Of more addresses than it remembers the one that has been quiet for the longest time is
 *  forgotten, and would begin anew.
 *  Thread: its owner's.  Blocks: never.
 */
#ifndef INC_psRelayLimit_H
#define INC_psRelayLimit_H

#include <stdbool.h>
#include <stdint.h>

#define PS_RELAY_SEARCHES_PER_SEC 10000
#define PS_RELAY_LIMIT_ADDRESSES 64

/** All zero at first. */
typedef struct psRelayLimit {
    struct {
        uint32_t address; /* as in struct in_addr; 0: free */
        double time;      /* s, when credit was right */
        double credit;    /* searches */
    } entries[PS_RELAY_LIMIT_ADDRESSES];
} psRelayLimit;

/** May @p searches of @p address be passed on?  If not, nothing is taken from its credit.
 *  @param now monotonic seconds, never less than before */
bool psRelayLimitTake(psRelayLimit *self, uint32_t address, int searches, double now);

#endif
