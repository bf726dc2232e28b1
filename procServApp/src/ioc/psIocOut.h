/* SPDX-License-Identifier: EPICS */
/** @file psIocOut.h
 *  @brief What the output records share: commands and settings are asynchronous.
 *
 *  First pass: the command is queued and PACT is set.  When it is done, or failed, the second
 *  pass sets the alarm and clears PACT.  The supervisor completes every command exactly once,
 *  so PACT ends always; a completion that finds the callback queue full is tried again once a
 *  second.  Outputs are never freed: a command that ends after iocShutdown finds its own, of an
 *  epoch that is over, and does nothing.
 */
#ifndef INC_psIocOut_H
#define INC_psIocOut_H

#include <callback.h>
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

struct psOut {
    psIocWatch watch; /* first: found again from a poll */
    /* fixed after init_record */
    dbCommon *prec;
    psIocChild *child;
    const psOutItem *item;
    int epoch;                                    /* of the IOC the record belongs to */
    double (*value)(const dbCommon *prec);        /* of the record's VAL */
    void (*adopt)(dbCommon *prec, double actual); /* copy a setting into VAL */
    /* guarded by the record lock */
    double accepted; /* value of the command in progress */
    bool readback;   /* the next write copies the actual setting */
    /* guarded by lock */
    epicsMutexId lock;    /* leaf */
    char by[PS_BY_BYTES]; /* of a trapped put not yet processed; "": none */
    psCmdState how;       /* of the command that ended */
    char msg[PS_TEXT_BYTES];
    bool completeStuck;     /* no room in the callback queue */
    bool syncQueued;        /* sync is on its way */
    double seen;            /* setting as last told to the record */
    bool closed;            /* what DISP was last set to by us */
    epicsCallback complete; /* second pass */
    epicsCallback sync;     /* DISP, and a setting changed elsewhere */
};

/** init_record of every output.  @return 0 or S_dev_badInitRet after saying why on errlog; then
 *  dpvt is NULL, and every write fails with an alarm */
long psOutInit(dbCommon *prec, const struct link *link, const psOutItem *items, size_t count,
               double (*value)(const dbCommon *), void (*adopt)(dbCommon *, double));

/** Is this record one of ours?  @return its output or NULL */
psOut *psOutOf(const dbCommon *prec);

/** What a write function is to do with its value. */
typedef enum psOutNext {
    psOutKeep, /**< nothing: return 0 */
    psOutWait, /**< PACT is set: a command posts VAL and sets MLST */
    psOutZero, /**< set VAL to 0; the alarm, if any, is set */
} psOutNext;

/** Either pass of a write. */
psOutNext psOutWrite(dbCommon *prec);

/** A new iocInit: outputs of the last one are dead. */
void psOutNewEpoch(void);
/** Should commands be closed by DISP now? */
void psOutSetInsecure(bool insecure);

#endif
