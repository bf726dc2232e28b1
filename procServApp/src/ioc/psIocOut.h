/* SPDX-License-Identifier: EPICS */
/** @file psIocOut.h
 *  @brief What the output records share: commands and settings are asynchronous.
 *
 *  First pass: the command is queued and PACT is set.  When it is done, or has failed, and the
 *  status records show how, the second pass sets the alarm and clears PACT: whoever has waited for
 *  a put reads what it led to.  The supervisor completes every command exactly once, so PACT
 *  always ends.  Outputs are never freed: a command that ends after iocShutdown finds its own, of
 *  an epoch that is over, and does nothing.
 *
 *  A signal that nobody waits for needs no PACT: of three quick puts VAL could only hold the last,
 *  and all three are to be sent.  Its failure is shown by processing the record once more.
 *
 *  The record of a text refuses what a client has cut: strings of Channel Access and of QSRV have
 *  39 characters, and the rest of a longer text is dropped without a word.  So a text of 39 is
 *  taken only if it was put to the field VAL$, which can hold more.
 *
 *  A record that its template has disabled (DISP) stays so.  Of all others DISP follows access
 *  security, and the lockout of the child.
 *
 *  The record of a command shows an alarm as long as the last command given by it has failed, and
 *  its reason as the alarm's message; a command that is done, or a put of 0, clears it.
 */
#ifndef INC_psIocOut_H
#define INC_psIocOut_H

#include <devSup.h>

#include "psIocTarget.h"
#include "psPutTrap.h"

typedef struct psOut psOut;

/** Where a record type has what. */
typedef struct psOutType {
    double (*value)(const dbCommon *prec);       /**< of VAL */
    void (*adopt)(dbCommon *prec, double value); /**< copy it into VAL */
    /** Show VAL to monitors now, since it is 0 again at the end; NULL: settings only */
    void (*post)(dbCommon *prec);
    /** VAL of a type whose values are texts, else NULL.  Then value() says whether it has one, and
     *  adopt(0) leaves none. */
    const char *(*text)(const dbCommon *prec);
    void (*adoptText)(dbCommon *prec, const char *text); /**< with text: copy it into VAL */
} psOutType;

/** init_record of every output.  Thread: the one that runs iocInit.
 *  @return 0, or S_dev_badInitRet after saying why on errlog; then dpvt is NULL, and every write
 *          fails with an alarm */
long psOutInit(dbCommon *prec, const struct link *link, const psItemTable *items,
               const psOutType *type);

/** Either pass of a write.  Thread: any, record locked.  Blocks: never. */
void psOutWrite(dbCommon *prec, const psOutType *type);

/** A new iocInit: outputs of the last one are dead.  Thread: the one that runs iocInit. */
void psOutNewEpoch(void);

/** @name For the put trap.  @param out dpvt of an output record, not NULL @{ */
psPutSlot *psOutSlot(psOut *out);
/** Record that @p by was refused since the record is disabled.  Thread: any.  Blocks: never. */
void psOutRefused(psOut *out, const char *by);
/** @} */

#endif
