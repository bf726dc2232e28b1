/* SPDX-License-Identifier: EPICS */
/** @file psCheck.h
 *  @brief `--check`: would this command line work?
 */
#ifndef INC_psCheck_H
#define INC_psCheck_H

#include "psOptions.h"
#include "psServeOptions.h"

/** Try everything that can be tried without starting anything, and print a line for each on
 *  standard output.
 *  @param sup   how the supervisor would be made
 *  @param serve how the IOC would be made; .sup is NULL
 *  Thread: main, before there is any other; forks and execs.  Blocks: up to 20 s for each file of
 *  the IOC, and while names of hosts are looked up.
 *  @return the exit code */
int psCheck(const psProgram *program, const psSupOptions *sup, const psServeOptions *serve);

#endif
