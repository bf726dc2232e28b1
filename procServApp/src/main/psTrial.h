/* SPDX-License-Identifier: EPICS */
/** @file psTrial.h
 *  @brief Try the IOC in a process of its own.  Base may call exit(), abort() or hang: there it
 *         may.
 */
#ifndef INC_psTrial_H
#define INC_psTrial_H

#include "psServe.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Run `procServIoc --check-ioc` with the same options and pass on what it finds; what ended it
 *  badly counts as a finding.
 *  Blocks: up to @p deadlineSec; then the process is killed, which is a finding, too.
 *  @return number of errors reported */
int psTrialRun(const psServeOptions *options, double deadlineSec,
               void (*report)(void *ctx, bool bad, const char *line), void *ctx);

/** Does this line of Base tell of an error? */
bool psTrialTellsError(const char *line);

/** Takes colours (ESC [ 31;1m) out of a line of Base. */
void psTrialPlain(char *line);

#ifdef __cplusplus
}
#endif
#endif
