/* SPDX-License-Identifier: EPICS */
/** @file psFeed.h
 *  @brief The one way from the loop thread to everybody else: a child's published status, and
 *  its transitions until they are taken.  Level 2.
 *
 *  Guarded by a leaf mutex of its own: nothing else is locked under it, no call-out is made
 *  with it held.  Untaken transitions cost memory only while there are any; beyond
 *  PS_TRANSITIONS the oldest is dropped (Seq shows the gap).
 */
#ifndef INC_psFeed_H
#define INC_psFeed_H

#include "base/psTypes.h"

typedef struct psFeed psFeed;

/** @return NULL without memory */
psFeed *psFeedCreate(const psStatus *first);
void psFeedFree(psFeed *feed);
/** The next transition: numbers it (seq), stores it, calls the subscriber.  Thread: loop. */
void psFeedPublish(psFeed *feed, const psStatus *news);
/** Number of consoles in the newest: no transition.  Thread: loop. */
void psFeedCounts(psFeed *feed, int clients, int loggers);
/** The newest.  Thread: any. */
void psFeedNewest(psFeed *feed, psStatus *out);
/** @return 1 taken and more are waiting, 0 taken and none is left, -EAGAIN none.  Thread: any. */
int psFeedNext(psFeed *feed, psStatus *out);
/** As psSupSubscribe(). */
void psFeedSubscribe(psFeed *feed, void (*fn)(void *ctx), void *ctx);

#endif
