/* SPDX-License-Identifier: EPICS */
/** @file psNameLock.h
 *  @brief A lock by name among the processes of a host.  Public, as main and the relay use it, too.
 *
 *  The lock is a listening unix socket with an abstract name: the kernel gives the name to one
 *  process, and takes it back however that one ends.  Each network name space has names of its
 *  own.  Any process of any user can take any name: that it is taken proves nothing.
 *  Thread: any.  Blocks: never.
 */
#ifndef INC_psNameLock_H
#define INC_psNameLock_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A process that has a lock. */
typedef struct psNameLockOwner {
    pid_t pid; /**< 0: in another name space of processes */
    uid_t uid;
} psNameLockOwner;

/** Take the lock.  @param name what is longer than a name can be, 106 bytes, is cut
 *  @param backlog how many may stay connected, since nobody takes them in
 *  @return a descriptor whose closing unlocks; -EADDRINUSE: another has it; or another -errno */
int psNameLockTake(const char *name, int backlog);

/** Connect to the process that has the lock.
 *  @param out who that is; may be NULL
 *  @return a descriptor, which is hung up when that process unlocks; -ECONNREFUSED: nobody has the
 *  lock, or one who is just taking it; -EAGAIN: too many are connected; or another -errno */
int psNameLockConnect(const char *name, psNameLockOwner *out);

#ifdef __cplusplus
}
#endif

#endif
