/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#include "child/psChildReady.h"
#include "console/psLine.h"

/* What a rule with an expression needs, made with the child, since a start allocates nothing. */
typedef struct psChildMatch {
    regex_t regex;
    psLine line;
} psChildMatch;

int psChildReadyInit(psChild *child)
{
    const psConfig *cfg = child->cfg;

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

void psChildReadyClear(psChild *child)
{
    if (child->loop)
        psLoopCancel(child->loop, &child->readyJob);
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
    if (child->match)
        psLineInit(&child->match->line);
}

static void changed(psChild *child)
{
    psLoopDefer(child->loop, &child->readyJob);
}

static void lookAtLine(void *ctx, const char *line, size_t len)
{
    psChild *child = ctx;

    (void)len;
    if (child->readiness.met || regexec(&child->match->regex, line, 0, NULL, 0) != 0)
        return;
    if (psReadinessMatched(&child->readiness, psChildNow(child)))
        changed(child);
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
