/* SPDX-License-Identifier: EPICS */
/** @file psConfigPvt.h
 *  @brief What psConfig.c and psConfigSet.c share.
 */
#ifndef INC_psConfigPvt_H
#define INC_psConfigPvt_H

#include "model/psConfig.h"

/** Replace the text that *@p target owns by a copy of @p value, which may be NULL.
 *  @return 0, or -ENOMEM and nothing changed */
int psConfigReplace(char **target, const char *value);

#endif
