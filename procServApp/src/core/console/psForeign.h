/* SPDX-License-Identifier: EPICS */
/** @file psForeign.h
 *  @brief Does a new connection speak another protocol than telnet or plain text?  Pure.
 *
 *  A browser, a security scanner or a health check that connects to a console would press keys:
 *  random bytes contain ^X, ^T and ^Q.  So the first 1024 bytes are looked at, packet by packet,
 *  before any of them counts.  A packet is foreign if, outside telnet commands,
 *  - it has a NUL that neither follows a CR nor is all of it,
 *  - it has a byte that is not part of a UTF-8 character, or an IAC that begins no telnet command,
 *    and besides it a control character that does not occur in text (so Latin-1 is text),
 *  - it begins as a TLS record does: 16 03,
 *  - the connection begins with "SSH-" or "PROXY TCP", or its first line has " HTTP/", " RTSP/" or
 *    " SIP/".
 *  Everything else is taken for what somebody types, keys as the first byte included.
 */
#ifndef INC_psForeign_H
#define INC_psForeign_H

#include "console/psTelnet.h"

/** One connection's state; all zero at first.  Members are private to psForeign.c. */
typedef struct psForeign {
    size_t seen;   /* bytes of data */
    bool lineOver; /* the first line was seen */
    char last[10]; /* of the first line, newest last */
} psForeign;

/** Look at what came, before psTelnetReceive() is given it.
 *  @param telnet the connection's parser; not changed
 *  @return NULL, or what it is, for people: "HTTP", "TLS", "SSH"..., "binary data" */
const char *psForeignLook(psForeign *foreign, const psTelnet *telnet, const void *bytes,
                          size_t len);

#endif
