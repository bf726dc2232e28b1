/* SPDX-License-Identifier: EPICS */
/** @file psForeign.h
 *  @brief Does a new connection speak another protocol than telnet or plain text?  Pure.
 *
 *  A browser, a security scanner or a health check that connects to a console would press keys:
 *  random bytes contain ^X, ^T and ^Q.  So what comes first is looked at before any of it counts.
 *  It is foreign if, outside telnet commands, it contains
 *  - a NUL that neither follows a CR nor comes alone,
 *  - a byte that is not part of a UTF-8 character, or an IAC that begins no telnet command, and
 *    besides it a control character that does not occur in text; so Latin-1 is text,
 *  - "SSH-" at its beginning, or " HTTP/", " RTSP/" or " SIP/" in its first line.
 *  Text is looked at until 16 bytes, or a line, have come; the first line up to 1024 bytes.
 *  Everything else is taken for what somebody types, keys as the first byte included.
 */
#ifndef INC_psForeign_H
#define INC_psForeign_H

#include "console/psTelnet.h"

/** One connection's state; all zero at first.  Members are private to psForeign.c. */
typedef struct psForeign {
    size_t seen;      /* bytes of data */
    bool binaryOver;  /* enough was seen to know that it is text */
    bool lineOver;    /* the first line was seen */
    unsigned pending; /* bytes missing in a UTF-8 character */
    bool strange;     /* a byte that is neither UTF-8 nor telnet has come */
    bool control;     /* a control character that does not occur in text has come */
    char last[8];     /* of the first line, newest last */
} psForeign;

/** Look at what came, before psTelnetReceive() is given it.
 *  @param telnet the connection's parser; not changed
 *  @return NULL, or what it is, for people: "HTTP", "TLS", "SSH"..., "binary data" */
const char *psForeignLook(psForeign *foreign, const psTelnet *telnet, const void *bytes,
                          size_t len);

#endif
