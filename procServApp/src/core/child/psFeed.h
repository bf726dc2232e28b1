/* SPDX-License-Identifier: EPICS */
/** @file psFeed.h
 *  @brief The one way from the loop thread to everybody else: what is published of a child, by
 *  topic, and its transitions until they are taken.
 *
 *  Untaken transitions cost memory only while there are any; beyond PS_TRANSITIONS the oldest is
 *  dropped, and so is one for which there is no memory: the gap in seq shows it.  One leaf mutex
 *  guards the data; each topic has another one, held while its subscriber is called
 *  (docs/design.md, "Threads and ownership").  Blocks: never, but for psFeedPublish...() and
 *  psFeedSubscribe().
 */
#ifndef INC_psFeed_H
#define INC_psFeed_H

#include "base/psTypes.h"

typedef struct psFeed psFeed;

/** @param first what psFeedNewest() gives before the first transition; copied
 *  Thread: any.  @return NULL without memory or a mutex */
psFeed *psFeedCreate(const psStatus *first);
/** NULL does nothing.  Nobody may use it any more. */
void psFeedFree(psFeed *feed);
/** The next transition: number it (seq), store it, call the subscriber.  @p news is copied.
 *  Thread: loop.  Blocks: as the subscriber does. */
void psFeedPublish(psFeed *feed, const psStatus *news);
/** The same for the console, of which only the newest is kept.  Thread: loop.
 *  Blocks: as the subscriber does. */
void psFeedPublishConsole(psFeed *feed, const psConsoleStatus *news);
/** The same for what its processes use.  Thread: one, any.  Blocks: as the subscriber does. */
void psFeedPublishResources(psFeed *feed, const psResources *news);
/** Does anybody subscribe to @p topic?  Thread: any. */
bool psFeedWanted(psFeed *feed, psTopic topic);
/** The newest.  Thread: any. @{ */
void psFeedNewest(psFeed *feed, psStatus *out);
void psFeedConsole(psFeed *feed, psConsoleStatus *out);
void psFeedResources(psFeed *feed, psResources *out);
/** @} */
/** The oldest transition that was not taken.  Thread: any, one at a time.
 *  @return 1 taken and more are waiting, 0 taken and none is left, -EAGAIN none */
int psFeedNext(psFeed *feed, psStatus *out);
/** As psSupSubscribe().  Thread: any but the loop's.  Blocks: while a subscriber is called. */
void psFeedSubscribe(psFeed *feed, psTopic topic, void (*fn)(void *ctx), void *ctx);

#endif
