/* SPDX-License-Identifier: EPICS */
/** @file psCaMessage.h
 *  @brief Messages of Channel Access, as far as searches need them: taken apart, checked, made.
 *
 *  Pure: bytes in, verdict out.  What comes from the network is hostile, so whatever is not
 *  exactly what a client or server sends when it searches is refused as a whole.
 *  Thread: any.  Blocks: never.
 */
#ifndef INC_psCaMessage_H
#define INC_psCaMessage_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_CA_HEADER_BYTES 16
#define PS_CA_MINOR 13           /**< the minor version of the protocol that we speak */
#define PS_CA_NAME_BYTES 512     /**< longest payload with a name; Base's clients stop at 500 */
#define PS_CA_NO_ADDRESS ~0u     /**< the cid of an answer: use the address that it came from */
#define PS_CA_SEARCH_MINOR_MIN 4 /**< servers ignore searches of older clients */

/** Commands, by the numbers of the protocol. */
enum {
    psCaVersion = 0,
    psCaSearch = 6,
    psCaEventsOff = 8,
    psCaEventsOn = 9,
    psCaNotFound = 14,
    psCaClientName = 20,
    psCaHostName = 21,
    psCaEcho = 23
};

/** A header, in the machine's byte order.  The extended form, for payloads of 65535 bytes and
 *  more, has no use in a search. */
typedef struct psCaHeader {
    uint16_t command;
    uint16_t payloadBytes;
    uint16_t type;
    uint16_t count;
    uint32_t cid;
    uint32_t available;
} psCaHeader;

/** @param bytes PS_CA_HEADER_BYTES of them */
void psCaHeaderGet(const uint8_t *bytes, psCaHeader *out);
void psCaHeaderPut(uint8_t *bytes, const psCaHeader *header);

/** The next message of a datagram or stream.
 *  @param at where to look; moved on behind the message if it is whole
 *  @return 1 and its header and payload; 0 it is not whole; -EBADMSG it can never be: the payload
 *          is not a multiple of 8, or longer than PS_CA_NAME_BYTES */
int psCaNext(const uint8_t *bytes, size_t len, size_t *at, psCaHeader *out,
             const uint8_t **outPayload);

/** Is it a search with a name: printable, not empty, with its NUL within the payload? */
bool psCaIsSearch(const psCaHeader *header, const uint8_t *payload);
/** Is it a server's answer to a search? */
bool psCaIsAnswer(const psCaHeader *header, const uint8_t *payload);

/** A datagram of a client: any number of VERSION and SEARCH, and nothing else.
 *  @return the number of searches; -EBADMSG: it is no such datagram */
int psCaCheckSearches(const uint8_t *bytes, size_t len);
/** A datagram of a server: any number of VERSION and answers to SEARCH, and nothing else.
 *  @return the number of answers; -EBADMSG: it is no such datagram */
int psCaCheckAnswers(const uint8_t *bytes, size_t len);

#endif
