/* SPDX-License-Identifier: EPICS */
/** @file psRelayLock.h
 *  @brief One relay at a time passes on the UDP searches of a host: the others stand by.
 *
 *  The one that does has a psNameLock, of which each network name space has its own, as of UDP
 *  ports.  The others are connected to it, and so learn of its end at once, however it ends.  Any
 *  process can take the name: that it does is no proof that it relays.
 *  Thread: the relay's.  Blocks: never, but for psRelayLockIsStopped() on /proc.
 */
#ifndef INC_psRelayLock_H
#define INC_psRelayLock_H

#include <stdbool.h>
#include <stddef.h>

#include "psNameLock.h"
#include "psRelayWatch.h"

typedef struct psRelayLock {
    psRelayWatch own;   /* listens while the lock is ours */
    psRelayWatch other; /* connected to whoever has it */
    bool lost;          /* the other one has ended */
    bool known;         /* the next one is; it was found out when we connected */
    psNameLockOwner holder;
} psRelayLock;

void psRelayLockInit(psRelayLock *self);
/** Try to take it.
 *  @param port of the searches
 *  @return 0: it is ours; -EBUSY: another relay has it, whose end will wake up @p epoll; or
 *          another -errno: try again later.  -ECONNREFUSED, -EAGAIN: a process has it that takes
 *          no connection, as one that is just starting or ending */
int psRelayLockTake(psRelayLock *self, int epoll, unsigned port);
/** Does it belong to root or to our own user?  Only after -EBUSY. */
bool psRelayLockIsTrusted(const psRelayLock *self);
/** Who has it, for people. */
void psRelayLockName(const psRelayLock *self, char *out, size_t size);
/** Is the process that has it stopped, by SIGSTOP or a debugger?  @return false also if unknown */
bool psRelayLockIsStopped(const psRelayLock *self);
/** Has the other relay ended since psRelayLockTake() was called last? */
bool psRelayLockIsLost(const psRelayLock *self);
/** Idempotent. */
void psRelayLockClose(psRelayLock *self);

#endif
