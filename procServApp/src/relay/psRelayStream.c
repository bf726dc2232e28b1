/* SPDX-License-Identifier: EPICS */
#include <errno.h>

#include "psRelayStream.h"

static int takeOne(const psCaHeader *header, const uint8_t *payload, const psRelayStreamSink *sink)
{
    switch (header->command) {
    case psCaVersion:
        sink->greeted(sink->ctx);
        return 0;
    case psCaSearch:
        if (!psCaIsSearch(header, payload))
            return -EBADMSG;
        sink->search(sink->ctx, header, payload);
        return 0;
    case psCaEcho:
        sink->echo(sink->ctx, header, payload);
        return 0;
    case psCaClientName:
    case psCaHostName:
    case psCaEventsOff:
    case psCaEventsOn:
        return 0;
    default:
        return -EBADMSG;
    }
}

int psRelayStreamTake(const uint8_t *bytes, size_t len, const psRelayStreamSink *sink)
{
    const uint8_t *payload;
    psCaHeader header;
    size_t at = 0;
    int status;

    while ((status = psCaNext(bytes, len, &at, &header, &payload)) > 0) {
        status = takeOne(&header, payload, sink);
        if (status)
            return status;
    }
    return status ? status : (int)at;
}
