/* SPDX-License-Identifier: EPICS */
/* What libFuzzer calls with any bytes (tools/fuzz).  However a connection begins, the telnet parser
 * is not changed by the look at it; printable text is never foreign, unless its first line has one
 * of the words; and what has a NUL outside telnet is, whatever else it has. */
#include <stdlib.h>
#include <string.h>

#include "console/psForeign.h"

static void require(int good)
{
    if (!good)
        abort();
}

static const char *look(const uint8_t *bytes, size_t len)
{
    psForeign foreign = {.seen = 0};
    psTelnet telnet, before;

    memset(&telnet, 0, sizeof(telnet)); /* padding, too: it is compared */
    psTelnetInit(&telnet);
    memcpy(&before, &telnet, sizeof(before));
    const char *what = psForeignLook(&foreign, &telnet, bytes, len);
    require(memcmp(&before, &telnet, sizeof(before)) == 0);
    return what;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static uint8_t text[4096];

    if (len > sizeof(text) - 2)
        len = sizeof(text) - 2;
    look(bytes, len);
    text[0] = '\r'; /* the first line is over */
    for (size_t i = 0; i < len; i++)
        text[i + 1] = (uint8_t)(' ' + bytes[i] % 95);
    require(look(text, len + 1) == NULL);
    text[len + 1] = '\0';
    require(len == 0 || look(text, len + 2) != NULL);
    return 0;
}
