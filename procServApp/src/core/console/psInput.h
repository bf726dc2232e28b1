/* SPDX-License-Identifier: EPICS */
/** @file psInput.h
 *  @brief Typed bytes on their way to a child that may not read.  Pure, except for the write().
 *
 *  At most PS_INPUT_BYTES wait; as much memory is held as that needs, and none while nothing waits.
 *  Thread: one at a time.  Nothing blocks: the terminal is non-blocking.
 */
#ifndef INC_psInput_H
#define INC_psInput_H

#include <stdbool.h>
#include <stddef.h>

#include "base/psTypes.h"

/** The child reads its terminal, unless nothing of what waits could be written for this long. */
#define PS_INPUT_STALLED_SEC 5.0

typedef struct psInput {
    char *data;           /**< owned here */
    size_t size;          /**< of data */
    size_t first, len;    /**< waiting bytes */
    double progressMono;  /* when something was last written, or nothing waited */
    size_t lineLen;       /**< bytes typed since the last line end */
    bool tooLongReported; /**< reported for this line */
} psInput;
#define PS_INPUT_INIT                                                                              \
    {                                                                                              \
        NULL, 0, 0, 0, 0, 0, false                                                                 \
    }

/** The canonical mode of a Linux terminal holds this number of bytes per line, and silently drops
 *  the rest. */
#define PS_CANONICAL_BYTES 4095

/** Queue typed bytes.
 *  @param now monotonic s
 *  @return how many were taken: fewer if there is no room, or no memory, for more */
size_t psInputPut(psInput *input, const void *bytes, size_t len, double now);
/** Bytes that can be put, given the memory. */
size_t psInputRoom(const psInput *input);
/** Has the child not read for PS_INPUT_STALLED_SEC what waits for it? */
bool psInputStalled(const psInput *input, double now);
/** Queue bytes before everything typed; makes room by dropping the last typed ones.
 *  @return true if all were taken; false without memory, or if they are more than
 *  PS_INPUT_BYTES: then none is */
bool psInputPutFirst(psInput *input, const void *bytes, size_t len);
/** Write what the terminal @p fd takes.  If that terminal is gone, the typed bytes are dropped.
 *  @return true when nothing is left waiting */
bool psInputWrite(psInput *input, int fd, double now);
/** Forget everything.  May be called twice. */
void psInputClear(psInput *input);

#endif
