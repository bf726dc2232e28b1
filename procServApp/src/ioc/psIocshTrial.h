/* SPDX-License-Identifier: EPICS */
/** @file psIocshTrial.h
 *  @brief What all commands of the IOC shell share: is this a trial, and how a command is refused.
 *  Thread: the shell's.  Blocks: on standard error only.
 */
#ifndef INC_psIocshTrial_H
#define INC_psIocshTrial_H

#include "psIoc.h"

/** @return what psIocSetTrial() was given; NULL: what is asked is done */
const psIocTrial *psIocshTrial(void);
/** Say in one line why @p command was not carried out, and set the shell's error status. */
void psIocshRefuse(const char *command, const char *msg);
/** As psIocshRefuse(), for a negative errno; -ENOENT means that there is no such child.
 *  @param name of the child; NULL: all */
void psIocshRefuseStatus(const char *command, const char *name, int status);

#endif
