/* SPDX-License-Identifier: EPICS */
/** @file psInput.h
 *  @brief Typed bytes on their way to a child that may not read.  Pure, except for the write().
 *
 *  At most PS_INPUT_BYTES wait; memory is held only while something does.
 *  Thread: one at a time.  Nothing blocks: the terminal is non-blocking.
 */
#ifndef INC_psInput_H
#define INC_psInput_H

#include <stdbool.h>
#include <stddef.h>

#include "base/psTypes.h"

typedef struct psInput {
    char *data;           /**< PS_INPUT_BYTES when not NULL; owned here */
    size_t first, len;    /**< waiting bytes */
    size_t lineLen;       /**< bytes typed since the last line end */
    bool tooLongReported; /**< reported for this line */
    bool fullReported;    /**< reported since it was last drained */
} psInput;
#define PS_INPUT_INIT                                                                              \
    {                                                                                              \
        NULL, 0, 0, 0, false, false                                                                \
    }

/** The canonical mode of a Linux terminal holds this number of bytes per line, and silently drops
 *  the rest. */
#define PS_CANONICAL_BYTES 4095

/** Queue typed bytes.  @return how many were taken: fewer if it is full, none without memory */
size_t psInputPut(psInput *input, const void *bytes, size_t len);
/** Queue bytes before everything typed; makes room by dropping the last typed ones.
 *  @return true if all were taken; false without memory, or if they are more than
 *  PS_INPUT_BYTES: then none is */
bool psInputPutFirst(psInput *input, const void *bytes, size_t len);
/** Write what the terminal @p fd takes.  If that terminal is gone, the typed bytes are dropped.
 *  @return true when nothing is left waiting */
bool psInputWrite(psInput *input, int fd);
/** Forget everything.  May be called twice. */
void psInputClear(psInput *input);

#endif
