/* SPDX-License-Identifier: EPICS */
/** @file psNotify.h
 *  @brief The socket to which a child sends messages of sd_notify(3).
 *
 *  It is a datagram socket in the abstract space, with a name that the kernel chooses: no file is
 *  left behind, and no directory has to be writable.  An abstract name has no permissions and
 *  belongs to a network namespace: whoever is in ours may send, and the kernel says with each
 *  message which process did.
 *
 *  Descriptors that come with a message are closed when it has been handled, which is what
 *  sd_notify_barrier(3) waits for; nothing is kept of FDSTORE.
 *  Thread: loop, but for psNotifyOpen() and psNotifyClose().  Blocks: never.
 */
#ifndef INC_psNotify_H
#define INC_psNotify_H

#include <sys/types.h>

#include "loop/psLoop.h"

#define PS_NOTIFY_BYTES 4096 /**< longest message, as with systemd */

/** Who sent a message.  By the time it is read, that process may have ended. */
typedef struct psNotifySender {
    pid_t pid;
    uid_t uid;
} psNotifySender;

/** One message.
 *  @param sender its process and user, as the kernel says; a pid of 0: unknown
 *  @param bytes valid during the call; NULL: it is longer than PS_NOTIFY_BYTES */
typedef void (*psNotifyFn)(void *ctx, psNotifySender sender, const char *bytes, size_t len);

typedef struct psNotify {
    int fd;        /* -1: not open */
    char name[16]; /* for NOTIFY_SOCKET: "@" and what the kernel chose */
    psWatch watch;
    psNotifyFn fn;
    void *ctx;
} psNotify;
#define PS_NOTIFY_INIT                                                                             \
    {                                                                                              \
        .fd = -1                                                                                   \
    }

/** Nothing is read before psNotifyListen().  Thread: any.  @return 0 or -errno */
int psNotifyOpen(psNotify *notify, psNotifyFn fn, void *ctx);
/** May be called twice.  Thread: loop, or any without a loop. */
void psNotifyClose(psNotify *notify);
/** Read messages, or leave them in the kernel's queue, which is short.
 *  @return 0, or -errno: the socket cannot be watched */
int psNotifyListen(psNotify *notify, psLoop *loop, bool on);

#endif
