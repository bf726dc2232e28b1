/* SPDX-License-Identifier: EPICS */
/** @file psConsolePvt.h
 *  @brief What the parts of a console share.  Private to psConsole*.c.  Thread: loop.
 */
#ifndef INC_psConsolePvt_H
#define INC_psConsolePvt_H

#include "console/psConsole.h"

/** Open the log of the configuration.  Thread: as psConsoleOpen(). */
void psConsoleLogOpen(psConsole *console);
/** The ring that the log reads: the stamped one if there is one. */
psRing *psConsoleLogRing(psConsole *console);
/** Hand on to it what it takes. */
void psConsoleLogPump(psConsole *console);
/** Tell people if it fails, or works again. */
void psConsoleLogTell(psConsole *console);

#endif
