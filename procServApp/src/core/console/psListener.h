/* SPDX-License-Identifier: EPICS */
/** @file psListener.h
 *  @brief One listening endpoint.
 *
 *  Unix sockets: made without any permission, given owner and mode, and only then listening,
 *  so that nobody connects under other permissions than those asked for; a path is unlinked
 *  first only if it is a socket that refuses a connection; at close only if it is still ours.
 *  At the limit of descriptors a spare one is used to accept, say so and close.
 *  Nothing blocks.
 */
#ifndef INC_psListener_H
#define INC_psListener_H

#include <sys/types.h>

#include "console/psEndpoint.h"
#include "loop/psLoop.h"

typedef struct psListener psListener;
/** @p fd is the receiver's: connected, non-blocking, close-on-exec, keepalive on.  It may close
 *  the listener.
 *  @param peer "127.0.0.1:40112", "[::1]:40112", "[fe80::1%eth0]:40112", "unix uid 1000 pid 4711"
 */
typedef void (*psAcceptFn)(void *ctx, psListener *listener, int fd, const char *peer);

struct psListener {
    psEndpoint endpoint; /**< port 0 replaced by the real one */
    bool readOnly;
    /* private */
    psLoop *loop;
    bool isOpen; /* fd and spareFd are ours: an object of zeros may be closed */
    int fd;
    int spareFd;
    psWatch watch;
    psTimer retry; /* accept again after a shortage */
    dev_t dev;     /* of the socket file made; */
    ino_t ino;     /* 0: none */
    psAcceptFn fn;
    void *ctx;
    /** Line for connections that are refused at the limit of descriptors; not copied.  Set by the
     * owner after psListenerOpen(); NULL: none. */
    const char *fullLine;
};

/** Bind and listen; nothing is accepted before psListenerStart().  Every member is set anew.
 *  Thread: any, before the loop or in it.
 *  @return 0 or -errno of socket, bind, chown, chmod, listen; -EADDRINUSE: a live socket is
 *  there, -EEXIST: a file that is no socket */
int psListenerOpen(psListener *listener, const psEndpoint *endpoint, bool readOnly);
/** Begin to accept, in @p loop.  Thread: loop.  @return 0 or -errno */
int psListenerStart(psListener *listener, psLoop *loop, psAcceptFn fn, void *ctx);
/** Send @p line to an accepted connection that is refused, and close it.  Thread: any. */
void psListenerRefuse(int fd, const char *line);
/** Stop, close, unlink.  May be called twice.  Thread: loop, once it was started. */
void psListenerClose(psListener *listener);
/** What an errno of psListenerOpen() or psListenerCheck() means; strerror() where that says it.
 *  @return static text.  Thread: any */
const char *psListenerReason(int error);
/** Would psListenerOpen() work?  Changes nothing: a dead socket file stays where it is.
 *  Thread: any.
 *  @return 0 or -errno */
int psListenerCheck(const psEndpoint *endpoint);

#endif
