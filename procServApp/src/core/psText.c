/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "psText.h"

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
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, again);
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
