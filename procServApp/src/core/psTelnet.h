/* SPDX-License-Identifier: EPICS */
/** @file psTelnet.h
 *  @brief Telnet server side: bytes in, data, answers and window sizes out.  Level 1, pure.
 *
 *  RFC 854, 855, 857 (ECHO), 1073 (NAWS), 1143 (option negotiation), 1184 (LINEMODE refused
 *  but offered, as procServ does).  No byte between IAC SB and IAC SE is ever data.
 *  Nothing is buffered but the four bytes of a NAWS suboption.
 */
#ifndef INC_psTelnet_H
#define INC_psTelnet_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where the parser's results go.  Called in the order of the stream, from psTelnetReceive. */
typedef struct psTelnetSink {
    void (*data)(void *ctx, const uint8_t *bytes, size_t len);   /**< what the user typed */
    void (*reply)(void *ctx, const uint8_t *bytes, size_t len);  /**< to send to the client */
    void (*size)(void *ctx, unsigned cols, unsigned rows);       /**< a NAWS report, not 0x0 */
    void *ctx;
} psTelnetSink;

/** One connection's parser.  Members are private to psTelnet.c. */
typedef struct psTelnet {
    uint8_t state;
    uint8_t verb;        /* WILL, WONT, DO, DONT being parsed */
    uint8_t subOption;   /* option of the suboption being skipped */
    uint8_t subLen;      /* NAWS bytes so far; saturates above 4 */
    uint8_t sub[4];
    uint8_t usEcho, usOther;   /* RFC 1143 states of what we do */
    uint8_t himLinemode, himNaws; /* and of what the peer does */
    bool askedNaws;
} psTelnet;

/** Bytes sent after the banner: IAC WILL ECHO, IAC DO LINEMODE. */
#define PS_TELNET_GREETING "\xff\xfb\x01\xff\xfd\x22"
#define PS_TELNET_GREETING_BYTES 6

/** Start a connection; assumes the greeting is sent. */
void psTelnetInit(psTelnet *telnet);
void psTelnetReceive(psTelnet *telnet, const void *bytes, size_t len, const psTelnetSink *sink);

#endif
