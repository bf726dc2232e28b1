/* SPDX-License-Identifier: EPICS */
/** @file psChildWatchText.h
 *  @brief Sentences for people about the watchdogs of a child.
 *
 *  Texts are cut to @p size.  Thread: loop; those for the status also the one that makes the child.
 *  Blocks: never.
 */
#ifndef INC_psChildWatchText_H
#define INC_psChildWatchText_H

#include "child/psChildPvt.h"

/** AliveMsg: which watchdogs there are, or which one found it hung, and since when. */
void psChildWatchText(const psChild *child, char *out, size_t size);
/** Of a watchdog that found it hung: "no output since 12:34:56, limit 60 s". */
void psChildWatchTextReason(const psChild *child, char *out, size_t size);

#endif
