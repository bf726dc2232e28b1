/* SPDX-License-Identifier: EPICS */
/** @file psIocWho.h
 *  @brief The user who gave a command, and the line that shows it on console and log.
 */
#ifndef INC_psIocWho_H
#define INC_psIocWho_H

#include "psPutTrap.h"

/** Who put the value that @p prec processes now: "user@host" where a rule traps the put; "local"
 *  for what no client can have put; else "unknown (...)", since what is not trapped is dbpf, a
 *  link, a sequencer, or a client whose rule has no TRAPWRITE.
 *  @param slot of the record
 *  @param putWaited the value was put while the record was busy
 *  Thread: the one that processes the record, record locked.  Blocks: on the lock of access
 *  security. */
void psIocWhoPut(psPutSlot *slot, const dbCommon *prec, bool putWaited, char outBy[PS_BY_BYTES]);

/** "2026-11-23 15:49:52 ops@ws3 put IOC1:PS:Restart 1", cut to @p size.
 *  @param what the command in the giver's words: "put IOC1:PS:Restart 1" */
void psIocWhoLine(const char *by, const char *what, char *out, size_t size);

#endif
