/* SPDX-License-Identifier: EPICS */
/*
 * What telnet takes out of the stream is found by the telnet parser itself: a copy of it runs
 * ahead.
 */
#include <string.h>

#include "console/psForeign.h"

#define LOOK_BYTES 1024 /* after that, anything may be typed */

/* One packet. */
typedef struct look {
    psForeign *foreign;
    const char *found;
    unsigned pending; /* bytes missing in a UTF-8 character */
    bool strange;     /* it has a byte that is neither UTF-8 nor telnet */
    bool control;     /* it has a control character that does not occur in text */
} look;

static const char *protocolOf(const psForeign *foreign)
{
    static const char *const names[] = {" HTTP/", " RTSP/", " SIP/", "SSH-", "PROXY TCP"};
    static const char *const protocols[] = {"HTTP", "RTSP", "SIP", "SSH", "PROXY"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);

        /* the last two stand at the beginning */
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
    if (byte == '\n' || byte == '\r')
        foreign->lineOver = true;
}

/* Lead and continuation bytes only: what is too long or a surrogate is no sign of a protocol. */
static bool isUtf8(look *self, uint8_t byte)
{
    if (self->pending > 0) {
        self->pending--;
        return (byte & 0xc0) == 0x80;
    }
    if (byte >= 0xc2 && byte <= 0xf4)
        self->pending = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    return byte < 0x80 || self->pending > 0;
}

/* Backspace, TAB, LF, CR, ESC and DEL occur in what is typed or pasted. */
static bool isControl(uint8_t byte)
{
    return byte < 32 && !(byte >= '\b' && byte <= '\n') && byte != '\r' && byte != 27;
}

static void onData(void *ctx, const uint8_t *bytes, size_t len)
{
    look *self = ctx;
    psForeign *foreign = self->foreign;

    for (size_t i = 0; i < len && !self->found; i++) {
        foreign->seen++;
        if (!foreign->lineOver)
            lookAtLine(self, bytes[i]);
        self->strange |= !isUtf8(self, bytes[i]);
        self->control |= isControl(bytes[i]);
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
    static const char tlsRecord[] = {0x16, 0x03};
    look self = {.foreign = foreign};
    const psTelnetSink sink = {.data = onData, .reply = onReply, .size = onSize, .ctx = &self};
    psTelnet ahead = *telnet;

    if (foreign->seen >= LOOK_BYTES)
        return NULL;
    psTelnetReceive(&ahead, bytes, len, &sink);
    if (len >= sizeof(tlsRecord) && memcmp(bytes, tlsRecord, sizeof(tlsRecord)) == 0)
        return "TLS";
    if (self.found)
        return self.found;
    bool nul = ahead.nuls - telnet->nuls > (len == 1 ? 1u : 0u);
    self.strange |= ahead.odd != telnet->odd;
    return nul || (self.strange && self.control) ? "binary data" : NULL;
}
