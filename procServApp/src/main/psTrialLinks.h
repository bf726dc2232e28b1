/* SPDX-License-Identifier: EPICS */
/** @file psTrialLinks.h
 *  @brief Does each record that shows a child name one that will be supervised?
 *
 *  Thread: main, in the process of a trial.
 */
#ifndef INC_psTrialLinks_H
#define INC_psTrialLinks_H

#include <stdbool.h>

#include "psServeOptions.h"

/** A child of that name will be supervised.  @return false: it was known already */
bool psTrialLinksKnow(const char *name);

/** The records of that child, which is known, have to follow the PVs of its --ready-pv and
 *  --watch-pv. */
void psTrialLinksWant(const psConfig *cfg);

/** Report what no child of those is: for each name that no link of device support "procServ" may
 *  have, one record that has it.  Report the records of a child that lack a PV which it wants, and
 *  records that have the same place in a supervisor's PVI, where only one is shown.  After
 *  iocBuildIsolated(). */
void psTrialLinksCheck(psReportFn report, void *ctx);

#endif
