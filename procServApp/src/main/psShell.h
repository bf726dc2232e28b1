/* SPDX-License-Identifier: EPICS */
/** @file psShell.h
 *  @brief The IOC shell on the terminal that the program was started from.
 */
#ifndef INC_psShell_H
#define INC_psShell_H

/** Run a shell on standard input until it ends.  Thread: any but main and the loop's.
 *  Blocks: until then, maybe for ever. */
void psShellRun(void);

/** Give the terminal the mode that it had before psShellRun(), which may still be at work; else
 *  do nothing.  Thread: main, at the end.  Blocks: never. */
void psShellRestoreTerminal(void);

#endif
