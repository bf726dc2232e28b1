/* SPDX-License-Identifier: EPICS */
/** @file psChildConsole.h
 *  @brief What is published of a child's console, and when.
 *
 *  Output costs nothing here but a look at two flags at the end of a round.  What is published is
 *  made by a timer, which runs only while something has changed and somebody subscribes: once per
 *  second at most, or five times while a client monitors the text.
 *  Thread: loop unless a function says otherwise.  Blocks: never.
 */
#ifndef INC_psChildConsole_H
#define INC_psChildConsole_H

#include "child/psChildPvt.h"

/** Make ready.  Thread: any, when the child is made. */
void psChildConsoleInit(psChild *child);
/** Stop the timer.  May be called twice.  Thread: loop, or any once it has ended. */
void psChildConsoleClear(psChild *child);
/** Something was printed.  Nothing is done if nobody subscribes. */
void psChildConsolePrinted(psChild *child);
/** The process has ended, and all that it printed was read: keep the last lines of its run. */
void psChildConsoleEnded(psChild *child);
/** The number of consoles has changed, or a connection was refused. */
void psChildConsoleCounted(psChild *child);

#endif
