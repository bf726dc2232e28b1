/* SPDX-License-Identifier: EPICS */
/** @file psIocAccess.h
 *  @brief What access security lets clients do with our records, as far as we need to know.
 */
#ifndef INC_psIocAccess_H
#define INC_psIocAccess_H

#include <stdbool.h>

#include <dbCommon.h>

/** Is access security active?  Thread: any.  Blocks: never. */
bool psIocAccessActive(void);

/** Shall commands and settings be closed by DISP?  They are while access security is not active,
 *  since anybody on the network could write then, unless psIocSetInsecure() says otherwise.
 *  Thread: any.  Blocks: never. */
bool psIocAccessClosed(void);

/** Would every client that may write @p prec be named by the put trap?
 *  Thread: any that runs in the IOC.  Blocks: on the lock of access security.
 *  @return NULL if so; else why not, in a few words (static) */
const char *psIocAccessUnnamed(const dbCommon *prec);

/** Report on errlog, one line each, where the rules that were loaded close or open more than
 *  meant.  Thread: the one that runs iocInit, when the rules are loaded.
 *  @param hosted other records than ours are served by this IOC, whose rules are not ours */
void psIocAccessWarn(bool hosted);

#endif
