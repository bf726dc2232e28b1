/* SPDX-License-Identifier: EPICS */
/** @file psPutTrap.h
 *  @brief Finds out who puts a value: the listener of access security (rules with TRAPWRITE).
 *
 *  Base's record processing does not know the user.  The listener is called before the put, in
 *  the thread that then processes the record; it leaves the name for that thread, and with the
 *  record for the case that the record is busy and another thread processes it later.
 */
#ifndef INC_psPutTrap_H
#define INC_psPutTrap_H

#include <stdbool.h>
#include <stddef.h>

#include <dbCommon.h>

#include "psTypes.h"

/** Belongs to one record; all zero at first; guarded by the record's lock. */
typedef struct psPutSlot {
    char by[PS_BY_BYTES]; /**< of a put not yet processed; "": none */
    bool byWhole;         /* that one can be longer than a string of Channel Access */
    bool whole;           /**< the same of the put that was taken last */
} psPutSlot;

/** What is done for the records of interest; called without a lock. */
typedef struct psPutTrapOps {
    /** The slot of a record; NULL if it is of no interest.  Thread: any.  Must not block. */
    psPutSlot *(*slotOf)(const dbCommon *prec);
    /** A put is about to be refused since the record is disabled (DISP).  Thread: the server's. */
    void (*refused)(const dbCommon *prec, const char *by);
} psPutTrapOps;

/** Register the listener.  Later calls do nothing.  @param ops static.  Thread: any. */
void psPutTrapInit(const psPutTrapOps *ops);

/** Who put the value that is processed now?  Each put is given once.
 *  Thread: the one that processes the record, record locked.
 *  @return true and "user@host", or false: no put of it was trapped */
bool psPutTrapTake(psPutSlot *slot, char *outBy, size_t size);

#endif
