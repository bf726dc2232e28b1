/* SPDX-License-Identifier: EPICS */
/* Preloaded into the program under test (LD_PRELOAD): a loaded machine, on which a new thread of
 * Base waits long for its first turn.
 *
 *   PS_TEST_SLOW="NAME MS"      the threads of that name, so many milliseconds
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <pthread.h>

#include <epicsThread.h>

#define PROGRAM "procServIoc"

static __thread long delayMs; /* of the thread that is being created */

typedef struct begin {
    void *(*fn)(void *);
    void *arg;
    long ms;
} begin;

static void *beginLate(void *arg)
{
    begin late = *(begin *)arg;
    struct timespec span = {.tv_sec = late.ms / 1000, .tv_nsec = late.ms % 1000 * 1000000};

    free(arg);
    while (nanosleep(&span, &span) < 0 && errno == EINTR)
        ;
    return late.fn(late.arg);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    begin *late = delayMs ? malloc(sizeof(*late)) : NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (!late)
        return real(thread, attr, fn, arg);
    *late = (begin){.fn = fn, .arg = arg, .ms = delayMs};
    int error = real(thread, attr, beginLate, late);
    if (error)
        free(late);
    return error;
}

static long delayOf(const char *name)
{
    const char *setting = getenv("PS_TEST_SLOW");
    const char *program = strrchr(program_invocation_name, '/');
    char slow[64];
    long ms;

    program = program ? program + 1 : program_invocation_name;
    if (!setting || strcmp(program, PROGRAM) != 0 || sscanf(setting, "%63s %ld", slow, &ms) != 2)
        return 0;
    return strcmp(name, slow) == 0 ? ms : 0;
}

epicsThreadId epicsThreadCreateOpt(const char *name, EPICSTHREADFUNC fn, void *arg,
                                   const epicsThreadOpts *opts)
{
    epicsThreadId (*real)(const char *, EPICSTHREADFUNC, void *, const epicsThreadOpts *);

    *(void **)&real = dlsym(RTLD_NEXT, "epicsThreadCreateOpt");
    delayMs = delayOf(name);
    epicsThreadId id = real(name, fn, arg, opts);
    delayMs = 0;
    return id;
}
