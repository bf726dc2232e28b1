/* SPDX-License-Identifier: EPICS */
/** @file psFlow.h
 *  @brief A ring and its readers: which readers are waited for, and how large the ring is.
 *
 *  The writer waits for a steady reader (psRingReaderSteady): nothing should be written while
 *  such a reader is within PS_FLOW_MARGIN_BYTES of being overrun.  Any other reader loses
 *  bytes.  Before either happens, the ring grows up to its limit; it shrinks again when all
 *  readers are up to date.  Thread: loop, but for psFlowInit(), psFlowClear(), and psFlowAdd()
 *  before the loop knows the flow.  Nothing blocks.
 */
#ifndef INC_psFlow_H
#define INC_psFlow_H

#include <stdbool.h>
#include <stddef.h>

#include <ellLib.h>

#include "console/psRing.h"
#include "loop/psLoop.h"

/** Room that a steady reader must have for more to be written. */
#define PS_FLOW_MARGIN_BYTES 65536

typedef struct psFlow {
    psLoop *loop;
    psRing ring;     /**< data NULL: not in use */
    ELLLIST readers; /* psRingReader.node */
    psTimer shrinkTimer;
    double shrinkDelay;
} psFlow;

/** Sizes as psRingInit().  @return 0 or -ENOMEM */
int psFlowInit(psFlow *flow, psLoop *loop, size_t minSize, size_t maxSize);
/** May be called twice, and on an object of zeros.  Readers are not touched. */
void psFlowClear(psFlow *flow);
/** Have @p reader counted among those of the ring, and no more.  The reader stays its owner's. */
void psFlowAdd(psFlow *flow, psRingReader *reader);
void psFlowRemove(psFlow *flow, psRingReader *reader);
/** May PS_FLOW_MARGIN_BYTES be written?  Grows the ring if a reader lags. */
bool psFlowMayWrite(psFlow *flow);
/** Grow the ring, as far as it may, until @p len bytes overrun nobody.
 *  @return true if no reader is overrun; otherwise those that lag must be served first, or they
 *          lose bytes */
bool psFlowMakeRoom(psFlow *flow, size_t len);

#endif
