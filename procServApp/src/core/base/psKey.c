/* SPDX-License-Identifier: EPICS */
#include <ctype.h>

#include "base/psKey.h"

void psKeyPrint(unsigned char key, char out[3])
{
    bool control = key < 0x20 || key == 0x7f;

    out[0] = control ? '^' : (char)key;
    out[1] = control ? (char)(key ^ 0x40) : 0;
    out[2] = 0;
}

unsigned char psKeyParse(const char *text, const char **end)
{
    unsigned char key = (unsigned char)text[0];
    const char *next = text + (key != 0);
    unsigned char upper = key == '^' ? (unsigned char)toupper((unsigned char)text[1]) : 0;

    if (upper >= '?' && upper <= '_') {
        /* ^? and ^@ ... ^_ are each the character with one bit turned, but for ^^ */
        key = upper == '^' ? '^' : upper ^ 0x40;
        next++;
    }
    if (end)
        *end = next;
    return key;
}

bool psKeyNext(const char **text, unsigned char *out)
{
    const char *end = *text;

    if (!**text)
        return false;
    *out = psKeyParse(*text, &end);
    *text = end > *text ? end : *text + 1;
    return true;
}
