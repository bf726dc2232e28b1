/* SPDX-License-Identifier: EPICS */
/** @file psChildKeys.h
 *  @brief What consoles send: keys become commands, the rest goes to the child's terminal.
 *  Both have the types of psConsoleOps; @p ctx is the psChild.  Thread: loop.  Blocks: never.
 */
#ifndef INC_psChildKeys_H
#define INC_psChildKeys_H

#include "child/psChildPvt.h"

void psChildKeysTyped(void *ctx, psClient *client, const uint8_t *bytes, size_t len);
void psChildKeysSized(void *ctx, psClient *client, unsigned cols, unsigned rows);

#endif
