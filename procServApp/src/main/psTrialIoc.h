/* SPDX-License-Identifier: EPICS */
/** @file psTrialIoc.h
 *  @brief `procServIoc --check-ioc`: what happens in the process of a trial (psTrial.h).
 */
#ifndef INC_psTrialIoc_H
#define INC_psTrialIoc_H

#include "psServeOptions.h"

/** Build the IOC in this very process, isolated, and print one line per finding on standard
 *  output.  Serves nothing, supervises nothing and starts nothing.  With psTrialChildren the
 *  script's database is not even loaded.
 *  @param options .sup is NULL
 *  @param sup     how a supervisor would be made: what the children are checked with
 *  Thread: main, instead of anything else.  Does not return: the exit status is 0 or 1 (bad). */
void psTrialIoc(const psServeOptions *options, psTrialMode mode, const psSupOptions *sup);

#endif
