/* SPDX-License-Identifier: EPICS */
/** @file psChildPty.h
 *  @brief The terminal of a child: its output goes to the console, and what is typed to the child.
 *  Thread: loop; psChildPtyClose() also any thread once the loop has ended.  Blocks: never, but
 *  psChildPtyOpen() where psPtyOpen() does.
 */
#ifndef INC_psChildPty_H
#define INC_psChildPty_H

#include "child/psChildPvt.h"

/** Open a new terminal of the size that the last one had.
 *  @param outCall as of psPtyOpen()
 *  @return 0 or -errno */
int psChildPtyOpen(psChild *child, const char **outCall);
/** Nothing is read or written any more, and what was typed but not read is dropped.  May be called
 *  twice. */
void psChildPtyClose(psChild *child);
/** Watch it for output if @p mayRead, and for room if something waits to be written. */
void psChildPtyWatch(psChild *child, bool mayRead);
/** Read what is left in it, once its process is a zombie. */
void psChildPtyDrain(psChild *child);
/** Write what waits in child->input; before the start is confirmed it stays there. */
void psChildPtySend(psChild *child);
/** Write the stop input, before everything that was typed. */
void psChildPtySendStopInput(psChild *child);
/** Set its size as psPtySetSize() does, also of the terminals of later starts. */
void psChildPtySetSize(psChild *child, unsigned cols, unsigned rows);

#endif
