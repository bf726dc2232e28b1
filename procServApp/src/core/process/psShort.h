/* SPDX-License-Identifier: EPICS */
/** @file psShort.h
 *  @brief What is short when the system refuses something for want of it, and which limit that is.
 */
#ifndef INC_psShort_H
#define INC_psShort_H

#include <stdbool.h>
#include <stddef.h>

/** The words of the system for @p error, and the limit that it comes from with its value:
 *  "Too many open files (RLIMIT_NOFILE is 1024: raise LimitNOFILE= or ulimit -n)".
 *  @param pty the error is that of opening a pseudo terminal
 *  Thread: any.  Blocks: never; it reads from /proc. */
void psShortReason(int error, bool pty, char *out, size_t size);

#endif
