/* SPDX-License-Identifier: EPICS */
/** @file psAccess.h
 *  @brief The rules of access security, which say who may give commands by PV: at the start, at
 *         asInit of the shell, and when the addresses of this host change.
 *
 *  asInit() of a bad file stops iocInit for good, and may abort the program.  So a file is tried
 *  first, in a process of its own (psTrial.h).  A bad one closes the commands, but the
 *  records still show the state.
 */
#ifndef INC_psAccess_H
#define INC_psAccess_H

#include "psServeOptions.h"

/** Let Base load this file at iocInit: @p file, or the installed one if it is NULL.  Tries
 *  nothing.  Thread: the one that builds the IOC.
 *  @return 0, or -errno and one line in @p msg */
int psAccessSet(const char *file, char *msg, size_t msgSize);

/** Try and choose the rules: those of the options, or the closed ones if they are bad, or none
 *  with --insecure-pvs.  If somebody has to know about the choice, it is one warning through @p
 *  report.  From then on the shell's asInit reads the file again, after a trial.
 *  @param options must live until the program ends
 *  Thread: the one that builds the IOC, once, before iocInit.  Blocks: up to a trial's deadline.
 *  @return 0; -errno and one line in @p msg: not even the closed rules can be had */
int psAccessPrepare(const psServeOptions *options, psReportFn report, void *ctx, char *msg,
                    size_t msgSize);

/** Start a thread that puts this host's addresses into the rules again each time they change.
 *  Does nothing if the rules need no addresses of ours.  What it cannot do it reports on errlog.
 *  Thread: the one that built the IOC, once, when it serves.  Blocks: never. */
void psAccessFollow(void);
/** The IOC is about to end: the rules are not loaded again from now on.  Thread: main.
 *  Blocks: while they are being loaded. */
void psAccessStop(void);

#endif
