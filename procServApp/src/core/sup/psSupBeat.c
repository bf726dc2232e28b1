/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>

#include "sup/psSupBeat.h"

static void arm(psSupBeat *beat);

static void beatDue(void *ctx)
{
    psSupBeat *beat = ctx;
    double longestSec = psLoopTakeMaxLatency(beat->loop);

    epicsMutexMustLock(beat->lock);
    beat->count++;
    beat->longestSec[beat->count % PS_SUP_BEAT_WORST] = longestSec;
    epicsMutexUnlock(beat->lock);
    arm(beat);
}

/* From now on, not from the last deadline: after a halt no beats are made up for. */
static void arm(psSupBeat *beat)
{
    psLoopArm(beat->loop, &beat->timer, psLoopNow(beat->loop) + PS_SUP_BEAT_SEC, beatDue, beat);
}

static void wantJob(void *ctx)
{
    psSupBeat *beat = ctx;

    psLoopAssertInside(beat->loop);
    if (!beat->wanted)
        psLoopDisarm(&beat->timer);
    else if (!beat->timer.loop)
        arm(beat);
}

int psSupBeatInit(psSupBeat *beat, psLoop *loop)
{
    beat->loop = loop;
    beat->job.fn = wantJob;
    beat->job.ctx = beat;
    beat->lock = epicsMutexCreate();
    return beat->lock ? 0 : -ENOMEM;
}

void psSupBeatClear(psSupBeat *beat)
{
    if (!beat->lock)
        return;
    psLoopCancel(beat->loop, &beat->job);
    psLoopDisarm(&beat->timer);
    epicsMutexDestroy(beat->lock);
    beat->lock = NULL;
}

void psSupBeatWant(psSupBeat *beat, bool wanted)
{
    beat->wanted = wanted;
    psLoopPost(beat->loop, &beat->job);
}

uint32_t psSupBeatCount(psSupBeat *beat, double *outLongestSec)
{
    double longestSec = 0;

    epicsMutexMustLock(beat->lock);
    uint32_t count = beat->count;
    for (int i = 0; i < PS_SUP_BEAT_WORST; i++)
        longestSec = fmax(longestSec, beat->longestSec[i]);
    epicsMutexUnlock(beat->lock);
    *outLongestSec = longestSec;
    return count;
}
