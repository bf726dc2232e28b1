/* SPDX-License-Identifier: EPICS */
/** @file psChildText.h
 *  @brief Sentences about a child for people: on its console and log, and in its status.
 *
 *  The texts that procServ has, too, are those of base/psMessages.h, byte for byte.
 *  Thread: loop; texts for the status also the one that makes the child, before the loop has it.
 *  Blocks: never.
 */
#ifndef INC_psChildText_H
#define INC_psChildText_H

#include <compilerDependencies.h>

#include "child/psChildPvt.h"

/** @name For the status; cut to @p size @{ */
/** The state, why, and what comes next.  Of a hung process, after psChildWatchText(). */
void psChildTextState(const psChild *child, char *out, size_t size);
/** Local time of day @p mono, a monotonic time near now: "12:34:56". */
void psChildTextTimeOfDay(const psChild *child, double mono, char *out, size_t size);
/** The last end.
 *  @param why    a start failed, else NULL
 *  @param runSec how long the process ran, s */
void psChildTextExit(const psChild *child, const psOutput *decision, const char *why, int runSec,
                     char *out, size_t size);
/** @} */

/** @name On console and log @{ */
void psChildTextBanner(const psChild *child, psText *out, bool readOnly);
void psChildTextRestarting(psChild *child);
void psChildTextSpawned(psChild *child);
/** @param why a sentence, from psSpawnExplain() */
void psChildTextSpawnFailed(psChild *child, const psSpawnOutcome *outcome, const char *why);
/** After psChildStatusEnded(). */
void psChildTextEnded(psChild *child);
/** Readiness has changed.  Without a rule nothing is printed. */
void psChildTextReady(psChild *child);
void psChildTextKillKey(psChild *child);
void psChildTextMode(psChild *child);
/** A notice of ours, `@@@ ...`. */
void psChildTextNotice(psChild *child, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);
/** @} */

/** @name To one client @{ */
void psChildTextInputLost(psClient *typist, size_t lost, bool noMemory);
/** @p key was pressed a second time, just after the first one has led to a start. */
void psChildTextJustStarted(psClient *typist, unsigned char key);
/** --key-guard: @p key was pressed once.
 *  @param sec  within which it must be pressed again
 *  @param ends what it does then: "kills the child" */
void psChildTextPressAgain(psClient *typist, unsigned char key, double sec, const char *ends);
void psChildTextLineTooLong(psClient *typist);
/** @} */

#endif
