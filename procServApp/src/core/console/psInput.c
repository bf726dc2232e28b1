/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/psInput.h"

#define FIRST_BYTES 4096 /* doubled as needed */

/* Make room for @p len more bytes after those that wait, as far as there is memory.
 * @return how many there is room for */
static size_t makeRoom(psInput *input, size_t len)
{
    size_t size = input->size ? input->size : FIRST_BYTES;

    while (size < PS_INPUT_BYTES && size - input->len < len)
        size *= 2;
    if (size > input->size) {
        char *data = realloc(input->data, size);

        if (data) {
            input->data = data;
            input->size = size;
        }
    }
    /* Moved only if there is no room after it. */
    if (input->first > 0 && input->size - input->first - input->len < len) {
        memmove(input->data, input->data + input->first, input->len);
        input->first = 0;
    }
    size_t room = input->size - input->first - input->len;
    return room < len ? room : len;
}

static void noteLine(psInput *input, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\r' || bytes[i] == '\n') {
            input->lineLen = 0;
            input->tooLongReported = false;
        } else {
            input->lineLen++;
        }
    }
}

size_t psInputRoom(const psInput *input)
{
    return PS_INPUT_BYTES - input->len;
}

bool psInputStalled(const psInput *input, double now)
{
    return input->len > 0 && now >= input->progressMono + PS_INPUT_STALLED_SEC;
}

size_t psInputPut(psInput *input, const void *bytes, size_t len, double now)
{
    if (input->len == 0)
        input->progressMono = now;
    if (len > psInputRoom(input))
        len = psInputRoom(input);
    len = makeRoom(input, len);
    if (len == 0)
        return 0;
    memcpy(input->data + input->first + input->len, bytes, len);
    input->len += len;
    noteLine(input, bytes, len);
    return len;
}

bool psInputPutFirst(psInput *input, const void *bytes, size_t len)
{
    if (len > PS_INPUT_BYTES)
        return false;
    makeRoom(input, len);
    if (input->size < len)
        return false;
    size_t keep = input->len;
    if (keep > input->size - len)
        keep = input->size - len;
    memmove(input->data + len, input->data + input->first, keep);
    memcpy(input->data, bytes, len);
    input->first = 0;
    input->len = keep + len;
    return true;
}

bool psInputWrite(psInput *input, int fd, double now)
{
    while (input->len > 0) {
        ssize_t n = write(fd, input->data + input->first, input->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0)
            break; /* the terminal is gone: so is what was typed */
        input->progressMono = now;
        input->first += (size_t)n;
        input->len -= (size_t)n;
    }
    free(input->data);
    input->data = NULL;
    input->size = 0;
    input->first = 0;
    input->len = 0;
    return true;
}

void psInputClear(psInput *input)
{
    static const psInput empty = PS_INPUT_INIT;

    free(input->data);
    *input = empty;
}
