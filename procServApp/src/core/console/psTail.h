/* SPDX-License-Identifier: EPICS */
/** @file psTail.h
 *  @brief The last lines that a ring holds, as plain text: for records, and for what is to be said
 *  when a process has died.
 *
 *  Only as much of the ring is read as is needed for what is asked, at most 64 times as much.
 *  Thread: the ring's.  Nothing blocks.
 */
#ifndef INC_psTail_H
#define INC_psTail_H

#include "base/psText.h"
#include "console/psRing.h"

/** What is asked for. */
typedef struct psTailRequest {
    uint64_t from;  /**< nothing before this offset */
    uint64_t to;    /**< nothing from this offset on, the ring's head at most; what stands before it
                         counts as a line, with its end or without */
    unsigned lines; /**< at most */
    size_t bytes;   /**< at most */
} psTailRequest;

/** Append the last lines, without line end after the last one, and LF between them.
 *
 *  Only whole lines are given: one that does not fit, or whose beginning the ring has lost, is left
 *  out with all before it.  If no other is there, it is cut.  If the ring has lost everything
 *  before `to`, nothing is given.  No line is longer than
 *  PS_LINE_BYTES allows.  The text is valid UTF-8; carriage returns and control sequences are left
 *  out, and other control characters, but TAB, and bytes that are no UTF-8 are shown as \xHH.
 *  @param out its `failed` is set if memory runs out */
void psTailRead(const psRing *ring, const psTailRequest *request, psText *out);

#endif
