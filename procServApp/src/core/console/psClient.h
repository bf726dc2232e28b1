/* SPDX-License-Identifier: EPICS */
/** @file psClient.h
 *  @brief One console connection: who is at the other end, what it types, and what it gets.
 *
 *  EPOLLOUT is watched only while something could not be sent, and EPOLLIN only while what is typed
 *  can be taken.  Memory that runs out ends the connection it was needed for, and no other.
 *  A peer that closes its sending side after it has typed what is answered gets the output for
 *  another PS_CLIENT_LINGER_SEC.  What it typed is taken in any case, also when nothing can be
 *  sent to it any more.
 *  Thread: loop only.  Nothing blocks.
 */
#ifndef INC_psClient_H
#define INC_psClient_H

#include <ellLib.h>
#include <epicsTime.h>

#include "loop/psLoop.h"
#include "console/psForeign.h"
#include "console/psSender.h"
#include "console/psTelnet.h"

/** How long a peer that types no more gets the output. */
#define PS_CLIENT_LINGER_SEC 5.0

typedef struct psClient psClient;

typedef struct psClientOps {
    /** How many bytes of input() can be taken now?  0: nothing is read until psClientResume(). */
    size_t (*room)(void *ctx, psClient *client);
    /** What was typed, telnet removed: never more than there was room for.  May close the client.
     */
    void (*input)(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
    /** It has a window of this size. */
    void (*size)(void *ctx, psClient *client, unsigned cols, unsigned rows);
    /** The peer speaks @p protocol, for people; nothing of it was input.  It is closed after that.
     */
    void (*foreign)(void *ctx, psClient *client, const char *protocol);
    /** The peer has closed its sending side.  Not called if the connection is over at once. */
    void (*left)(void *ctx, psClient *client);
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
    /* the owner's */
    epicsTimeStamp since; /* when it came */
    size_t typedLost;     /* bytes typed in vain and not reported yet */
    size_t spareUsed;     /* bytes typed since the child's queue was full ... */
    unsigned fullTimes;   /* ... for that time, of which each has its number */
    bool answered;        /* it has typed something that the child may answer */
    uint8_t armedKey;     /* pressed once, of a key that counts when pressed twice; 0: none */
    double armedMono;     /* when */
    unsigned cols, rows;  /* last reported; 0: never */
    /* psClient.c's to write */
    int fd; /* owned here; -1: closed */
    psWatch watch;
    psTelnet telnet;
    psForeign foreign;
    psSender sender;
    bool held;      /* there was no room for what it types */
    bool deaf;      /* nothing can be sent to it any more */
    bool closing;   /* close once all is sent */
    bool inputOver; /* the peer has closed its sending side */
    bool ended;     /* ops->closed was called */
    psTimer lingerTimer;
    psJob later;         /* end of the round: send what was queued, report what ended */
    double progressMono; /* last time it accepted anything */
    double typedMono;    /* last time it typed; 0: never */
};

/** Takes @p fd (non-blocking), also on failure.  The cursor starts at the ring's head.
 *  @return NULL without memory, or if @p fd cannot be watched */
psClient *psClientCreate(psLoop *loop, int fd, psClientKind kind, bool readOnly, const char *peer,
                         const psRing *ring, const psClientOps *ops, void *ctx);
/** Bytes for this client only, before what follows in the ring.  Sent at the end of the round,
 *  or by psClientPump().  Ignored once it is closed or closing. */
void psClientSend(psClient *client, const void *bytes, size_t len);
/** Begin with telnet; ignored for the terminal. */
void psClientGreet(psClient *client);
/** There may be room for what it types. */
void psClientResume(psClient *client);
/** Send as much of the private bytes and of the ring as the client takes: at most one
 *  sendmsg().  Call it once per round in which the ring has news.
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
