/* SPDX-License-Identifier: EPICS */
/* What libFuzzer calls with any bytes (tools/fuzz).  A datagram that is accepted consists of
 * messages that are each accepted, whose searches have printable names, and no rest; what is a
 * datagram of searches is none of answers, unless it has neither. */
#include <stdlib.h>
#include <string.h>

#include "psCaMessage.h"

static void require(int good)
{
    if (!good)
        abort();
}

static int countSearches(const uint8_t *bytes, size_t len)
{
    const uint8_t *payload;
    psCaHeader header;
    size_t at = 0;
    int count = 0;

    while (at < len) {
        size_t before = at;

        require(psCaNext(bytes, len, &at, &header, &payload) == 1);
        require(at > before && at <= len && payload + header.payloadBytes == bytes + at);
        if (psCaIsSearch(&header, payload)) {
            const char *name = (const char *)payload;

            require(memchr(name, '\0', header.payloadBytes) != NULL);
            require(name[0] && !strpbrk(name, "\r\n\t\033\177"));
            count++;
        } else {
            require(header.command == psCaVersion && !header.payloadBytes);
        }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* exactly as long, for the sanitizer */

    require(copy != NULL);
    memcpy(copy, bytes, len);
    int searches = psCaCheckSearches(copy, len);
    int answers = psCaCheckAnswers(copy, len);
    require(searches <= 0 || answers < 0);
    require((searches == 0) == (answers == 0));
    if (searches >= 0)
        require(countSearches(copy, len) == searches);
    free(copy);
    return 0;
}
