/* SPDX-License-Identifier: EPICS */
/** @file psPutTrap.h
 *  @brief Who is putting: the listener of access security (rules with TRAPWRITE).
 *
 *  Base's record processing does not know the user.  The listener is called before the put in
 *  the thread that then processes the record; it leaves the name for that thread, and with the
 *  output for the case that the record is busy and another thread processes it later.
 */
#ifndef INC_psPutTrap_H
#define INC_psPutTrap_H

#include "psIocOut.h"

/** Register the listener.  Idempotent. */
void psPutTrapInit(void);

/** Who put this value: user@host, or "local" for what does not trap (dbpf, links).  Each put is
 *  given once.  Thread: the one that processes @p out's record, record locked. */
void psPutTrapTake(psOut *out, char *by, size_t size);

#endif
