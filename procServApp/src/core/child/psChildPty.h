/* SPDX-License-Identifier: EPICS */
/** @file psChildPty.h
 *  @brief The terminal of a child: its output into the console, what is typed towards it.
 *  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildPty_H
#define INC_psChildPty_H

#include "child/psChildPvt.h"

/** A new terminal, of the size that the last one had.
 *  @param outCall as of psPtyOpen()
 *  @return 0 or -errno */
int psChildPtyOpen(psChild *child, const char **outCall);
/** Nothing is read or written any more; what was typed and not read is dropped.  Idempotent. */
void psChildPtyClose(psChild *child);
/** Watch it: for output if @p mayRead, for room if something waits to be written. */
void psChildPtyWatch(psChild *child, bool mayRead);
/** Read what is left in it, once its process is a zombie. */
void psChildPtyDrain(psChild *child);
/** Write what waits in child->input; before the start is confirmed it stays there. */
void psChildPtySend(psChild *child);
/** Write the stop input, before everything that was typed. */
void psChildPtySendStopInput(psChild *child);
/** Its size from now on, over restarts too. */
void psChildPtySetSize(psChild *child, unsigned cols, unsigned rows);

#endif
