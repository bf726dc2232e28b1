/* SPDX-License-Identifier: EPICS */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <epicsStdio.h>

#include "psPrefix.h"

int psPrefixMake(const char *given, const char *name, char *out, size_t size, char *msg,
                 size_t msgSize)
{
    const char *slash = strrchr(name ? name : "", '/');
    int len;

    if (name && strpbrk(name, "\"\\$\n")) {
        epicsSnprintf(msg, msgSize,
                      "a record cannot refer to the name %s: give another --name, without \" \\ $",
                      name);
        return -EINVAL;
    }
    if (given) {
        len = epicsSnprintf(out, size, "%s", given);
    } else {
        len = epicsSnprintf(out, size, "%s:PS:", slash ? slash + 1 : name ? name : "");
        for (char *c = out; *c; c++)
            if (!isalnum((unsigned char)*c) && !strchr("_-+:[]<>;", *c))
                *c = '_';
    }
    if (len > PS_PREFIX_BYTES || len >= (int)size) {
        epicsSnprintf(msg, msgSize,
                      "the prefix \"%s\" has more than %d characters: give a shorter --prefix",
                      given ? given : out, PS_PREFIX_BYTES);
        return -EINVAL;
    }
    return 0;
}

void psPrefixId(const char *name, char *out, size_t size)
{
    const char *slash = strrchr(name, '/');

    epicsSnprintf(out, size, "%s", slash ? slash + 1 : name);
    for (char *c = out; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
}
