/* SPDX-License-Identifier: EPICS */
/** @file psTestSup.h
 *  @brief What tests of records share: a supervisor with children, and how it ends with the IOC.
 *
 *  A function that fails ends the test with the reason.  Thread: the test's.
 */
#ifndef INC_psTestSup_H
#define INC_psTestSup_H

#include "psSup.h"

/** @return a supervisor without children that is not started */
psSup *psTestSupCreate(void);
/** Add a child without hold-off.
 *  @param mode an option without a value, as "wait"; NULL: none
 *  @param argc of @p argv, its command */
void psTestSupAdd(psSup *sup, const char *name, const char *mode, int argc,
                  const char *const *argv);
void psTestSupStart(psSup *sup);
/** End the IOC, the supervisor and the database: a point of the plan.  Frees @p sup. */
void psTestSupEnd(psSup *sup);

#endif
