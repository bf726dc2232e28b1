/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <regex.h>
#include <stdlib.h>

#include "child/psChildReady.h"
#include "child/psChildText.h"

#define NEWS_SEC 0.1 /* changes of readiness are published at most so often */

void psChildReadyClear(psChild *child)
{
    psLoopDisarm(&child->readyNewsTimer);
    psLoopCancel(child->loop, &child->readyJob);
    psLoopCancel(child->loop, &child->readyPvJob);
    psMatcherFree(child->matcher);
    child->matcher = NULL;
}

/* ---- lines of its output ---- */

static bool matches(void *what, const char *line)
{
    return regexec(what, line, 0, NULL, 0) == 0;
}

static void freeRegex(void *what)
{
    regfree(what);
    free(what);
}

/* No line is waited for any more. */
static void endMatching(psChild *child)
{
    unsigned long dropped = child->matcher ? psMatcherDropped(child->matcher) : 0;

    if (!child->matcher)
        return;
    psMatcherEnd(child->matcher);
    if (dropped > 1)
        psChildTextNotice(child, "%lu lines of \"%s\" were not compared with --ready-match",
                          dropped, child->name);
}

static void matched(void *ctx)
{
    psChild *child = ctx;

    endMatching(child);
    if (psReadinessMatched(&child->readiness, psChildNow(child)))
        psChildReadyChanged(child);
}

static void dropped(void *ctx, const char *why)
{
    psChild *child = ctx;

    psChildTextNotice(child, "lines of \"%s\" are not compared with --ready-match: %s", child->name,
                      why);
}

static int createMatcher(psChild *child)
{
    static const psMatcherOps ops = {.matched = matched, .dropped = dropped};
    regex_t *regex = calloc(1, sizeof(*regex));
    psMatcherTest test = {.matches = matches, .free = freeRegex, .what = regex};

    /* That it compiles was checked when it was configured. */
    if (!regex || regcomp(regex, child->cfg->readyWhat, REG_EXTENDED | REG_NOSUB)) {
        free(regex);
        return -ENOMEM;
    }
    child->matcher = psMatcherCreate(child->loop, &test, &ops, child);
    if (child->matcher)
        return 0;
    freeRegex(regex);
    return -ENOMEM;
}

/* ---- readiness ---- */

void psChildReadyFollow(psChild *child)
{
    bool runs = child->machine.state == psStateRunning;

    psLoopAssertInside(child->loop);
    if (runs == child->readiness.running)
        return;
    if (!runs) {
        psReadinessEnd(&child->readiness);
        endMatching(child);
        return;
    }
    psReadinessBegin(&child->readiness, psChildNow(child));
    child->readyNoticed = 0;
    child->readyUnfit = false;
    if (child->matcher)
        psMatcherBegin(child->matcher);
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

void psChildReadyPrinted(psChild *child, size_t len)
{
    const psRing *ring = &psConsoleOutputFlow(&child->console.output, false)->ring;
    const char *bytes;

    if (!child->matcher || !child->readiness.running || child->readiness.met)
        return;
    psLoopAssertInside(child->loop);
    while (len > 0) {
        size_t piece = psRingPeek(ring, ring->head - len, &bytes);

        psMatcherFeed(child->matcher, bytes, piece < len ? piece : len);
        len -= piece < len ? piece : len;
    }
}

int psChildReadyInit(psChild *child)
{
    const psConfig *cfg = child->cfg;

    child->readyPvJob = (psJob){.fn = lookAtPv, .ctx = child};
    child->readyMono = -NEWS_SEC;
    psReadinessInit(&child->readiness, cfg->readyRule, cfg->readyWhat, cfg->readyTimeoutSec);
    return cfg->readyRule == psReadyMatch ? createMatcher(child) : 0;
}
