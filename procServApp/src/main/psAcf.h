/* SPDX-License-Identifier: EPICS */
/** @file psAcf.h
 *  @brief Access security of our IOC: which file, for whom.
 *
 *  Base cuts a line with macros at 200 characters and takes an unquoted or empty macro for a
 *  syntax error that ends iocInit.  So PS_USERS and PS_HOSTS are put in by us, each item quoted,
 *  and Base reads the result from a file in memory.
 */
#ifndef INC_psAcf_H
#define INC_psAcf_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Have Base load @p file at iocInit.
 *  @param msg on failure one line
 *  @return 0 or -errno: it cannot be read, or there is no user name to put in */
int psAcfUse(const char *file, char *msg, size_t msgSize);

/** Have Base load rules that let everybody read and nobody write. */
int psAcfUseClosed(void);

/** Which of our groups the loaded rules lack, after iocInit.
 *  @return one line, or NULL: they have all */
const char *psAcfLacks(void);

/** Expand $(PS_USERS) and $(PS_HOSTS), also with braces, in @p text.  NULL items end the lists.
 *  @return allocated text or NULL: no memory */
char *psAcfExpand(const char *text, const char *const *users, const char *const *hosts);

#ifdef __cplusplus
}
#endif
#endif
