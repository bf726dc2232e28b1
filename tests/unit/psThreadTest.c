/* SPDX-License-Identifier: EPICS */
/* A thread that cannot be created must not leave its creator deaf to signals. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psThread.h"

static bool refuse;

/* libCom finds this one first. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

    if (refuse)
        return EAGAIN;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, attr, fn, arg);
}

static void noteMask(void *arg)
{
    pthread_sigmask(SIG_SETMASK, NULL, arg);
}

static bool isBlocked(int signo)
{
    sigset_t mask;

    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    return sigismember(&mask, signo);
}

static epicsThreadId create(void *arg)
{
    return psThreadCreate("noteMask", epicsThreadPriorityMedium, epicsThreadStackSmall, noteMask,
                          arg);
}

MAIN(psThreadTest)
{
    sigset_t mine, inside;

    testPlan(8);
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR1);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    sigemptyset(&inside);

    epicsThreadId thread = create(&inside);
    testOk(thread != NULL, "a thread is created");
    epicsThreadMustJoin(thread);
    testOk(sigismember(&inside, SIGTERM), "it ran, with signals blocked");
    testOk(!isBlocked(SIGTERM), "its creator still hears SIGTERM");
    testOk(isBlocked(SIGUSR1), "and not what it had blocked");

    refuse = true;
    testOk(create(&inside) == NULL, "the system has no thread to spare");
    testOk(!isBlocked(SIGTERM), "the caller still hears SIGTERM");
    testOk(!isBlocked(SIGHUP) && !isBlocked(SIGINT), "and SIGHUP and SIGINT");
    testOk(isBlocked(SIGUSR1), "and not what it had blocked");
    return testDone();
}
