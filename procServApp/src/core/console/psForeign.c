/* SPDX-License-Identifier: EPICS */
/*
 * What telnet takes out of the stream is found by the telnet parser itself: a copy of it runs
 * ahead.
 */
#include <string.h>

#include "console/psForeign.h"

#define TEXT_BYTES 16
#define LINE_BYTES 1024

typedef struct look {
    psForeign *foreign;
    const char *found;
} look;

static const char *protocolOf(const psForeign *foreign)
{
    static const char *const names[] = {" HTTP/", " RTSP/", " SIP/", "SSH-"};
    static const char *const protocols[] = {"HTTP", "RTSP", "SIP", "SSH"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);

        /* that of SSH stands at the beginning */
        if (memcmp(foreign->last + sizeof(foreign->last) - len, names[i], len) == 0 &&
            (names[i][0] == ' ' || foreign->seen == len))
            return protocols[i];
    }
    return NULL;
}

static void lookAtLine(look *self, uint8_t byte)
{
    psForeign *foreign = self->foreign;

    memmove(foreign->last, foreign->last + 1, sizeof(foreign->last) - 1);
    foreign->last[sizeof(foreign->last) - 1] = (char)byte;
    self->found = protocolOf(foreign);
    if (byte == '\n' || byte == '\r' || foreign->seen >= LINE_BYTES)
        foreign->lineOver = true;
}

/* Lead and continuation bytes only: what is too long or a surrogate is no sign of a protocol. */
static bool isUtf8(psForeign *foreign, uint8_t byte)
{
    if (foreign->pending > 0) {
        foreign->pending--;
        return (byte & 0xc0) == 0x80;
    }
    if (byte >= 0xc2 && byte <= 0xf4)
        foreign->pending = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    return byte < 0x80 || foreign->pending > 0;
}

/* TAB, LF, CR and ESC occur in what is pasted. */
static bool isControl(uint8_t byte)
{
    return byte == 127 || (byte < 32 && byte != '\t' && byte != '\n' && byte != '\r' && byte != 27);
}

static void onData(void *ctx, const uint8_t *bytes, size_t len)
{
    look *self = ctx;
    psForeign *foreign = self->foreign;

    for (size_t i = 0; i < len && !self->found; i++) {
        foreign->seen++;
        if (!foreign->lineOver)
            lookAtLine(self, bytes[i]);
        foreign->strange |= !isUtf8(foreign, bytes[i]);
        foreign->control |= isControl(bytes[i]);
    }
}

static void onReply(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
}

static void onSize(void *ctx, unsigned cols, unsigned rows)
{
    (void)ctx;
    (void)cols;
    (void)rows;
}

const char *psForeignLook(psForeign *foreign, const psTelnet *telnet, const void *bytes, size_t len)
{
    const uint8_t *first = bytes;
    look self = {foreign, NULL};
    const psTelnetSink sink = {.data = onData, .reply = onReply, .size = onSize, .ctx = &self};
    psTelnet ahead = *telnet;

    if (foreign->binaryOver && foreign->lineOver)
        return NULL;
    bool isFirst = foreign->seen == 0;
    psTelnetReceive(&ahead, bytes, len, &sink);
    foreign->strange |= ahead.odd != telnet->odd;
    bool nul = ahead.nuls - telnet->nuls > (len == 1 ? 1u : 0u);
    if (!foreign->binaryOver && !self.found && (nul || (foreign->strange && foreign->control)))
        self.found = "binary data";
    if (foreign->seen >= TEXT_BYTES || foreign->lineOver)
        foreign->binaryOver = true;
    if (self.found && isFirst && len >= 2 && first[0] == 0x16 && first[1] == 0x03)
        return "TLS";
    return self.found;
}
