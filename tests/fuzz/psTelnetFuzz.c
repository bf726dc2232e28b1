/* SPDX-License-Identifier: EPICS */
/* What libFuzzer calls with any bytes (tools/fuzz).  Whole or byte by byte, the parser must give
 * the same; data is never longer than what came; no request is answered by more than its size;
 * and after an IAC SB that never ends nothing is data. */
#include <stdlib.h>
#include <string.h>

#include "console/psTelnet.h"

#define MAX_BYTES 8192
#define ASKED_BYTES 9 /* DO NAWS, WILL SGA, DO SGA at the first command */

/* What the sink received: data, and apart from it answers and sizes in their order. */
typedef struct record {
    uint8_t data[MAX_BYTES];
    uint8_t rest[4 * MAX_BYTES + 16];
    size_t dataLen, restLen, replyLen;
} record;

static void require(int good)
{
    if (!good)
        abort();
}

static void onData(void *ctx, const uint8_t *bytes, size_t len)
{
    record *self = ctx;

    require(len > 0 && len <= sizeof(self->data) - self->dataLen);
    memcpy(self->data + self->dataLen, bytes, len);
    self->dataLen += len;
}

static void keep(record *self, const uint8_t *bytes, size_t len)
{
    require(len <= sizeof(self->rest) - self->restLen);
    memcpy(self->rest + self->restLen, bytes, len);
    self->restLen += len;
}

static void onReply(void *ctx, const uint8_t *bytes, size_t len)
{
    record *self = ctx;

    require(len == 3 && bytes[0] == 255 && bytes[1] >= 251 && bytes[1] <= 254);
    keep(self, bytes, len);
    self->replyLen += len;
}

static void onSize(void *ctx, unsigned cols, unsigned rows)
{
    const uint8_t bytes[4] = {(uint8_t)(cols >> 8), (uint8_t)cols, (uint8_t)(rows >> 8),
                              (uint8_t)rows};

    require(cols > 0 && rows > 0 && cols <= 65535 && rows <= 65535);
    keep(ctx, bytes, sizeof(bytes));
}

static void feed(record *self, const uint8_t *bytes, size_t len, size_t step)
{
    const psTelnetSink sink = {onData, onReply, onSize, self};
    psTelnet telnet;

    self->dataLen = self->restLen = self->replyLen = 0;
    psTelnetInit(&telnet);
    for (size_t at = 0; at < len; at += step)
        psTelnetReceive(&telnet, bytes + at, step < len - at ? step : len - at, &sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static record whole, single;
    static uint8_t hidden[MAX_BYTES];
    const uint8_t *end;

    if (len > MAX_BYTES - 5)
        len = MAX_BYTES - 5;
    feed(&whole, bytes, len, len ? len : 1);
    feed(&single, bytes, len, 1);
    require(whole.dataLen == single.dataLen && whole.restLen == single.restLen);
    require(memcmp(whole.data, single.data, whole.dataLen) == 0);
    require(memcmp(whole.rest, single.rest, whole.restLen) == 0);
    require(whole.dataLen <= len && whole.replyLen <= len + ASKED_BYTES);

    /* up to the first IAC SE it is a suboption's inside */
    memcpy(hidden, "\xff\xfa", 2);
    for (end = bytes; end + 1 < bytes + len && !(end[0] == 255 && end[1] == 240); end++)
        ;
    memcpy(hidden + 2, bytes, (size_t)(end - bytes));
    feed(&whole, hidden, (size_t)(end - bytes) + 2, 100);
    require(whole.dataLen == 0 && whole.replyLen <= ASKED_BYTES);
    return 0;
}
