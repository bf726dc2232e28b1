/* SPDX-License-Identifier: EPICS */
/** @file psTrialWords.h
 *  @brief The line on which a trial passes a command of its script: the words, parted by tabs.
 */
#ifndef INC_psTrialWords_H
#define INC_psTrialWords_H

#include <stdio.h>

#define PS_TRIAL_WORDS 256 /**< words of one command; more are not passed */

/** Write one word; what would end it is written \\t, \\n, \\\\.  Thread: any. */
void psTrialWordPut(FILE *to, const char *word);

/** Take a line apart, in place.
 *  @param out room for PS_TRIAL_WORDS pointers into @p line and a NULL after the last
 *  @return how many words */
int psTrialWordsSplit(char *line, const char *out[PS_TRIAL_WORDS + 1]);

#endif
