/* SPDX-License-Identifier: EPICS */
/** @file psGuarded.h
 *  @brief The one place where an exception of Base ends.
 *
 *  Base is partly C++, and what it throws passes through its C functions and ours: a step that it
 *  leaves so releases nothing that it holds.
 */
#ifndef INC_psGuarded_H
#define INC_psGuarded_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A step of the start: 0 or -errno, and on failure one line in @p msg. */
typedef int (*psStepFn)(void *ctx, char *msg, size_t msgSize);

/** Call @p step.  Thread: any.  Blocks: as the step does.
 *  @return what it returned; or -ECANCELED if it threw, with the first line of the reason in
 *          @p msg */
int psGuarded(psStepFn step, void *ctx, char *msg, size_t msgSize);

#ifdef __cplusplus
}
#endif
#endif
