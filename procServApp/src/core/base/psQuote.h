/* SPDX-License-Identifier: EPICS */
/** @file psQuote.h
 *  @brief Words as a shell would quote them.  Pure.
 */
#ifndef INC_psQuote_H
#define INC_psQuote_H

#include "base/psText.h"

/** Append @p word so that a shell reads the same word: unchanged if nothing in it is special,
 *  otherwise in '...'.  A word with control characters, which must reach neither a terminal nor a
 *  one-line record, is written in $'...' with octal escapes.  @p text remembers if memory ran
 *  out. */
void psQuoteWord(psText *text, const char *word);

#endif
