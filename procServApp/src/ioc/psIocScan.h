/* SPDX-License-Identifier: EPICS */
/** @file psIocScan.h
 *  @brief When a head record is scanned: the state machine.  Pure: events in, actions out.
 *
 *  A head is a record on I/O Intr whose forward links process a whole set of records.  What it
 *  shows may change faster than its records can follow, so its scans are paced: the next one is
 *  requested when the last one is complete, and psIocScan.gapSec after it was requested at the
 *  earliest, since clients of Channel Access lose updates that come without a pause.
 *
 *                     start             publish
 *      +-----+ ------------------> +------+ ------> +---------+
 *      | Off |                     | Idle |         | Waiting | the timer runs
 *      +-----+ <--- stop, from     +------+         +---------+
 *                   every state       ^  ^            |     ^ ^
 *                                     |  |   gap over |     | | refused: again after a pause
 *                          all done,  |  |            v     | |
 *                        nothing new  |  |          +--------+|
 *                                     |  +----------| Asking || inside scanIoRequest()
 *                                     |   all done  +--------+|
 *                                     |                 |     |
 *                                     |        accepted |     | all done, and something
 *                                     |                 v     | new was published
 *                                     |             +----------+
 *                                     +-------------| Scanning | n priorities are queued
 *                                                   +----------+
 *
 *  Where the gap is over already, Waiting is passed through at once.  Base may complete a scan
 *  before scanIoRequest() has returned: then Asking leads to Idle or Waiting without Scanning.
 *
 *  One scan shows one value.  The head's read takes a new one only once per scan (its record may
 *  also be processed by a put to .PROC, and there may be two records of the same head).
 *
 *  Thread: any, but one at a time: the owner's lock guards the machine.  Blocks: never.
 */
#ifndef INC_psIocScan_H
#define INC_psIocScan_H

#include <stdbool.h>
#include <stdint.h>

#define PS_SCAN_RETRY_SEC 1.0 /**< at most, after requests that were refused */

typedef enum psIocScanState {
    psIocScanOff,      /**< the IOC does not run: nothing is requested */
    psIocScanIdle,     /**< the records show what there is */
    psIocScanWaiting,  /**< something is to be shown when the gap is over */
    psIocScanAsking,   /**< a scan is being requested */
    psIocScanScanning, /**< a scan is under way */
} psIocScanState;

typedef enum psIocScanEvent {
    psIocScanStart,    /**< the IOC runs: show what there is */
    psIocScanStop,     /**< it ends */
    psIocScanPublish,  /**< there may be something new to show */
    psIocScanTimer,    /**< the timer has expired, or should have; does no harm at any time */
    psIocScanAsked,    /**< the request has returned; count: priorities queued, 0: refused */
    psIocScanComplete, /**< all records of one priority have been processed */
    psIocScanAnnounce, /**< report once more, by the timer, that the records show what they do */
} psIocScanEvent;

/** What the caller has to do, in this order; any combination. */
typedef enum psIocScanAction {
    psIocScanDoShown = 1, /**< report that all records show transition psIocScan.shown */
    psIocScanDoAsk = 2,   /**< request a scan, then event psIocScanAsked */
    psIocScanDoArm = 4,   /**< start the timer with psIocScan.pauseSec */
} psIocScanAction;

/** Embedded in a head; all zero but gapSec is Off. */
typedef struct psIocScan {
    double gapSec; /**< fixed; between two requests, > 0 */
    psIocScanState state;
    bool more;        /* something was published since the last request */
    bool fresh;       /* the next read takes a value: the first one of this scan */
    bool announce;    /* the timer is to report that the records show what they do */
    int open;         /* priorities queued and not complete; < 0 while Asking */
    uint32_t taken;   /* number of the transition taken last */
    double notBefore; /* monotonic s, of the next request */
    double retrySec;  /* pause after the next refusal */
    uint32_t shown;   /**< number of the transition that all records show */
    double pauseSec;  /**< of psIocScanDoArm, s; >= 0 */
} psIocScan;

/** @param now monotonic, s
 *  @param count of psIocScanAsked, else ignored
 *  @return psIocScanAction bits */
unsigned psIocScanStep(psIocScan *scan, psIocScanEvent event, double now, int count);

/** The head's record is read.  @return true if it shall take a new value, once per scan */
bool psIocScanRead(psIocScan *scan);
/** The read, or anything else, has taken transition @p seq.
 *  @param more whether another one is waiting: it is scanned for when this scan is complete */
void psIocScanTook(psIocScan *scan, uint32_t seq, bool more);

#endif
