/* SPDX-License-Identifier: EPICS */
/** @file psIocshCommand.h
 *  @brief procServCmd, procServSet and procServLockout: what may be asked of children that run.
 */
#ifndef INC_psIocshCommand_H
#define INC_psIocshCommand_H

#include <iocsh.h>

/** One command of the shell. */
typedef struct psIocshRow {
    iocshFuncDef def;
    iocshCallFunc call;
} psIocshRow;

/** The commands, one by one.  Static.  Thread: one at a time.  @return NULL after the last one */
const psIocshRow *psIocshCommandRow(unsigned index);

#endif
