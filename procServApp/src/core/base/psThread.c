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
