/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console/psInput.h"

static bool haveBuffer(psInput *input)
{
    if (!input->data) {
        input->data = malloc(PS_INPUT_BYTES);
        input->first = 0;
        input->len = 0;
    }
    return input->data != NULL;
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

size_t psInputPut(psInput *input, const void *bytes, size_t len)
{
    if (!haveBuffer(input))
        return 0;
    if (input->first > 0) {
        memmove(input->data, input->data + input->first, input->len);
        input->first = 0;
    }
    size_t room = PS_INPUT_BYTES - input->len;
    if (len > room)
        len = room;
    memcpy(input->data + input->len, bytes, len);
    input->len += len;
    noteLine(input, bytes, len);
    return len;
}

bool psInputPutFirst(psInput *input, const void *bytes, size_t len)
{
    if (len > PS_INPUT_BYTES || !haveBuffer(input))
        return false;
    size_t keep = input->len;
    if (keep > PS_INPUT_BYTES - len)
        keep = PS_INPUT_BYTES - len;
    memmove(input->data + len, input->data + input->first, keep);
    memcpy(input->data, bytes, len);
    input->first = 0;
    input->len = keep + len;
    return true;
}

bool psInputWrite(psInput *input, int fd)
{
    while (input->len > 0) {
        ssize_t n = write(fd, input->data + input->first, input->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0)
            break; /* the terminal is gone: so is what was typed */
        input->first += (size_t)n;
        input->len -= (size_t)n;
    }
    free(input->data);
    input->data = NULL;
    input->first = 0;
    input->len = 0;
    input->fullReported = false;
    return true;
}

void psInputClear(psInput *input)
{
    static const psInput empty = PS_INPUT_INIT;

    free(input->data);
    *input = empty;
}
