/* SPDX-License-Identifier: EPICS */
/** @file psListener.h
 *  @brief One listening endpoint.  Level 3.
 *
 *  Unix sockets: made under a umask so that there is no moment with other permissions; a path
 *  is unlinked first only if it is a socket that refuses a connection; at close only if it is
 *  still ours.  At the descriptor limit a spare one is used to accept, tell and close.
 */
#ifndef INC_psListener_H
#define INC_psListener_H

#include <ellLib.h>

#include "psEndpoint.h"
#include "psLoop.h"

typedef struct psListener psListener;
/** @p fd is the receiver's: connected, non-blocking, close-on-exec, keepalive on. */
typedef void (*psAcceptFn)(void *ctx, psListener *listener, int fd, const char *peer);

struct psListener {
    ELLNODE node;
    psEndpoint endpoint; /**< tcp port 0 replaced by the real one */
    bool readOnly;
    /* private */
    psLoop *loop;
    int fd;
    int spareFd;
    psWatch watch;
    psTimer retry;       /* accept again after a shortage */
    dev_t dev; ino_t ino; /* of the socket file made */
    psAcceptFn fn;
    void *ctx;
    const char *fullLine; /* told to those refused at the descriptor limit */
};

/** Bind and listen; nothing is accepted before psListenerStart().  Thread: any, before the loop
 *  or in it.  @return 0 or -errno of socket, bind, listen (-EADDRINUSE...) */
int psListenerOpen(psListener *listener, const psEndpoint *endpoint, bool readOnly);
/** Begin to accept, in @p loop.  @return 0 or -errno */
int psListenerStart(psListener *listener, psLoop *loop, psAcceptFn fn, void *ctx);
/** Stop, close, unlink.  Idempotent. */
void psListenerClose(psListener *listener);
/** Would psListenerOpen() work?  Leaves nothing behind.  @return 0 or -errno */
int psListenerCheck(const psEndpoint *endpoint);

#endif
