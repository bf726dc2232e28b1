/* SPDX-License-Identifier: EPICS */
/** @file psLog.h
 *  @brief Our own diagnostics, to Base's errlog.
 *
 *  One line per event, in the user's terms, written once by the layer that knows them.
 */
#ifndef INC_psLog_H
#define INC_psLog_H

#include <compilerDependencies.h>

/** Write one line, prefixed "procServ: ".  errlog cuts what is longer than its longest message,
 *  256 bytes unless the IOC has set another number.
 *  Thread: any.  Blocks: never; errlog queues the line and drops it when its buffer is full. */
void psLogPrintf(const char *fmt, ...) EPICS_PRINTF_STYLE(1, 2);
/** The same, prefixed "ARGV0: ": for the lines that procServ has, which scripts may look for. */
void psLogPrintfAs(const char *argv0, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);

#endif
