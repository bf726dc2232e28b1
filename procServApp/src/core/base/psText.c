/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/psText.h"

/* Make room for more bytes and the NUL. */
static bool reserve(psText *text, size_t more)
{
    size_t need = text->len + more + 1;
    size_t cap = text->cap ? text->cap : 128;
    char *data;

    if (text->failed)
        return false;
    if (need <= text->cap)
        return true;
    while (cap < need)
        cap *= 2;
    data = realloc(text->data, cap);
    if (!data) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->cap = cap;
    return true;
}

void psTextAppend(psText *text, const void *data, size_t len)
{
    if (!reserve(text, len))
        return;
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = 0;
}

void psTextVPrintf(psText *text, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0) {
        text->failed = true;
        return;
    }
    if (!reserve(text, (size_t)len))
        return;
    vsnprintf(text->data + text->len, (size_t)len + 1, fmt, args);
    text->len += (size_t)len;
}

void psTextPrintf(psText *text, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    psTextVPrintf(text, fmt, args);
    va_end(args);
}

void psTextAppendSafe(psText *text, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = bytes[i];

        if (c == '\\')
            psTextAppend(text, "\\\\", 2);
        else if (c >= 0x20 && c < 0x7f)
            psTextAppend(text, &c, 1);
        else
            psTextPrintf(text, "\\x%02X", c);
    }
}

/* Length of the well-formed UTF-8 character at @p p that is no control character; else 0. */
static size_t utf8Length(const unsigned char *p, size_t len)
{
    size_t need = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    unsigned long code = p[0] & (0xffu >> (need + 1));
    static const unsigned long lowest[] = {0, 0, 0xa0, 0x800, 0x10000};

    if (p[0] < 0xc2 || p[0] > 0xf4 || len < need)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    if (code < lowest[need] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    return need;
}

void psTextAppendName(psText *text, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    size_t plain = 0; /* bytes not yet appended, before i */

    for (size_t i = 0; i < len;) {
        size_t part = bytes[i] >= 0x20 && bytes[i] < 0x7f ? 1 : utf8Length(bytes + i, len - i);

        if (part > 0) {
            i += part;
            plain += part;
            continue;
        }
        psTextAppend(text, bytes + i - plain, plain);
        psTextPrintf(text, "\\x%02X", bytes[i]);
        plain = 0;
        i++;
    }
    psTextAppend(text, bytes + len - plain, plain);
}

void psTextEndWhole(char *text, size_t size)
{
    size_t len = strlen(text);
    size_t start = len; /* of the last character */

    if (len + 1 < size)
        return;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || (unsigned char)text[start - 1] < 0xc2)
        return;
    unsigned char first = (unsigned char)text[start - 1];
    size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

    if (len - (start - 1) < need)
        text[start - 1] = '\0';
}

void psTextReset(psText *text)
{
    text->len = 0;
    text->failed = false;
    if (text->data)
        text->data[0] = 0;
}

void psTextClear(psText *text)
{
    free(text->data);
    *text = (psText)PS_TEXT_INIT;
}
