/* SPDX-License-Identifier: EPICS */
/** @file psText.h
 *  @brief A text that grows, in which messages are built; and the end of one that is cut.  Pure.
 *
 *  Running out of memory is remembered in `failed`; later calls then do nothing, so that a
 *  caller has to check only once, at the end.  There is no limit to the length.  Not
 *  thread-safe; one owner.
 */
#ifndef INC_psText_H
#define INC_psText_H

#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>

#include <compilerDependencies.h>

typedef struct psText {
    char *data; /**< NUL-terminated when not NULL; owned here */
    size_t len; /**< without the NUL; data may hold NULs of its own */
    size_t cap;
    bool failed; /**< memory ran out; the text is incomplete */
} psText;

#define PS_TEXT_INIT                                                                               \
    {                                                                                              \
        NULL, 0, 0, false                                                                          \
    }

/** Append @p len bytes; any byte is allowed. */
void psTextAppend(psText *text, const void *data, size_t len);
/** Append as printf() does. */
void psTextPrintf(psText *text, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);
void psTextVPrintf(psText *text, const char *fmt, va_list args);
/** Append with every byte that is not printable ASCII as \xHH, and \ as \\ . */
void psTextAppendSafe(psText *text, const void *data, size_t len);
/** Append what people wrote (names, paths, notices).  It stays as it is, UTF-8 included; but
 *  control characters, including those of C1, and bytes that are not UTF-8 become \xHH, so
 *  that they neither break a line nor reach a terminal. */
void psTextAppendName(psText *text, const void *data, size_t len);
/** A text that was cut to a buffer of @p size bytes, as by snprintf(), is cut before the UTF-8
 *  character that has lost its end, if there is one.  A shorter text stays as it is. */
void psTextEndWhole(char *text, size_t size);
/** Make it empty, and forget a failure; the memory stays. */
void psTextReset(psText *text);
/** Free the memory; leaves PS_TEXT_INIT.  May be called twice. */
void psTextClear(psText *text);

#endif
