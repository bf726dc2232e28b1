/* SPDX-License-Identifier: EPICS */
/** @file psChildNotify.h
 *  @brief What a child says about itself by sd_notify(3), to the socket that it is given.
 *
 *  Only its process and others of the same session count, and processes of our user or root that
 *  have ended before the message is read, since their session is no longer known; what anybody else
 *  sends is refused with a notice, at most one in 10 s.
 *  Thread: loop, unless a function says otherwise.  Blocks: never.
 */
#ifndef INC_psChildNotify_H
#define INC_psChildNotify_H

#include "child/psChildPvt.h"

/** Open the socket, if an option asks for it.  Thread: any, when the child is made.
 *  @return 0 or -errno and one line */
int psChildNotifyInit(psChild *child, char *msg, size_t msgSize);
/** May be called twice.  Thread: loop, or any without a loop. */
void psChildNotifyClear(psChild *child);
/** The machine has made a step: listen as long as there is a process that is known. */
void psChildNotifyFollow(psChild *child);

#endif
