/* SPDX-License-Identifier: EPICS */
/** @file psChildReport.h
 *  @brief What people and records learn of a child: console messages and the published status.
 *  Level 4, used by psChild only.  Thread: loop.
 */
#ifndef INC_psChildReport_H
#define INC_psChildReport_H

#include <compilerDependencies.h>

#include "child/psChild.h"

/** @name Console and log. @{ */
void psReportBanner(psChild *child, psText *out, bool readOnly);
void psReportRestarting(psChild *child);
void psReportSpawned(psChild *child);
/** @param why a sentence, from psSpawnExplain() */
void psReportSpawnFailed(psChild *child, const psSpawnOutcome *outcome, const char *why);
void psReportKillKey(psChild *child);
void psReportMode(psChild *child);
void psReportInputFull(psClient *typist, size_t lost);
void psReportLineTooLong(psClient *typist);
void psReportNotice(psChild *child, const char *fmt, ...) EPICS_PRINTF_STYLE(2, 3);
/** @} */

/** An end, after the machine decided what follows and before it is done.
 *  @param why of a start that failed, else NULL */
void psReportEnd(psChild *child, const psOutput *out, const char *why);

/** @name Commands: the last one is published. @{ */
int psReportCommand(psChild *child, const psCommand *cmd); /**< @return its number */
void psReportCommandEnded(psChild *child, int seq, psCmdState how, const char *msg);
/** @} */

/** Number of consoles, without a transition. */
void psReportCounts(psChild *child);
/** The next transition. */
void psReportPublish(psChild *child);

#endif
