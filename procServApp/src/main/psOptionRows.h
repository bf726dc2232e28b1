/* SPDX-License-Identifier: EPICS */
/** @file psOptionRows.h
 *  @brief The options of the command line one by one: their table, what each does, the help.
 *
 *  Options act in the order given; -h and -V at once, whatever else is wrong.  Pure, as
 *  psOptions.h.
 */
#ifndef INC_psOptionRows_H
#define INC_psOptionRows_H

#include "psGetopt.h"
#include "psProgram.h"

/** The options of a child, then those of the program.  @return NULL past the end */
const psOption *psOptionRowAt(unsigned index);
/** Do what an option of the program says.  @return false: it is one of the child */
bool psOptionRowApply(psProgram *program, const psOption *option, const char *value);
/** Append the usage to `out`. */
void psOptionUsage(psProgram *program);
/** Report a value that cannot be used, in `err`. */
void psOptionWrong(psProgram *program, const char *option, const char *problem);

#endif
