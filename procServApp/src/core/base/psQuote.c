/* SPDX-License-Identifier: EPICS */
#include <stdbool.h>
#include <string.h>

#include "base/psQuote.h"

static bool isPlain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_@%+=:,./-", c) != NULL);
}

void psQuoteWord(psText *text, const char *word)
{
    bool plain = *word != '\0';
    bool control = false;

    for (const char *p = word; *p; p++) {
        plain = plain && isPlain((unsigned char)*p);
        control = control || (unsigned char)*p < ' ' || *p == 127;
    }
    if (plain) {
        psTextAppend(text, word, strlen(word));
        return;
    }
    psTextPrintf(text, control ? "$'" : "'");
    for (const char *p = word; *p; p++)
        if (control && ((unsigned char)*p < ' ' || *p == 127))
            psTextPrintf(text, "\\%03o", (unsigned)(unsigned char)*p);
        else if (control && (*p == '\'' || *p == '\\'))
            psTextPrintf(text, "\\%c", *p);
        else if (*p == '\'')
            psTextPrintf(text, "'\\''");
        else
            psTextAppend(text, p, 1);
    psTextPrintf(text, "'");
}
