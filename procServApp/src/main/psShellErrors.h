/* SPDX-License-Identifier: EPICS */
/** @file psShellErrors.h
 *  @brief What the IOC shell itself refuses in a script: a command that it does not know, a bad
 *         argument, a quote that is not closed, a file that is not there.
 *
 *  The shell goes on after it and reports nothing to its caller: its line on the thread's standard
 *  error, "ERROR file line N: reason", is all there is.  It is known by that form, not by its
 *  words.
 *
 *  Thread: the one that runs the script; one at a time.
 */
#ifndef INC_psShellErrors_H
#define INC_psShellErrors_H

/** From now on give each such line, without "ERROR", to @p refused.  Everything that this thread
 *  writes on standard error still goes there, too. */
void psShellErrorsBegin(void (*refused)(void *ctx, const char *line), void *ctx);
/** No more. */
void psShellErrorsEnd(void);

#endif
