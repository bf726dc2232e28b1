/* SPDX-License-Identifier: EPICS */
/** @file psPrefix.h
 *  @brief The prefix of a child's records.
 */
#ifndef INC_psPrefix_H
#define INC_psPrefix_H

#include <stddef.h>

/** Longest --prefix, bytes: the longest suffix still makes a record name. */
#define PS_PREFIX_BYTES 43

/** Make the prefix: as given, or from the child's name, made fit for record names.
 *  @param given with its separator; NULL: $(NAME):PS:
 *  @param name  of the child; one that no link of a record can hold is refused.  NULL: none
 *  Thread: any.  Blocks: never.
 *  @return 0, or -EINVAL and what is wrong in @p msg */
int psPrefixMake(const char *given, const char *name, char *out, size_t size, char *msg,
                 size_t msgSize);

/** What the PVA structures call the child: its name with letters, digits and _ only, cut to
 *  @p size.  Thread: any.  Blocks: never. */
void psPrefixId(const char *name, char *out, size_t size);

#endif
