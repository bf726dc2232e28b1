/* SPDX-License-Identifier: EPICS */
/* Preloaded into the program under test (LD_PRELOAD): lets the system refuse it a thread, or some
 * memory, or one of libCom's objects.
 *
 *   PS_TEST_FAIL="thread 4"   the 4th pthread_create() of the process
 *   PS_TEST_FAIL="thread psClock"  each thread that Base is to give this name
 *   PS_TEST_FAIL="memory 17"  the 17th allocation or creation that our own code asks for
 *   PS_TEST_FAIL="memory /8"  every 8th of them, while the test wants that
 *   PS_TEST_FAIL_FILE=path    shared with the test, see report
 *
 * Only the program itself is served, not the children that inherit its environment.  Our own code
 * is what lies in the program, libpsCore and libprocServ: what Base does without memory is Base's.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cantProceed.h>
#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsString.h>
#include <epicsThread.h>
#include <epicsTimer.h>

#define PROGRAM "procServIoc"
#define FILE_BYTES 65536

/* What the test sees of it, and sets: may every n-th fail now? */
typedef struct report {
    atomic_ulong
        wanted; /* by the test: 1: what we ask for; 2: what libCom asks for to do it; 3: both */
    atomic_ulong counted;
    atomic_ulong refused;
    atomic_ulong used; /* of text */
    char text[FILE_BYTES - 64];
} report;

static report noReport;
static report *seen = &noReport;
static enum { failNothing, failThread, failMemory } what;
static unsigned long number; /* the one that fails; 0: none */
static unsigned long oneIn;  /* 8 for every 8th */
static char threadName[32];  /* ""; else each thread of this name */
static atomic_ulong turn;
/* A function of libCom is creating something for us.  Some crash when a part of it fails: there is
 * no other way to have these while the program starts, but nothing of the kind is made later. */
static _Thread_local int inside;
static _Thread_local const char *creating; /* name of the thread that Base is creating */

/* Base has a link.h of its own, so that dl_iterate_phdr() is out of reach. */
static bool isOurs(const void *caller)
{
    Dl_info info;

    if (!dladdr(caller, &info) || !info.dli_fname)
        return false;
    const char *name = strrchr(info.dli_fname, '/');
    name = name ? name + 1 : info.dli_fname;
    return strcmp(name, PROGRAM) == 0 || strcmp(name, "libpsCore.so") == 0 ||
           strcmp(name, "libprocServ.so") == 0;
}

static void openReport(const char *path)
{
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

    if (fd < 0)
        return;
    if (ftruncate(fd, sizeof(report)) == 0) {
        void *shared = mmap(NULL, sizeof(report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (shared != MAP_FAILED)
            seen = shared;
    }
    close(fd);
}

__attribute__((constructor)) static void begin(void)
{
    const char *setting = getenv("PS_TEST_FAIL");
    const char *name = strrchr(program_invocation_name, '/');

    name = name ? name + 1 : program_invocation_name;
    if (!setting || strcmp(name, PROGRAM) != 0)
        return;
    openReport(getenv("PS_TEST_FAIL_FILE"));
    if (sscanf(setting, "thread %lu", &number) == 1 ||
        sscanf(setting, "thread %31s", threadName) == 1)
        what = failThread;
    else if (sscanf(setting, "memory /%lu", &oneIn) == 1 ||
             sscanf(setting, "memory %lu", &number) == 1)
        what = failMemory;
}

/* Every one in so many, counted from when the test wants that. */
static bool byTurn(void)
{
    return oneIn > 0 && seen->wanted && (atomic_fetch_add(&turn, 1) + 1) % oneIn == 0;
}

static void note(const char *function, uintptr_t caller)
{
    char line[160];
    Dl_info info = {.dli_sname = NULL};

    dladdr((void *)caller, &info);
    unsigned long offset = (unsigned long)(caller - (uintptr_t)info.dli_fbase);
    const char *file = info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
    int length =
        snprintf(line, sizeof(line), "%s refused to %s+%#lx%s%s\n", function, file ? file + 1 : "?",
                 offset, creating ? ": thread " : "", creating ? creating : "");
    unsigned long at = atomic_fetch_add(&seen->used, (unsigned long)length);

    if (at + (unsigned long)length < sizeof(seen->text))
        memcpy(seen->text + at, line, (size_t)length);
}

static bool refuse(const char *function, uintptr_t caller)
{
    unsigned long count = atomic_fetch_add(&seen->counted, 1) + 1;
    bool named = threadName[0] && creating && strcmp(creating, threadName) == 0;

    if (count != number && !named && !byTurn())
        return false;
    note(function, caller);
    atomic_fetch_add(&seen->refused, 1); /* the test takes this as "all is noted" */
    errno = what == failThread ? EAGAIN : ENOMEM;
    return true;
}

static bool refuseMemory(const char *function, const void *caller)
{
    if (what != failMemory || !(inside || isOurs(caller)))
        return false;
    return !(seen->wanted == 2 && !inside) && refuse(function, (uintptr_t)caller);
}

#define CALLER __builtin_return_address(0)

/* The function of that name that would have been called without this file. */
#define REAL(type, name, ...)                                                                      \
    type (*real)(__VA_ARGS__);                                                                     \
    *(void **)&real = dlsym(RTLD_NEXT, name)

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (what == failThread && refuse("pthread_create", (uintptr_t)CALLER))
        return EAGAIN;
    return real(thread, attr, fn, arg);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
    return refuseMemory("malloc", CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refuseMemory("calloc", CALLER) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return refuseMemory("realloc", CALLER) ? NULL : __libc_realloc(old, size);
}

char *strdup(const char *text)
{
    REAL(char *, "strdup", const char *);
    return refuseMemory("strdup", CALLER) ? NULL : real(text);
}

char *strndup(const char *text, size_t size)
{
    REAL(char *, "strndup", const char *, size_t);
    return refuseMemory("strndup", CALLER) ? NULL : real(text, size);
}

FILE *open_memstream(char **text, size_t *size)
{
    REAL(FILE *, "open_memstream", char **, size_t *);
    return refuseMemory("open_memstream", CALLER) ? NULL : real(text, size);
}

FILE *fopen(const char *path, const char *mode)
{
    REAL(FILE *, "fopen", const char *, const char *);
    return refuseMemory("fopen", CALLER) ? NULL : real(path, mode);
}

epicsMutexId epicsMutexOsiCreate(const char *file, int line)
{
    REAL(epicsMutexId, "epicsMutexOsiCreate", const char *, int);
    if (seen->wanted < 2 && refuseMemory("epicsMutexCreate", CALLER))
        return NULL;
    inside += seen->wanted >= 2 && isOurs(CALLER);
    epicsMutexId mutex = real(file, line);
    inside = 0;
    return mutex;
}

epicsEventId epicsEventCreate(epicsEventInitialState initial)
{
    REAL(epicsEventId, "epicsEventCreate", epicsEventInitialState);
    if (seen->wanted < 2 && refuseMemory("epicsEventCreate", CALLER))
        return NULL;
    inside += seen->wanted >= 2 && isOurs(CALLER);
    epicsEventId event = real(initial);
    inside = 0;
    return event;
}

epicsThreadId epicsThreadCreateOpt(const char *name, EPICSTHREADFUNC fn, void *arg,
                                   const epicsThreadOpts *opts)
{
    REAL(epicsThreadId, "epicsThreadCreateOpt", const char *, EPICSTHREADFUNC, void *,
         const epicsThreadOpts *);
    if (seen->wanted < 2 && refuseMemory("epicsThreadCreateOpt", CALLER))
        return NULL;
    creating = name;
    inside += seen->wanted >= 2 && isOurs(CALLER);
    epicsThreadId thread = real(name, fn, arg, opts);
    inside = 0;
    creating = NULL;
    return thread;
}

epicsTimerQueueId epicsTimerQueueAllocate(int okToShare, unsigned priority)
{
    REAL(epicsTimerQueueId, "epicsTimerQueueAllocate", int, unsigned);
    return refuseMemory("epicsTimerQueueAllocate", CALLER) ? NULL : real(okToShare, priority);
}

epicsTimerId epicsTimerQueueCreateTimer(epicsTimerQueueId queue, epicsTimerCallback fn, void *arg)
{
    REAL(epicsTimerId, "epicsTimerQueueCreateTimer", epicsTimerQueueId, epicsTimerCallback, void *);
    return refuseMemory("epicsTimerQueueCreateTimer", CALLER) ? NULL : real(queue, fn, arg);
}

/* ---- what suspends its caller for ever when it fails ---- */

void *mallocMustSucceed(size_t size, const char *what_)
{
    REAL(void *, "mallocMustSucceed", size_t, const char *);
    if (refuseMemory("mallocMustSucceed", CALLER))
        cantProceed("%s: refused\n", what_);
    return real(size, what_);
}

void *callocMustSucceed(size_t count, size_t size, const char *what_)
{
    REAL(void *, "callocMustSucceed", size_t, size_t, const char *);
    if (refuseMemory("callocMustSucceed", CALLER))
        cantProceed("%s: refused\n", what_);
    return real(count, size, what_);
}

char *epicsStrDup(const char *text)
{
    REAL(char *, "epicsStrDup", const char *);
    if (refuseMemory("epicsStrDup", CALLER))
        cantProceed("epicsStrDup: refused\n");
    return real(text);
}

epicsMutexId epicsMutexOsiMustCreate(const char *file, int line)
{
    REAL(epicsMutexId, "epicsMutexOsiMustCreate", const char *, int);
    if (refuseMemory("epicsMutexMustCreate", CALLER))
        cantProceed("epicsMutexMustCreate: refused\n");
    return real(file, line);
}

epicsEventId epicsEventMustCreate(epicsEventInitialState initial)
{
    REAL(epicsEventId, "epicsEventMustCreate", epicsEventInitialState);
    if (refuseMemory("epicsEventMustCreate", CALLER))
        cantProceed("epicsEventMustCreate: refused\n");
    return real(initial);
}
