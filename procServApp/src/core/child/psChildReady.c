/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#include "child/psChildReady.h"
#include "console/psLine.h"

#define NEWS_SEC 0.1 /* changes of readiness are published at most so often */

/* What a rule with an expression needs, made with the child, since a start allocates nothing. */
typedef struct psChildMatch {
    regex_t regex;
    psLine line;
} psChildMatch;

void psChildReadyClear(psChild *child)
{
    psLoopDisarm(&child->readyNewsTimer);
    psLoopCancel(child->loop, &child->readyJob);
    psLoopCancel(child->loop, &child->readyPvJob);
    if (child->match)
        regfree(&child->match->regex);
    free(child->match);
    child->match = NULL;
}

void psChildReadyFollow(psChild *child)
{
    bool runs = child->machine.state == psStateRunning;

    psLoopAssertInside(child->loop);
    if (runs == child->readiness.running)
        return;
    if (!runs) {
        psReadinessEnd(&child->readiness);
        return;
    }
    psReadinessBegin(&child->readiness, psChildNow(child));
    child->readyNoticed = 0;
    child->readyUnfit = false;
    if (child->match)
        psLineInit(&child->match->line);
}

static void newsDue(void *ctx)
{
    psChild *child = ctx;

    child->readyMono = psChildNow(child);
    psLoopDefer(child->loop, &child->readyJob);
}

void psChildReadyChanged(psChild *child)
{
    double due = child->readyMono + NEWS_SEC;

    psLoopAssertInside(child->loop);
    if (psChildNow(child) >= due)
        newsDue(child);
    else if (!child->readyNewsTimer.loop)
        psLoopArm(child->loop, &child->readyNewsTimer, due, newsDue, child);
}

static void lookAtPv(void *ctx)
{
    psChild *child = ctx;
    double now = psChildNow(child);
    bool isNew = false;

    if (atomic_exchange(&child->readyPvWasBad, false))
        isNew = psReadinessPv(&child->readiness, psReadyPvBad, now);
    if (psReadinessPv(&child->readiness, (psReadyPvState)atomic_load(&child->readyPv), now) ||
        isNew)
        psChildReadyChanged(child);
}

void psChildReadyPv(psChild *child, psReadyPvState state)
{
    if (atomic_exchange(&child->readyPv, (int)state) == (int)state)
        return;
    if (state != psReadyPvGood)
        atomic_store(&child->readyPvWasBad, true);
    psLoopPost(child->loop, &child->readyPvJob);
}

static void lookAtLine(void *ctx, const char *line, size_t len)
{
    psChild *child = ctx;

    (void)len;
    if (child->readiness.met || regexec(&child->match->regex, line, 0, NULL, 0) != 0)
        return;
    if (psReadinessMatched(&child->readiness, psChildNow(child)))
        psChildReadyChanged(child);
}

void psChildReadyPrinted(psChild *child, size_t len)
{
    const psRing *ring = &psConsoleOutputFlow(&child->console.output, false)->ring;
    const char *bytes;

    if (!child->match || !child->readiness.running || child->readiness.met)
        return;
    psLoopAssertInside(child->loop);
    while (len > 0) {
        size_t piece = psRingPeek(ring, ring->head - len, &bytes);

        psLineFeed(&child->match->line, bytes, piece < len ? piece : len, lookAtLine, child);
        len -= piece < len ? piece : len;
    }
}

int psChildReadyInit(psChild *child)
{
    const psConfig *cfg = child->cfg;

    child->readyPvJob = (psJob){.fn = lookAtPv, .ctx = child};
    child->readyMono = -NEWS_SEC;
    psReadinessInit(&child->readiness, cfg->readyRule, cfg->readyWhat, cfg->readyTimeoutSec);
    if (cfg->readyRule != psReadyMatch)
        return 0;
    psChildMatch *match = calloc(1, sizeof(*match));
    /* That it compiles was checked when it was configured. */
    if (!match || regcomp(&match->regex, cfg->readyWhat, REG_EXTENDED | REG_NOSUB)) {
        free(match);
        return -ENOMEM;
    }
    psLineInit(&match->line);
    child->match = match;
    return 0;
}
