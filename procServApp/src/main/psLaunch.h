/* SPDX-License-Identifier: EPICS */
/** @file psLaunch.h
 *  @brief What whoever starts the program gets of it: standard output, terminal, a daemon's report.
 *
 *  Thread: main.  Blocks: on standard error.
 */
#ifndef INC_psLaunch_H
#define INC_psLaunch_H

#include <stdbool.h>

#include "psProgram.h"
#include "psSup.h"

/** -d: everything goes to standard output.  Before the child is added. */
void psLaunchDebug(const psProgram *program);
/** Keep what Base prints out of standard output.  Before the supervisor is created.
 *  @param shell an IOC shell uses standard output */
void psLaunchStdout(const psProgram *program, bool shell);
/** -f: the terminal on standard input is a console.  Before the supervisor starts, whose first
 *  start it shows. */
void psLaunchTerminal(const psProgram *program, psSup *sup);
/** What the caller of a daemon reads: procServ's texts. */
void psLaunchReport(const psProgram *program, int pid);

#endif
