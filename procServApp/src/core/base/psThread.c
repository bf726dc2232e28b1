/* SPDX-License-Identifier: EPICS */
#include <signal.h>

#include "base/psThread.h"

epicsThreadId psThreadCreate(const char *name, unsigned priority,
                             epicsThreadStackSizeClass stackClass, EPICSTHREADFUNC fn, void *arg)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    sigset_t mask;

    opts.priority = priority;
    opts.stackSize = epicsThreadGetStackSize(stackClass);
    opts.joinable = 1;
    pthread_sigmask(SIG_SETMASK, NULL, &mask); /* cannot fail */
    epicsThreadId thread = epicsThreadCreateOpt(name, fn, arg, &opts);
    if (!thread)
        pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return thread;
}

static void createMutex(void *arg)
{
    psOnceMutex *self = arg;

    self->mutex = epicsMutexCreate();
}

bool psOnceMutexLock(psOnceMutex *self)
{
    epicsThreadOnce(&self->once, createMutex, self);
    if (self->mutex)
        epicsMutexMustLock(self->mutex);
    return self->mutex != NULL;
}

void psOnceMutexUnlock(psOnceMutex *self)
{
    if (self->mutex)
        epicsMutexUnlock(self->mutex);
}
