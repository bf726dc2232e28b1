/* SPDX-License-Identifier: EPICS */
/** @file psBaseText.h
 *  @brief What Base writes for people, made fit for one line of ours.
 */
#ifndef INC_psBaseText_H
#define INC_psBaseText_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Copy the first line of @p text that says something: without colours (ESC [ 31;1m), without the
 *  place in Base's source that errPrintf() puts in front, without blanks at its ends.  Cut to
 *  @p size.  @p text and @p out must not overlap.
 *  @return its length; 0: there is none, and @p out is "" */
size_t psBaseLine(const char *text, char *out, size_t size);

/** Does one of Base's servers say that its TCP port is not the standard one?  Ours is not to be.
 *  The CA server says so, and what may come of it, in five lines "cas WARNING: ...", which may be
 *  in colour; the PVA server in one, after the time.  @p line may end in a line feed for the
 *  former. */
bool psBaseIsPortRemark(const char *line);

#ifdef __cplusplus
}
#endif
#endif
