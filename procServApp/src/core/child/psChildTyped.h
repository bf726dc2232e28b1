/* SPDX-License-Identifier: EPICS */
/** @file psChildTyped.h
 *  @brief What people type to a child: how much of it waits, who waits with more, what is lost.
 *
 *  As long as the child reads, nothing is lost: whoever types too far ahead of it waits, which
 *  means that his connection is not read.  PS_INPUT_SPARE_BYTES of what can wait are for all
 *  others, a little for each, so that their keys are seen at once.  When the child has not read
 *  for PS_INPUT_STALLED_SEC, what does not fit is dropped, so that every key is seen again;
 *  its amount is reported to whoever typed it.  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildTyped_H
#define INC_psChildTyped_H

#include "child/psChildPvt.h"

/** How many bytes @p client can type now; what no process is there for is dropped.  0: none until
 *  psClientsResumeTyping(). */
size_t psChildTypedRoom(psChild *child, const psClient *client);
/** Send what @p client typed, keys removed, to the process that is there, if any. */
void psChildTypedPut(psChild *child, psClient *client, const uint8_t *bytes, size_t len);
/** Type a line that no console has typed.
 *  @param text shorter than PS_COMMAND_TEXT_BYTES, without its line end
 *  @return 0; -ESRCH: there is no process; -EAGAIN: it does not read, or too much waits for it;
 *          -ENOMEM: perhaps a part was typed */
int psChildTypedLine(psChild *child, const char *text);
/** Stop the timers.  May be called twice. */
void psChildTypedClear(psChild *child);

#endif
