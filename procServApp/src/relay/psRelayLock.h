/* SPDX-License-Identifier: EPICS */
/** @file psRelayLock.h
 *  @brief One relay at a time passes on the UDP searches of a host: the others stand by.
 *
 *  The one that does owns an abstract Unix socket, of which each network name space has its own,
 *  as of UDP ports.  The others are connected to it, and so learn of its end at once, however it
 *  ends.
 *  Thread: the relay's.  Blocks: never.
 */
#ifndef INC_psRelayLock_H
#define INC_psRelayLock_H

#include <stdbool.h>
#include <sys/types.h>

#include "psRelayWatch.h"

typedef struct psRelayLock {
    psRelayWatch own;   /* listens while the lock is ours */
    psRelayWatch other; /* connected to whoever has it */
    bool lost;          /* the other one has ended */
    pid_t holder;       /**< process that has it; 0: it is ours, or unknown */
} psRelayLock;

void psRelayLockInit(psRelayLock *self);
/** Try to take it.
 *  @param port of the searches
 *  @return 0: it is ours; -EBUSY: another relay has it, whose end will wake up @p epoll; or
 *          another -errno: try again later */
int psRelayLockTake(psRelayLock *self, int epoll, unsigned port);
/** Has the other relay ended since psRelayLockTake() was called last? */
bool psRelayLockIsLost(const psRelayLock *self);
/** Idempotent. */
void psRelayLockClose(psRelayLock *self);

#endif
