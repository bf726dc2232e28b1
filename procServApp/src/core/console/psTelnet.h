/* SPDX-License-Identifier: EPICS */
/** @file psTelnet.h
 *  @brief Telnet server side: bytes in, data, answers and window sizes out.  Pure.
 *
 *  RFC 854, 855, 857 (ECHO), 858 (SGA), 1073 (NAWS), 1143 (option negotiation), 1184 (LINEMODE:
 *  offered, as procServ does, so that the client sends each key at once; no MODE is ever sent).
 *
 *  - No byte between IAC SB and IAC SE is ever data, however malformed; nothing of it is kept
 *    but the four bytes of a window size.  A window size of another length, with a 0 in it, or
 *    from a client that did not say WILL NAWS is ignored.
 *  - ECHO, SUPPRESS-GO-AHEAD (RFC 858, both ways), LINEMODE and NAWS are answered by change, so
 *    that no answer can provoke an answer.  Every other request is refused, once, until the peer
 *    withdraws it: a peer that insists can't make us chatter.  TIMING-MARK alone is refused each
 *    time: BSD telnet discards all output after ^C until its mark is answered.
 *  - IAC DO NAWS, WILL SGA, DO SGA go out with the client's first IAC command, not with the
 *    greeting, which is procServ's byte for byte.  A client that speaks no telnet never sees them.
 *    Without SGA many clients, PuTTY for one, send nothing before Enter.
 *  - CR LF and CR NUL are one CR (procServ: CR LF is two line ends, netcat gives empty
 *    lines); a LF alone stays, a NUL alone is dropped.
 *  - AYT, IP, BRK and the other commands are eaten, as by procServ.
 */
#ifndef INC_psTelnet_H
#define INC_psTelnet_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where the parser's results go.  Called in the order of the stream, from psTelnetReceive. */
typedef struct psTelnetSink {
    void (*data)(void *ctx, const uint8_t *bytes, size_t len);  /**< what the user typed */
    void (*reply)(void *ctx, const uint8_t *bytes, size_t len); /**< to send to the client */
    void (*size)(void *ctx, unsigned cols, unsigned rows);      /**< a window size, 1...65535 */
    void *ctx;
} psTelnetSink;

/** One connection's parser.  Members are private to psTelnet.c. */
typedef struct psTelnet {
    uint8_t state;
    uint8_t verb;      /* WILL, WONT, DO, DONT being parsed */
    uint8_t subOption; /* option of the suboption being skipped */
    uint8_t subLen;    /* its bytes so far; saturates above 4 */
    uint8_t sub[4];
    uint8_t usEcho, usSga, himSga, himLinemode, himNaws; /* RFC 1143 states */
    bool asked;             /* for what the greeting does not ask for */
    unsigned nuls;          /* dropped, of those that did not follow a CR */
    unsigned odd;           /* times that an IAC was followed by no command */
    bool afterCr;           /* the last byte of data was a CR */
    uint8_t refused[2][32]; /* by option: [0] DO answered by WONT, [1] WILL by DONT */
} psTelnet;

/** Bytes sent after the banner: IAC WILL ECHO, IAC DO LINEMODE. */
#define PS_TELNET_GREETING "\xff\xfb\x01\xff\xfd\x22"
#define PS_TELNET_GREETING_BYTES 6

/** Start a connection; assumes the greeting is sent. */
void psTelnetInit(psTelnet *telnet);
/** Parse what came.  A call of the sink must not free @p telnet. */
void psTelnetReceive(psTelnet *telnet, const void *bytes, size_t len, const psTelnetSink *sink);

#endif
