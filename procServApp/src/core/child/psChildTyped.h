/* SPDX-License-Identifier: EPICS */
/** @file psChildTyped.h
 *  @brief What people type to a child: how much of it waits, who waits with more, what is lost.
 *
 *  As long as the child reads, whoever types more than PS_INPUT_BYTES ahead of it waits: his
 *  connection is not read, so that nothing is lost.  Once the child has not read for
 *  PS_INPUT_STALLED_SEC, what does not fit is dropped, so that keys are seen again; whoever typed
 * it is told how much that was. Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildTyped_H
#define INC_psChildTyped_H

#include "child/psChildPvt.h"

/** How many bytes can be typed now; what no process is there for is dropped.  0: none until
 *  psClientsResumeTyping(). */
size_t psChildTypedRoom(psChild *child);
/** Send what @p client typed, keys removed, to the process that is there, if any. */
void psChildTypedPut(psChild *child, psClient *client, const uint8_t *bytes, size_t len);
/** Stop the timers.  May be called twice. */
void psChildTypedClear(psChild *child);

#endif
