/* SPDX-License-Identifier: EPICS */
/** @file psListener.h
 *  @brief One listening endpoint.
 *
 *  The file of a unix socket gets its owner and mode before the socket listens; see
 *  psSocketFile.h.  At the limit of descriptors a spare one is used to accept a connection, to say
 *  so on it, and to close it.
 *  Blocks: never, but for psListenerOpen() and psListenerCheck(); see psSocketFileBind().
 */
#ifndef INC_psListener_H
#define INC_psListener_H

#include "console/psSocketFile.h"
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
    unsigned refused; /* connections: by us for lack of descriptors, by the owner at its limit */
    int spareFd;
    psWatch watch;
    psTimer retry;     /* accept again after a shortage */
    psSocketFile file; /* of a unix socket */
    psAcceptFn fn;
    void *ctx;
    /** Line for connections that are refused at the limit of descriptors; not copied.  Set by the
     * owner after psListenerOpen(); NULL: none. */
    const char *fullLine;
};

/** Bind and listen; nothing is accepted before psListenerStart().  Every member is set anew.
 *  Thread: any but the loop.
 *  @return 0 or -errno of socket, bind, chown, chmod, listen; -EADDRINUSE: a living socket is
 *  there; -EEXIST: a file that is no socket; -EAFNOSUPPORT: no IPv6; -ENODEV: no such interface */
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
/** Would psListenerOpen() work? On success @p listener is as after that, or, where a dead socket
 *  is in the way, whose file stays, not open; psListenerClose() leaves no trace of it.  Thread:
 *  any but the loop.
 *  @return 0 or -errno */
int psListenerCheck(psListener *listener, const psEndpoint *endpoint);

#endif
