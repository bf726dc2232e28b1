/* SPDX-License-Identifier: EPICS */
/** @file psChildPvt.h
 *  @brief What the parts of a child share.  Private to psChild*.c.  Thread: loop.
 */
#ifndef INC_psChildPvt_H
#define INC_psChildPvt_H

#include "child/psChild.h"
#include "child/psChildReport.h"

/** Monotonic now, s. */
double psChildNow(const psChild *child);

/** One event: decision, announcement, actions, goals, publication.
 *  @param why of a start that failed, else NULL */
void psChildStep(psChild *child, const psInputEvent *event, psOutput *out, const char *why);
/** Carry out what the machine answered; may turn a verdict into a failure. */
void psChildAct(psChild *child, psOutput *out);
/** Deadlines anew, after anything that may have moved them. */
void psChildArmTimers(psChild *child);

/** A start: the terminal, the process, and the outcome as an event. */
void psChildSpawn(psChild *child);
/** SIGKILL to what there is of it: a start in progress, or the whole session. */
void psChildKillAll(psChild *child);
/** Close the terminal, reap the zombie. */
void psChildCloseProcess(psChild *child);

/** Read the terminal when there is something, write when there is something queued. */
void psChildWatchPty(psChild *child, bool mayRead);
/** Read what is left in the terminal. */
void psChildDrainPty(psChild *child);
void psChildClosePty(psChild *child);
/** Write what is queued for it. */
void psChildSendInput(psChild *child);
/** The stop input, before everything typed. */
void psChildSendStopInput(psChild *child);

/** What consoles tell us. */
void psChildTyped(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
void psChildSized(void *ctx, psClient *client, unsigned cols, unsigned rows);

#endif
