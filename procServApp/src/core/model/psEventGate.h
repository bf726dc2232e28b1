/* SPDX-License-Identifier: EPICS */
/** @file psEventGate.h
 *  @brief Which events are passed to the event command of a child, and when.
 *
 *  At most one command at a time, and one start in PS_EVENT_GAP_SEC.  What a crash has to say is
 *  said by the next one, so a crash that comes too early is only counted.  The other events tell
 *  what lasts: one of them waits for its turn, the newest.
 *  Pure.  Times are monotonic seconds.  Thread: one, the owner's.
 */
#ifndef INC_psEventGate_H
#define INC_psEventGate_H

#include <stdbool.h>

#define PS_EVENT_GAP_SEC 10.0 /**< from one start of the command to the next, at least */

typedef enum psNews {
    psNewsNone,
    psNewsCrash,     /**< it ended, or could not be started, and nobody had asked */
    psNewsCrashLoop, /**< the same, and it is not started any more */
    psNewsHung,      /**< it shows no sign of life */
    psNewsRecovered, /**< it was hung, and shows life */
    psNewsCount
} psNews;

/** "crash", "CrashLoop", "hung", "recovered"; "" for none. */
const char *psNewsName(psNews news);

typedef struct psEventGate {
    double nextMono;  /* not before that; 0: at once */
    bool busy;        /* a command is under way */
    psNews waiting;   /* psNewsNone: nothing */
    unsigned skipped; /* events not passed on, and not reported yet */
} psEventGate;

/** Something has happened.
 *  @return true: start the command for it now, then psEventGateStarted(); false: it waits or is
 *          counted */
bool psEventGateOffer(psEventGate *gate, psNews news, double now);
/** The command was started, or could not be: either counts. */
void psEventGateStarted(psEventGate *gate, double now);
/** The command that was started has ended. */
void psEventGateEnded(psEventGate *gate);
/** When psEventGateTake() has something to say; HUGE_VAL: not before the next event or end. */
double psEventGateDue(const psEventGate *gate);
/** The time has come.
 *  @param outSkipped how many events were not passed on since this was asked last
 *  @return the event whose turn it is: start the command, if it is still true, then
 *          psEventGateStarted(); psNewsNone: there is none */
psNews psEventGateTake(psEventGate *gate, double now, unsigned *outSkipped);

#endif
