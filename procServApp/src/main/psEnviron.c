/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "psEnviron.h"

static char **original; /* the array is ours; its strings are never written to by anybody */

/* The priority puts this before all constructors of the program itself, that is before Base's
 * generated code.  What setenv() does later replaces pointers in the array we copy. */
__attribute__((constructor(101))) static void save(void)
{
    size_t count = 0;

    while (environ && environ[count])
        count++;
    original = calloc(count + 1, sizeof(*original));
    if (original && count)
        memcpy(original, environ, count * sizeof(*original));
}

char *const *psEnvironOriginal(void)
{
    return original;
}
