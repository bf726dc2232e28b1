/* SPDX-License-Identifier: EPICS */
/** @file psClient.h
 *  @brief One console connection.
 *
 *  A small private buffer (banner, negotiation, notices), a cursor into the ring, and one bit
 *  "the second IAC is owed".  The stream is: private bytes first, then ring bytes with 0xFF
 *  doubled, straight from the ring by sendmsg().  EPOLLOUT is watched only while something could
 *  not be sent.  Memory that runs out ends the connection it was needed for, and no other.
 *  Thread: loop only.  Nothing blocks.
 */
#ifndef INC_psClient_H
#define INC_psClient_H

#include <ellLib.h>

#include "loop/psLoop.h"
#include "console/psRing.h"
#include "console/psTelnet.h"
#include "base/psText.h"

/** Private bytes not yet sent, at most; a client beyond it is closed ("stalled"). */
#define PS_CLIENT_PRIVATE_BYTES 65536

typedef struct psClient psClient;

typedef struct psClientOps {
    /** What was typed, telnet removed.  May close the client. */
    void (*input)(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
    /** It has a window of this size. */
    void (*size)(void *ctx, psClient *client, unsigned cols, unsigned rows);
    /** The connection is over, by the peer, an error, or psClientClose(); the owner unlinks it
     *  and frees it at the end of the round (psClientFree).  Called once; never from within
     *  psClientSend() or psClientPump(), so that these may be called while walking a list. */
    void (*closed)(void *ctx, psClient *client);
    /** It accepted ring bytes: the pty may perhaps be read again. */
    void (*progress)(void *ctx, psClient *client);
} psClientOps;

typedef enum psClientKind {
    psClientSocket,  /**< telnet over a stream socket */
    psClientTerminal /**< the launching terminal: no telnet, 0xFF as it is */
} psClientKind;

struct psClient {
    ELLNODE node; /* the owner's list */
    /* fixed */
    psLoop *loop;
    const psClientOps *ops;
    void *ctx;
    psClientKind kind;
    bool readOnly; /* a log client: input is dropped unparsed */
    char peer[80]; /* "127.0.0.1:40112", "unix uid 1000 pid 4711" */
    const psRing *ring;
    /* psClient.c's to write */
    int fd; /* owned here; -1: closed */
    psWatch watch;
    psTelnet telnet;
    psRingReader reader;
    psText out;     /* private bytes */
    size_t outDone; /* of them already sent */
    bool iacOwed;
    bool blocked;         /* the kernel took less than was offered: wait for EPOLLOUT */
    bool closing;         /* close once all up to closeOffset is sent */
    uint64_t closeOffset; /* the ring's head when that was asked */
    bool midLine;         /* what was sent or queued last did not end a line */
    bool ended;           /* ops->closed was called */
    psJob later;          /* end of the round: send what was queued, report what ended */
    double progressMono;  /* last time it accepted anything */
    unsigned cols, rows;  /* last reported; 0: never */
    double typedMono;     /* last time it typed; 0: never */
};

/** Takes @p fd (non-blocking), also on failure.  The cursor starts at the ring's head.
 *  @return NULL without memory, or if @p fd cannot be watched */
psClient *psClientCreate(psLoop *loop, int fd, psClientKind kind, bool readOnly, const char *peer,
                         const psRing *ring, const psClientOps *ops, void *ctx);
/** Bytes for this client only, before what follows in the ring.  Sent at the end of the round,
 *  or by psClientPump().  Ignored once it is closed or closing. */
void psClientSend(psClient *client, const void *bytes, size_t len);
/** Send as much of the private bytes and of the ring as the client takes: at most one sendmsg().
 * Call it once per round in which the ring has news.
 *  @param now monotonic s */
void psClientPump(psClient *client, double now);
/** Its window has this size: what telnet tells of a socket, others of a terminal. */
void psClientSetSize(psClient *client, unsigned cols, unsigned rows);
/** Is everything sent? (once closing: all there was when that was asked) */
bool psClientDrained(const psClient *client);
/** End the connection: at once (ops->closed is called before it returns), or when the private
 *  bytes and what the ring holds now are sent (at most by the owner's patience); nothing it
 *  types is delivered any more. */
void psClientClose(psClient *client, bool afterSending);
/** After `closed` was called.  Not during its own dispatch: defer. */
void psClientFree(psClient *client);

#endif
