/* SPDX-License-Identifier: EPICS */
/** @file psChildLockout.h
 *  @brief Maintenance: a child that is locked out takes no commands from people, by record, key or
 *  shell.  Automatic restarts go on, and what is typed on its console still goes to the process.
 *
 *  It lasts until somebody takes it off, whoever that is, or the supervisor ends.
 *  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildLockout_H
#define INC_psChildLockout_H

#include "child/psChildPvt.h"

/** May @p cmd not be carried out now?  Then one line on console and log says so.
 *  @param msg why, if true is returned */
bool psChildLockoutRefuses(psChild *child, const psCommand *cmd, char *msg, size_t msgSize);
/** The same for a key, which is @p what: "^X".  @param peer who has pressed it */
bool psChildLockoutRefusesKey(psChild *child, const char *what, const char *peer);
/** Carry out psVerbLockout or psVerbLockoutMsg.  @return what is to be said of it; NULL: done */
const char *psChildLockoutCommand(psChild *child, const psCommand *cmd);

#endif
