/* SPDX-License-Identifier: EPICS */
/* Control sequences by ECMA-48: ESC, then
 *   [  parameters 0x20...0x3f and one final byte 0x40...0x7e          (CSI)
 *   ], P, X, ^, _  a string up to BEL or ESC \                        (OSC, DCS, SOS, PM, APC)
 *   0x20...0x2f  intermediates and one final byte 0x30...0x7e
 *   anything else  is the second and last byte.
 * The 8-bit forms (0x9b...) are not sequences: those bytes occur in UTF-8.
 * A broken sequence must not swallow the rest of the console: a line feed ends each of them,
 * as do CAN and SUB. */
#include <string.h>

#include "console/psLine.h"

#define ESC 0x1b
#define BEL 0x07
#define CAN 0x18
#define SUB 0x1a

enum {
    escapeNone,
    escapeBegun,        /* after ESC */
    escapeIntermediate, /* after ESC and 0x20...0x2f */
    escapeCsi,          /* after ESC [ */
    escapeString,       /* after ESC ] and the like */
    escapeStringEsc     /* after ESC in such a string */
};

void psLineInit(psLine *line)
{
    line->text[0] = 0; /* the rest of it needs no clearing */
    line->len = 0;
    line->escape = escapeNone;
    line->cut = false;
}

/* All of a piece or nothing: \xHH is not cut in the middle. */
static void append(psLine *self, const char *bytes, size_t len)
{
    if (self->cut || len > PS_LINE_BYTES - self->len) {
        self->cut = true;
        return;
    }
    memcpy(self->text + self->len, bytes, len);
    self->len += len;
}

static void appendByte(psLine *self, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    const char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
    const char plain = (char)c;

    if (c == '\t' || (c >= 0x20 && c != 0x7f))
        append(self, &plain, 1);
    else
        append(self, hex, sizeof(hex));
}

static unsigned char afterEsc(unsigned char c)
{
    if (c == '[')
        return escapeCsi;
    if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
        return escapeString;
    if (c == ESC)
        return escapeBegun;
    return c >= 0x20 && c <= 0x2f ? escapeIntermediate : escapeNone;
}

/* The byte belongs to a control sequence: what comes next? */
static unsigned char escapeNext(unsigned char escape, unsigned char c)
{
    if (c == CAN || c == SUB)
        return escapeNone;
    switch (escape) {
    case escapeBegun:
        return afterEsc(c);
    case escapeIntermediate:
        if (c == ESC)
            return escapeBegun;
        return c >= 0x30 && c <= 0x7e ? escapeNone : escapeIntermediate;
    case escapeCsi:
        if (c == ESC)
            return escapeBegun;
        return c >= 0x40 && c <= 0x7e ? escapeNone : escapeCsi;
    case escapeString:
        if (c == BEL)
            return escapeNone;
        return c == ESC ? escapeStringEsc : escapeString;
    case escapeStringEsc:
        return c == '\\' ? escapeNone : afterEsc(c);
    default:
        return escapeNone;
    }
}

void psLineFeed(psLine *self, const void *bytes, size_t len,
                void (*fn)(void *ctx, const char *line, size_t lineLen), void *ctx)
{
    const unsigned char *in = bytes;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = in[i];

        if (c == '\n') {
            self->text[self->len] = 0;
            fn(ctx, self->text, self->len);
            psLineInit(self);
        } else if (self->escape != escapeNone) {
            self->escape = escapeNext(self->escape, c);
        } else if (c == ESC) {
            self->escape = escapeBegun;
        } else if (c != '\r') {
            appendByte(self, c);
        }
    }
}
