/* SPDX-License-Identifier: EPICS */
/** @file psOptions.h
 *  @brief The command line: argv to what is to be done.
 *
 *  Pure: nothing is printed, opened or ended here, so the whole grammar is unit-tested.
 */
#ifndef INC_psOptions_H
#define INC_psOptions_H

#include "psProgram.h"

/** @param argv   argv[0] as given; must live as long as the result
 *  @param lookup getenv(), or a test's own
 *  @return NULL without memory; free by psProgramFree() */
psProgram *psOptionsParse(int argc, char *const *argv, char *(*lookup)(const char *name));
void psProgramFree(psProgram *program);

#endif
