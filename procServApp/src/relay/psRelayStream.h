/* SPDX-License-Identifier: EPICS */
/** @file psRelayStream.h
 *  @brief What a client of the name server says on its TCP connection.
 *
 *  A name server is asked with SEARCH only.  VERSION, the names of user and host and flow control
 *  belong to every connection, ECHO asks whether somebody is there.  Whatever else comes is not
 *  for a name server.
 *  Pure.  Thread: its owner's.  Blocks: never.
 */
#ifndef INC_psRelayStream_H
#define INC_psRelayStream_H

#include <stddef.h>
#include <stdint.h>

#include "psCaMessage.h"

/** Where the messages go.  @p payload has header->payloadBytes. */
typedef struct psRelayStreamSink {
    void (*search)(void *ctx, const psCaHeader *header, const uint8_t *payload);
    void (*echo)(void *ctx, const psCaHeader *header, const uint8_t *payload);
    void (*greeted)(void *ctx); /**< it has sent its version */
    void *ctx;
} psRelayStreamSink;

/** Take the whole messages at the beginning of @p bytes.
 *  @return the number of bytes taken; -EBADMSG: the connection is to be closed */
int psRelayStreamTake(const uint8_t *bytes, size_t len, const psRelayStreamSink *sink);

#endif
