/* SPDX-License-Identifier: EPICS */
/** @file psInstalled.h
 *  @brief The files that were installed beside this program.
 */
#ifndef INC_psInstalled_H
#define INC_psInstalled_H

#include <stddef.h>

/** The path of a file of the installed tree, wherever that was moved to: this program is in
 *  bin/ARCH/ of it.
 *  @param file relative to the top of the tree; "" for the top itself
 *  Thread: any.  Blocks: never.
 *  @return 0, or -errno and one line in @p msg */
int psInstalled(const char *file, char *out, size_t size, char *msg, size_t msgSize);

#endif
