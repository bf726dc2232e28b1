/* SPDX-License-Identifier: EPICS */
/** @file psThread.h
 *  @brief Threads and mutexes whose creation may fail.  Public, so that all our threads are made by
 *  it.
 */
#ifndef INC_psThread_H
#define INC_psThread_H

#include <stdbool.h>

#include <epicsMutex.h>
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

/** A mutex for what is there once per process, made when it is first taken.  Base's functions that
 *  "must" succeed would suspend the caller without memory, and children may run already. */
typedef struct psOnceMutex {
    epicsThreadOnceId once; /* private, as is the next */
    epicsMutexId mutex;     /* recursive; NULL: not made yet, or there was no memory */
} psOnceMutex;
#define PS_ONCE_MUTEX_INIT                                                                         \
    {                                                                                              \
        EPICS_THREAD_ONCE_INIT, NULL                                                               \
    }

/** Thread: any.  Blocks: on other owners.  @return false: there was no memory for it, and never is
 */
bool psOnceMutexLock(psOnceMutex *self);
/** Does nothing without a mutex.  Thread: the owner. */
void psOnceMutexUnlock(psOnceMutex *self);

#ifdef __cplusplus
}
#endif

#endif
