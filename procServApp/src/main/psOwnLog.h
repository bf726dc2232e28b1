/* SPDX-License-Identifier: EPICS */
/** @file psOwnLog.h
 *  @brief What the program and its IOC say, and where it is to be read.
 *
 *  Everything on errlog, what scripts print, and what Base writes to standard output goes to the
 *  supervisor's own log (psSupWriteLog()), where there is one.  A program in the foreground shows
 *  it on standard error, too.  A daemon has no standard error once it has started: what is written
 *  there goes to the own log alone.
 *
 *  One per process, hence one state.
 */
#ifndef INC_psOwnLog_H
#define INC_psOwnLog_H

#include <stdbool.h>
#include <stdio.h>

#include <compilerDependencies.h>

#include "psSup.h"

/** Keep what Base prints apart from the program's standard output: it goes to standard error.
 *  Thread: main, once, before psSupCreate().  Blocks: never. */
void psOwnLogTakeStdout(const char *argv0);
/** Begin.  @param sup must live until psOwnLogStop().  Thread: main, once, before psSupStart() */
void psOwnLogStart(psSup *sup);
/** Standard error is the terminal of a console: what Base says there of its TCP port, which is no
 *  fault, goes to the own log alone.  Thread: main. */
void psOwnLogTerminal(void);
/** Write no more to the own log, whose supervisor may be freed then.  What errlog still holds goes
 *  to standard error only: it is not waited for, since standard error may be stalled.
 *  Thread: main.  Blocks: never. */
void psOwnLogStop(void);
/** Standard error has become /dev/null: what is written there goes to the own log from now on.
 *  Thread: main, once. */
void psOwnLogDetach(void);
/** A line for standard error and own log.  Thread: any. */
void psOwnLogSay(const char *fmt, ...) EPICS_PRINTF_STYLE(1, 2);
/** A stream for what a script prints: standard error and own log.
 *  @return NULL where standard error is all there is, or without memory; to be closed by fclose()
 */
FILE *psOwnLogStream(void);

#endif
