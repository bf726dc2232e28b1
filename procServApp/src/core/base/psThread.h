/* SPDX-License-Identifier: EPICS */
/** @file psThread.h
 *  @brief Threads whose creation may fail.  Public, so that all our threads are made by it.
 */
#ifndef INC_psThread_H
#define INC_psThread_H

#include <epicsThread.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Create a thread that runs fn(arg), with every signal blocked in it.
 *
 *  Base's epicsThreadCreateOpt() leaves every signal blocked in its *caller* when it fails, so
 *  that a program that cannot create another thread would no longer react to SIGTERM.  Here the
 *  caller's signal mask is the same afterwards, whatever happens.
 *
 *  Thread: any.  Blocks: never.
 * @param priority   epicsThreadPriorityXxx
 * @param stackClass epicsThreadStackXxx
 * @return the thread, to be ended by epicsThreadMustJoin(); or it runs until the process ends.
 *         NULL if a thread or memory cannot be had
 */
epicsThreadId psThreadCreate(const char *name, unsigned priority,
                             epicsThreadStackSizeClass stackClass, EPICSTHREADFUNC fn, void *arg);

#ifdef __cplusplus
}
#endif

#endif
