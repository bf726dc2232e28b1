/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <string.h>

#include "psBaseText.h"

/* Length of an escape sequence that sets a colour; 0: there is none. */
static size_t colourAt(const char *text)
{
    if (text[0] != '\033' || text[1] != '[')
        return 0;
    size_t len = 2 + strspn(text + 2, "0123456789;");
    return text[len] ? len + 1 : len;
}

/* errPrintf() begins with: filename="x.c" line number=7, and then the text without a blank. */
static const char *skipPlace(const char *text)
{
    static const char begin[] = "filename=\"";
    static const char middle[] = "\" line number=";

    if (strncmp(text, begin, sizeof(begin) - 1) != 0)
        return text;
    const char *found = strstr(text, middle);
    if (!found)
        return text;
    found += sizeof(middle) - 1;
    return found + strspn(found, "0123456789 ");
}

bool psBaseIsPortRemark(const char *line)
{
    const char *pva = strstr(line, "Using dynamically assigned TCP port ");
    int end = 0;

    if (strncmp(line, "cas ", 4) == 0 && strstr(line, "WARNING"))
        return true;
    return pva && sscanf(pva, "Using dynamically assigned TCP port %*u.%n", &end) == 0 && end > 0 &&
           !pva[end];
}

size_t psBaseLine(const char *text, char *out, size_t size)
{
    size_t len = 0;

    for (text = skipPlace(text); *text && !(*text == '\n' && len);) {
        size_t colour = colourAt(text);

        if (colour) {
            text += colour;
            continue;
        }
        if ((len || !strchr(" \t\r\n", *text)) && *text != '\r' && len + 1 < size)
            out[len++] = *text;
        text++;
    }
    while (len && strchr(" \t", out[len - 1]))
        len--;
    out[len] = '\0';
    return len;
}
