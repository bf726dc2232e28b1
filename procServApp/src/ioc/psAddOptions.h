/* SPDX-License-Identifier: EPICS */
/** @file psAddOptions.h
 *  @brief The options of procServAdd: those of the command line, long or short.  Pure.
 */
#ifndef INC_psAddOptions_H
#define INC_psAddOptions_H

#include "psConfig.h"

/** Cut @p text into words as a shell does: blanks separate, '...' "..." and \\ quote.
 *  @param out array of pointers into one allocation, both freed by freeing @p out; NULL at the
 *             end
 *  @return number of words, -EINVAL (a quote is not closed) or -ENOMEM */
int psAddSplit(const char *text, char ***out);

/** Apply options, then the command, to @p cfg.
 *  @param msg on failure one line for the user
 *  @return 0 or -EINVAL, or as psConfigSet() */
int psAddApply(psConfig *cfg, int argc, const char *const *argv, char *msg, size_t msgSize);

#endif
