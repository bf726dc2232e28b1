/* SPDX-License-Identifier: EPICS */
/** @file psChildStatus.h
 *  @brief What is published of a child: its status, and when each fact of it changes.
 *  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildStatus_H
#define INC_psChildStatus_H

#include "child/psChildPvt.h"

/** What is shown before anything has happened.  Thread: any, when the child is made. */
void psChildStatusInit(psChild *child);
/** A start begins. */
void psChildStatusStarting(psChild *child);
/** Its process runs. */
void psChildStatusSpawned(psChild *child);
/** The process has ended, or its start has failed; the machine has decided what follows, which is
 *  not done yet.
 *  @param why the start failed, else NULL */
void psChildStatusEnded(psChild *child, const psOutput *out, const char *why);
/** The last end deserves no alarm any more. */
void psChildStatusClearAlarm(psChild *child);
/** A stop was given, and by whom: StateMsg says so once it has stopped. */
void psChildStatusStoppedBy(psChild *child, const char *by);
/** A command was given: it is the one that is shown.  @return its number */
int psChildStatusCommand(psChild *child, const psCommand *cmd);
/** Command number @p seq has ended; it is shown unless there is a newer one. */
void psChildStatusCommandEnded(psChild *child, int seq, psCmdState how, const char *msg);
/** Publish the next transition. */
void psChildStatusPublish(psChild *child);

#endif
