/* SPDX-License-Identifier: EPICS */
/** @file psIocOut.h
 *  @brief What the output records share: commands and settings are asynchronous.
 *
 *  First pass: the command is queued and PACT is set.  When it is done, or failed, and the status
 *  records show how, the second pass sets the alarm and clears PACT: who has waited for a put
 *  reads what it led to.  The supervisor completes every command exactly once, so PACT ends
 *  always.  Outputs are never freed: a command that ends after iocShutdown finds its own, of an
 *  epoch that is over, and does nothing.
 *
 *  A signal that nobody waits for needs no PACT: of three quick puts VAL could only hold the last,
 *  and all three are to be sent.  Its failure is told by processing the record once more.
 */
#ifndef INC_psIocOut_H
#define INC_psIocOut_H

#include <dbCommon.h>
#include <devSup.h>
#include <epicsMutex.h>
#include <link.h>

#include "psIocChild.h"

typedef struct psOut psOut;

/** Row of a record type's table. */
typedef struct psOutItem {
    const char *name;
    psVerb verb;
    bool setting; /**< keeps its value, and follows changes made elsewhere */
} psOutItem;

/** Where a record type has what. */
typedef struct psOutType {
    double (*value)(const dbCommon *prec);       /**< of VAL */
    void (*adopt)(dbCommon *prec, double value); /**< copy it into VAL */
    /** Show VAL to monitors now, since it is 0 again at the end; NULL: settings only */
    void (*post)(dbCommon *prec);
} psOutType;

struct psOut {
    psIocWatch watch; /* first: found again from a poll */
    /* fixed after init_record */
    dbCommon *prec;
    psIocChild *child;
    const psOutItem *item;
    int epoch; /* of the IOC the record belongs to */
    const psOutType *type;
    /* guarded by the record lock */
    double accepted; /* value of the command in progress */
    bool readback;   /* the next write copies the actual setting */
    bool telling;    /* the next write tells of a signal that failed */
    /* guarded by lock */
    epicsMutexId lock;    /* leaf */
    char by[PS_BY_BYTES]; /* of a trapped put not yet processed; "": none */
    bool ended;           /* the command in progress has, the second pass is due */
    bool late;            /* a signal that nobody waited for failed: to be told */
    psCmdState how;       /* of either */
    char msg[PS_TEXT_BYTES];
    uint32_t awaited; /* transition that shows the end */
    uint32_t shown;   /* as last told */
    double endedAt;   /* monotonic s */
    double seen;      /* setting as last told to the record */
    bool closed;      /* what DISP was last set to by us */
};

/** init_record of every output.  @return 0 or S_dev_badInitRet after saying why on errlog; then
 *  dpvt is NULL, and every write fails with an alarm */
long psOutInit(dbCommon *prec, const struct link *link, const psOutItem *items, size_t count,
               const psOutType *type);

/** Is this record one of ours?  @return its output or NULL */
psOut *psOutOf(const dbCommon *prec);

/** Either pass of a write. */
void psOutWrite(dbCommon *prec, const psOutType *type);

/** A new iocInit: outputs of the last one are dead. */
void psOutNewEpoch(void);
/** Should commands be closed by DISP now? */
void psOutSetInsecure(bool insecure);

#endif
