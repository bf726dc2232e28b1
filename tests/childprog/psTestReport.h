/* SPDX-License-Identifier: EPICS */
/** @file psTestReport.h
 *  @brief What a process finds when it begins, as lines a script can read.
 */
#ifndef INC_psTestReport_H
#define INC_psTestReport_H

#include <stdio.h>

/** To be printed by psTestReport(); must live until then. */
void psTestReportArguments(int argc, char **argv);
/** One fact a line, "key value"; last comes "report end". */
void psTestReport(FILE *out);

#endif
