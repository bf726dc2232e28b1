/* SPDX-License-Identifier: EPICS */
/** @file psHooks.h
 *  @brief The supervisor of this IOC, and what happens to it as the IOC comes and goes.
 */
#ifndef INC_psHooks_H
#define INC_psHooks_H

#include "psIoc.h"

/** psIocSup(), or the one made now: started, with no child, ended by epicsAtExit.
 *  Thread: iocsh's.  @return NULL with a line on errlog */
psSup *psHooksNeedSup(void);

/** procServAdd and its sisters. */
void psIocshRegister(void);

#endif
