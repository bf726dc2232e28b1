/* SPDX-License-Identifier: EPICS */
/** @file psTrial.h
 *  @brief Try the IOC in a process of its own.  Base may call exit(), abort() or hang: there it
 *         may.
 */
#ifndef INC_psTrial_H
#define INC_psTrial_H

#include "psServeOptions.h"

/** Receives what a trial finds. */
typedef struct psTrialSink {
    psReportFn report; /**< each finding */
    /** A procServ command of the script, with psTrialChildren only: its words, in the folder that
     *  the script was in.  NULL: nobody wants to know. */
    void (*command)(void *ctx, const char *dir, int argc, const char *const *argv);
    void *ctx; /**< for both */
} psTrialSink;

/** Run `procServIoc --check-ioc` with the same options and the environment of this process, and
 *  pass on what it finds.  A bad end of that process is a finding, too.
 *  Thread: any.  Blocks: up to @p deadlineSec; then the process is killed, which is a finding.
 *  @return number of errors reported */
int psTrialRun(const psServeOptions *options, psTrialMode mode, double deadlineSec,
               const psTrialSink *sink);

/** What a trial is for, from the value of --check-ioc.  @return the mode, or -EINVAL */
int psTrialModeParse(const char *text);

/** The same as psTrialRun() for a caller that only wants to know whether it is good.
 *  @return 0; -EINVAL and the first error in @p msg */
int psTrialFirst(const psServeOptions *options, psTrialMode mode, double deadlineSec, char *msg,
                 size_t msgSize);

#endif
