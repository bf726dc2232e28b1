/* SPDX-License-Identifier: EPICS */
/** @file psChildHook.h
 *  @brief Commands of the user that are run for a child: --hung-command and --event-command.
 *
 *  What they print goes to console and log, as does how they ended unless they ended well.  They
 *  have the child's environment, but for what belongs to the child alone, its directory, and
 *  variables of their own.
 *  Thread: loop.  Blocks: never, but for psChildHookFree().
 */
#ifndef INC_psChildHook_H
#define INC_psChildHook_H

#include "child/psChildPvt.h"
#include "model/psEventGate.h"

/** Prepare what the configuration asks for.  Thread: any, when the child is made.
 *  @return 0 or -ENOMEM */
int psChildHookInit(psChild *child, const psInherit *inherit);
/** May be called twice.  Thread: any, once the loop has ended or before it runs.  Blocks: as
 *  psRunnerFree(). */
void psChildHookFree(psChild *child);

/** Run the hung command.
 *  @param over called when it is over, unless psChildHookStopHung() came before
 *  @return false: there is none, or it could not be started: do not wait for it */
bool psChildHookHung(psChild *child, const char *reason, void (*over)(psChild *child));
/** What the hung command was run for is called off: end it. */
void psChildHookStopHung(psChild *child);
/** A process has ended, and another one may be started before its event is passed on: keep the
 *  last lines of the console for that.  psChildHookEvent() follows in the same step. */
void psChildHookNote(psChild *child);
/** Something has happened: run the event command now, later, or not at all.
 *  @param pid      of the process concerned; 0: none
 *  @param exitCode status, 128+N for signal N; < 0: none */
void psChildHookEvent(psChild *child, psNews news, int pid, int exitCode, const char *reason);

/** @name The end @{ */
/** Nothing is started any more, and the hung command is ended; the event command may go on until
 *  psChildHookGiveUp(). */
void psChildHookEnd(psChild *child);
/** Does one still run? */
bool psChildHookBusy(const psChild *child);
void psChildHookGiveUp(psChild *child);
/** @} */

#endif
