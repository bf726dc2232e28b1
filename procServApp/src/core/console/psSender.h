/* SPDX-License-Identifier: EPICS */
/** @file psSender.h
 *  @brief The stream that a console connection gets: bytes for it alone, then the ring's.
 *
 *  A small private buffer (banner, negotiation, notices), a cursor into the ring, and one bit "the
 *  second IAC is owed".  The stream is: private bytes first, then ring bytes with 0xFF doubled,
 *  straight from the ring by sendmsg().
 *  Thread: one at a time.  Nothing blocks: the descriptor is non-blocking.
 */
#ifndef INC_psSender_H
#define INC_psSender_H

#include "base/psText.h"
#include "console/psRing.h"

/** Private bytes not yet sent, at most. */
#define PS_SENDER_PRIVATE_BYTES 65536

typedef struct psSender {
    const psRing *ring;
    psRingReader reader;
    bool isSocket; /* telnet over a socket: 0xFF is doubled */
    /* psSender.c's to write */
    psText out;     /* private bytes */
    size_t outDone; /* of them already sent */
    bool iacOwed;
    bool blocked; /* the kernel took less than was offered */
    bool ending;  /* nothing is sent from endOffset of the ring on */
    uint64_t endOffset;
    bool midLine; /* what was sent or queued last did not end a line */
} psSender;

/** The cursor starts at the ring's head.
 *  @param ring must live as long as the sender */
void psSenderInit(psSender *sender, const psRing *ring, bool isSocket);
/** May be called twice. */
void psSenderClear(psSender *sender);
/** Queue bytes that a person does not see, before what follows in the ring.
 *  @return 0; -ENOBUFS: more than PS_SENDER_PRIVATE_BYTES wait; -ENOMEM */
int psSenderQueue(psSender *sender, const void *bytes, size_t len);
/** The same for text. */
int psSenderPrint(psSender *sender, const void *bytes, size_t len);
/** Send as much as @p fd takes: at most one sendmsg().
 *  @param now monotonic s
 *  @param outSent    bytes of any kind
 *  @param outFromRing of them the ring's
 *  @return 0, also if nothing was taken; -errno: the connection is of no use any more */
int psSenderRun(psSender *sender, int fd, double now, size_t *outSent, size_t *outFromRing);
/** What the ring holds now is the last that is sent.  Later calls do nothing. */
void psSenderEnd(psSender *sender);
/** Bytes of the ring that did not reach it, as psRingReaderLost(). */
uint64_t psSenderLost(const psSender *sender);
/** Is everything sent?  Once ending: all there was when that was asked. */
bool psSenderDrained(const psSender *sender);
/** Forget everything that was to be sent, up to the ring's head. */
void psSenderSkip(psSender *sender);

#endif
