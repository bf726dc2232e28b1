/* SPDX-License-Identifier: EPICS */
/** @file psCaRelay.h
 *  @brief The search relay: every Channel Access server of a host is found by unicast searches.
 *
 *  Linux gives a unicast datagram to one of the sockets that several IOCs have bound to the same
 *  port, so a client with the address of the host in EPICS_CA_ADDR_LIST finds one IOC by luck.
 *  The relay receives such searches, since its sockets are bound to each address of the host,
 *  and passes them on to all IOCs by a broadcast on the loopback interface.
 *
 *  One relay per process, hence one state.  Of several on a host one works, and the others stand
 *  by.  Any IOC may link this library; it needs libCom and psCore only.
 */
#ifndef INC_psCaRelay_H
#define INC_psCaRelay_H

#include <stdbool.h>
#include <stdio.h>

#include "psCaRelayEnv.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PS_CA_RELAY_TEXT_BYTES 256 /**< one line for a person, with its NUL */

/** What the relay does.  The numbers are those of the record CaRelay: append only. */
typedef enum psCaRelayState {
    psCaRelayOff,
    psCaRelayUdp,  /**< passes on searches that come by UDP */
    psCaRelayFull, /**< and is a name server on the TCP port */
    psCaRelayError /**< it was asked for, and does not work, or not at all addresses */
} psCaRelayState;

typedef struct psCaRelayStatus {
    psCaRelayState state;
    char text[PS_CA_RELAY_TEXT_BYTES]; /**< what it does, or why it does not */
    unsigned long long searches;       /**< passed on to the IOCs */
    unsigned long long answers;        /**< passed on to clients */
    unsigned long long dropped;        /**< searches over the limit of their address, and what could
                                            not be passed on, or was no search or answer, and
                                            connections that were closed as there were too many */
} psCaRelayStatus;

typedef struct psCaRelayOptions {
    bool full; /**< also be a name server, at the TCP port of the searches */
    /** Called when something goes wrong, and when it works again, with one line; may be NULL.
     *  Thread: the relay's.  It must not block. */
    void (*report)(void *ctx, const char *line);
    void *ctx;
} psCaRelayOptions;

/** Start the thread.  Where the environment leaves nothing to do (psCaRelayIsUseful()) the relay
 *  stays off, and psCaRelayStatus() says why.  What goes wrong later is in the status, too.
 *  Thread: any, one at a time; before iocInit() is best, so that no IOC hides another one.
 *  Blocks: see psCaRelayIsUseful().
 *  @return 0; -EALREADY: it runs; or -errno, which the status shows as an error */
int psCaRelayStart(const psCaRelayOptions *options);
/** The relay is not wanted: the status shows @p why.  Not while it runs. */
void psCaRelaySetOff(const char *why);
/** End it.  Idempotent.  Thread: as psCaRelayStart(), but not the relay's.
 *  Blocks: until its thread has ended: 0.1 s at most. */
void psCaRelayStop(void);

/** Thread: any.  Blocks: never. */
void psCaRelayStatusGet(psCaRelayStatus *out);
/** "Off", "Udp", "Full" or "Error". */
const char *psCaRelayStateName(psCaRelayState state);
/** Print the status.  @param level 1: with the counters */
void psCaRelayReport(FILE *out, int level);

#ifdef __cplusplus
}
#endif

#endif
