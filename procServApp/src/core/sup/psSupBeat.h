/* SPDX-License-Identifier: EPICS */
/** @file psSupBeat.h
 *  @brief The heartbeat of the loop: a count that goes on once per second while the loop works, and
 *  the longest round of the last minute.
 *
 *  It costs one wake-up per second, and only while somebody wants it.
 */
#ifndef INC_psSupBeat_H
#define INC_psSupBeat_H

#include <stdatomic.h>
#include <stdint.h>

#include <epicsMutex.h>

#include "loop/psLoop.h"

#define PS_SUP_BEAT_SEC 1.0
#define PS_SUP_BEAT_WORST 60 /**< beats for which the longest round is remembered */

typedef struct psSupBeat {
    /* fixed after psSupBeatInit */
    psLoop *loop;
    psJob job;
    atomic_bool wanted;
    psTimer timer; /* loop thread only */
    epicsMutexId lock;
    /* guarded by lock */
    uint32_t count;
    double longestSec[PS_SUP_BEAT_WORST]; /* one per beat, in a circle */
} psSupBeat;

/** Thread: any, before the loop runs.  @return 0 or -ENOMEM; psSupBeatClear() is right in any case
 */
int psSupBeatInit(psSupBeat *beat, psLoop *loop);
/** May be called twice, and on an object of zeros.  Thread: any, once the loop has ended. */
void psSupBeatClear(psSupBeat *beat);
/** Let it beat from now on, or no longer.  Thread: any.  Blocks: never. */
void psSupBeatWant(psSupBeat *beat, bool wanted);
/** @param outLongestSec of a round of the loop within the last PS_SUP_BEAT_WORST beats, s
 *  Thread: any.  Blocks: never.  @return beats since the start */
uint32_t psSupBeatCount(psSupBeat *beat, double *outLongestSec);

#endif
