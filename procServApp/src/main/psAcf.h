/* SPDX-License-Identifier: EPICS */
/** @file psAcf.h
 *  @brief Access security of our IOC: which rules Base loads, for whom.
 *
 *  Base cuts a line with macros at 200 characters and takes an unquoted or empty macro for a
 *  syntax error that ends iocInit.  So PS_USERS and PS_HOSTS are put in by us, each item quoted,
 *  and Base reads the result from a file in memory.  The text of the user's file is kept, so that
 *  the addresses in it can be renewed without reading a file that may have changed meanwhile.
 *
 *  One IOC per process, hence one state.  Thread: any, but one at a time for all but
 *  psAcfExpand().
 */
#ifndef INC_psAcf_H
#define INC_psAcf_H

#include <stdbool.h>
#include <stddef.h>

/** Let Base load @p file at the next iocInit or asInit.  If that fails, what Base would load stays
 *  as it was.  Blocks: on the file.
 *  @param msg on failure one line
 *  @return 0 or -errno: it cannot be read to its end, or there is no user name to put in */
int psAcfUse(const char *file, char *msg, size_t msgSize);

/** Let Base load rules that let everybody read and nobody write.  @return 0 or -errno */
int psAcfUseClosed(void);

/** Put this host's addresses of now into the rules that Base loads.
 *  @return 1: they differ from before, so asInit is due; 0: the rules need no addresses, or have
 *          those of now; -errno: they stay as they were */
int psAcfRenew(void);
/** asInit() has refused what psAcfRenew() gave it: the next psAcfRenew() tries again. */
void psAcfNotInForce(void);

/** Which of our groups the loaded rules lack, after iocInit.
 *  @return one line, or NULL: they have all */
const char *psAcfLacks(void);

/** Expand $(PS_USERS) and $(PS_HOSTS), also with braces, in @p text.  NULL items end the lists.
 *  @return allocated text or NULL: no memory */
char *psAcfExpand(const char *text, const char *const *users, const char *const *hosts);

#endif
