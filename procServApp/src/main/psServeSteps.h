/* SPDX-License-Identifier: EPICS */
/** @file psServeSteps.h
 *  @brief The steps from nothing to a running IOC, shared by the server and its trial.
 *
 *  One IOC per process, hence one state.  Each step returns 0, or -errno and one line for the user
 *  in @p msg.  Base may throw through them (psGuarded.h), suspend their thread, or call exit().
 *  Thread: the one that builds the IOC.  They block as long as Base does.
 */
#ifndef INC_psServeSteps_H
#define INC_psServeSteps_H

#include <stddef.h>

#include "psServeOptions.h"

/** Set the variables of iocEnv, which anybody in this process sees, and what else the IOC needs of
 *  the environment.  Thread: main, before there is any other: getenv() of one is not safe beside
 *  setenv() of another.  @return 0 or -errno: a variable could not be set */
int psStepEnvironment(const psServeOptions *options);

/** Are the lists of addresses and the ports in our environment good for Base's servers?  What can
 *  be left out is left out, with a warning through @p report.  A script may change the environment,
 *  so this is asked again at iocInit. */
int psStepNetwork(psReportFn report, void *ctx, char *msg, size_t msgSize);

/** Can the script be read to its end?  What is no regular file, such as a pipe, is not read, but no
 *  folder will do: Base would take it for an empty script. */
int psStepScriptCheck(const char *script, char *msg, size_t msgSize);

/** All that can be known without Base: psStepNetwork(), the prefix, the script's file. */
int psStepChecks(const psServeOptions *options, psReportFn report, void *ctx, char *msg,
                 size_t msgSize);

/** Load the record types, and register what belongs to them.  A second call does nothing. */
int psStepDefinitions(char *msg, size_t msgSize);

/** The prefix of our own records, given or made from the name of the command line's child or of the
 *  supervisor; "" if there is none.  @return 0, or as psPrefixMake() */
int psStepPrefix(const psServeOptions *options, char *out, size_t size, char *msg, size_t msgSize);

/** Load the records of the command line's child, if there is one, and of the supervisor, if there
 *  is a prefix for them: with a script only, that is if a name or a prefix was given. */
int psStepRecords(const psServeOptions *options, char *msg, size_t msgSize);

/** Run an IOC shell script to its end.
 *  @param report the lines that the shell left out for want of a macro, which is no failure unless
 *                the script says `on error` */
int psStepScript(const char *script, psReportFn report, void *ctx, char *msg, size_t msgSize);

#endif
