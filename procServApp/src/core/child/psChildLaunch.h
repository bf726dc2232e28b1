/* SPDX-License-Identifier: EPICS */
/** @file psChildLaunch.h
 *  @brief What every start of a child needs, and what is known of it before the first one:
 *  arguments, environment, facts.  Made once, so that a start allocates nothing.
 *  Thread: any, before the loop knows the child or once it has ended.
 */
#ifndef INC_psChildLaunch_H
#define INC_psChildLaunch_H

#include "child/psChildPvt.h"

/** After the console's endpoints were opened, which PROCSERV_INFO names.
 *  @param inherit kept, as in psChildSetup
 *  @param environ copied
 *  @return false without memory */
bool psChildLaunchPrepare(psChild *child, const psInherit *inherit, char *const *environ);
/** Also of a half-made child.  Blocks: up to 1 s if a start is in progress. */
void psChildLaunchClear(psChild *child);

#endif
