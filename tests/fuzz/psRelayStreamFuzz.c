/* SPDX-License-Identifier: EPICS */
/* What libFuzzer calls with any bytes (tools/fuzz).  Whole or byte by byte, the stream must give
 * the same searches and echoes, and end at the same place. */
#include <stdlib.h>
#include <string.h>

#include "psRelayStream.h"

typedef struct record {
    uint8_t bytes[1 << 16];
    size_t len;
} record;

static void require(int good)
{
    if (!good)
        abort();
}

static void keep(void *ctx, const psCaHeader *header, const uint8_t *payload)
{
    record *self = ctx;

    require(self->len + PS_CA_HEADER_BYTES + header->payloadBytes <= sizeof(self->bytes));
    psCaHeaderPut(self->bytes + self->len, header);
    memcpy(self->bytes + self->len + PS_CA_HEADER_BYTES, payload, header->payloadBytes);
    self->len += PS_CA_HEADER_BYTES + (size_t)header->payloadBytes;
}

static void greeted(void *ctx)
{
    (void)ctx;
}

/* @return -1 if the connection would be closed */
static int feed(record *self, const uint8_t *bytes, size_t len, size_t step)
{
    const psRelayStreamSink sink = {keep, keep, greeted, self};
    size_t used = 0;

    self->len = 0;
    for (size_t end = step < len ? step : len; end <= len; end += step) {
        int taken = psRelayStreamTake(bytes + used, end - used, &sink);

        if (taken < 0)
            return -1;
        require(taken <= (int)(end - used));
        used += (size_t)taken;
        if (end == len)
            break;
        if (len - end < step)
            end = len - step;
    }
    return (int)used;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static record whole, single;

    if (!len)
        return 0;
    int wholeUsed = feed(&whole, bytes, len, len);
    int singleUsed = feed(&single, bytes, len, 1);
    require(wholeUsed == singleUsed);
    require(whole.len == single.len && memcmp(whole.bytes, single.bytes, whole.len) == 0);
    return 0;
}
