/* SPDX-License-Identifier: EPICS */
/* The start of a process, in a thread of its own.
 *
 * vfork, not fork: fork copies page tables, and hangs while another thread of ours is stuck in
 * exit().  The thread is suspended until the new process execs or ends, which may be never
 * where a file server is dead; the loop goes on.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <features.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "base/psThread.h"
#include "process/psSpawn.h"

#include "process/psExec.h"
#include "process/psPidfd.h"
#include "process/psShort.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PS_SPAWN_SANITIZED true
#else
#define PS_SPAWN_SANITIZED false
#endif

#define PS_SPAWN_ABANDON_SEC 1.0 /* after SIGKILL, for a thread that is not stuck */

struct psSpawn {
    /* fixed after psSpawnCreate */
    psLoop *loop;
    psExecPlan plan; /* but for its files */
    psExecShared *shared;
    bool byFork;
    epicsEventId ended; /* triggered when the outcome is posted */

    /* loop thread only; fixed while a start is in progress */
    bool busy;
    psSpawnFn fn;
    void *ctx;
    epicsThreadId thread;
    int pipe[2]; /* only by fork: its end of file stands for exec, as vfork's return does */

    psJob job;              /* delivers; posted as the thread's last deed */
    psSpawnOutcome outcome; /* the thread's until then, the loop's after */

    epicsMutexId lock; /* leaf; guards all below */
    bool reaped;       /* the pid is no longer ours to kill */
    bool posted;       /* the thread is done with us */
    bool abandoned;    /* there is no loop any more */
};

/* valgrind turns vfork into fork, which does not wait for exec.  Asked once: it is fixed. */
static bool underValgrind(void)
{
    static atomic_int known; /* 0 not yet, 1 no, 2 yes */
    int answer = atomic_load(&known);

    if (!answer) {
        const char *preload = getenv("LD_PRELOAD");

        answer = preload && strstr(preload, "vgpreload") ? 2 : 1;
        atomic_store(&known, answer);
    }
    return answer == 2;
}

static pid_t plainFork(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    return _Fork(); /* no atfork handlers: they may wait for locks */
#else
    return fork();
#endif
}

/* A function of its own, so that what the new process does to the stack they share stays below
 * the frame that goes on. */
__attribute__((noinline)) static pid_t launch(psSpawn *spawn)
{
    pid_t pid = spawn->byFork ? plainFork() : vfork();

    if (pid == 0)
        psExecRun(&spawn->plan, spawn->shared, spawn->pipe[1]);
    return pid < 0 ? -errno : pid;
}

/* With every signal blocked, even those the C library does not let one block: a handler of ours
 * must not run in the new process. */
static pid_t launchBlocked(psSpawn *spawn)
{
    const uint64_t all = ~UINT64_C(0);
    uint64_t before;

    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
    pid_t pid = launch(spawn);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
    return pid;
}

static void closePipe(psSpawn *spawn, int end)
{
    if (spawn->pipe[end] >= 0)
        close(spawn->pipe[end]);
    spawn->pipe[end] = -1;
}

static void awaitExec(psSpawn *spawn)
{
    char byte;
    ssize_t status;

    if (!spawn->byFork)
        return;
    closePipe(spawn, 1);
    do {
        status = read(spawn->pipe[0], &byte, 1);
    } while (status < 0 && errno == EINTR);
}

static void giveUp(psSpawn *spawn, pid_t pid, psSpawnStage stage, int error, const char *call)
{
    spawn->outcome.stage = stage;
    spawn->outcome.error = error;
    spawn->outcome.call = call;
    if (pid <= 0)
        return;
    epicsMutexMustLock(spawn->lock);
    spawn->reaped = true;
    epicsMutexUnlock(spawn->lock);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* Nobody is left to look after it. */
static void endUnwanted(psSpawn *spawn)
{
    psSpawnOutcome *outcome = &spawn->outcome;

    if (outcome->pid <= 0)
        return;
    close(outcome->pidfd);
    kill(outcome->pid, SIGKILL);
    giveUp(spawn, outcome->pid, psSpawnStageExec, ECANCELED, NULL);
    outcome->pid = 0;
}

/* The last deed of the thread, but for the end of a process nobody wants. */
static void post(psSpawn *spawn)
{
    bool abandoned;

    epicsMutexMustLock(spawn->lock);
    abandoned = spawn->abandoned;
    spawn->posted = true;
    if (!abandoned) { /* else the loop may be gone */
        spawn->outcome.startMono = psClockMono(psLoopClock(spawn->loop));
        psLoopPost(spawn->loop, &spawn->job);
    }
    epicsMutexUnlock(spawn->lock);
    if (abandoned)
        endUnwanted(spawn);
    else
        epicsEventMustTrigger(spawn->ended);
}

static void spawnThread(void *arg)
{
    psSpawn *spawn = arg;
    int stage, pidfd;

    /* where we may have real-time priority, a new process would keep its timer slack of 0 */
    psInheritSchedule(spawn->plan.request.inherit);
    pid_t pid = launchBlocked(spawn);
    if (pid < 0) {
        giveUp(spawn, 0, psSpawnStageFork, -pid, spawn->byFork ? "fork" : "vfork");
    } else {
        awaitExec(spawn);
        stage = atomic_load(&spawn->shared->stage);
        pidfd = stage ? -1 : psPidfdOpen(pid);
        if (stage) {
            giveUp(spawn, pid, (psSpawnStage)stage, atomic_load(&spawn->shared->error),
                   atomic_load(&spawn->shared->call));
        } else if (pidfd < 0) {
            kill(pid, SIGKILL); /* without a pidfd we would never learn of its end */
            giveUp(spawn, pid, psSpawnStageWatch, -pidfd, "pidfd_open");
        } else {
            spawn->outcome.pid = pid;
            spawn->outcome.pidfd = pidfd;
        }
    }
    post(spawn);
}

/* The thread has posted this as its last deed: joining it takes no time. */
static void deliver(void *ctx)
{
    psSpawn *spawn = ctx;
    psSpawnOutcome outcome = spawn->outcome; /* fn may start anew */

    epicsThreadMustJoin(spawn->thread);
    closePipe(spawn, 0);
    spawn->busy = false;
    spawn->fn(spawn->ctx, &outcome);
}

static void destroy(psSpawn *spawn)
{
    closePipe(spawn, 0);
    closePipe(spawn, 1);
    if (spawn->shared)
        munmap(spawn->shared, sizeof(*spawn->shared));
    if (spawn->lock)
        epicsMutexDestroy(spawn->lock);
    if (spawn->ended)
        epicsEventDestroy(spawn->ended);
    psExecPlanClear(&spawn->plan);
    free(spawn);
}

static bool prepare(psSpawn *spawn, const psSpawnRequest *request)
{
    if (psExecPlanInit(&spawn->plan, request))
        return false;
    void *shared = mmap(NULL, sizeof(*spawn->shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    spawn->shared = shared;
    spawn->lock = epicsMutexCreate();
    spawn->ended = epicsEventCreate(epicsEventEmpty);
    return spawn->lock && spawn->ended;
}

psSpawn *psSpawnCreate(psLoop *loop, const psSpawnRequest *request)
{
    psSpawn *spawn = calloc(1, sizeof(*spawn));

    if (!spawn)
        return NULL;
    spawn->loop = loop;
    spawn->byFork = PS_SPAWN_SANITIZED || underValgrind();
    spawn->job.fn = deliver;
    spawn->job.ctx = spawn;
    spawn->pipe[0] = spawn->pipe[1] = -1;
    if (!prepare(spawn, request)) {
        destroy(spawn);
        return NULL;
    }
    return spawn;
}

int psSpawnStart(psSpawn *spawn, const psSpawnFiles *files, psSpawnFn fn, void *ctx)
{
    static const psSpawnOutcome none = {.pidfd = -1};

    psLoopAssertInside(spawn->loop);
    assert(!spawn->busy);
    spawn->fn = fn;
    spawn->ctx = ctx;
    spawn->plan.files = *files;
    spawn->outcome = none;
    spawn->reaped = spawn->posted = false; /* there is no other thread now */
    epicsEventTryWait(spawn->ended);       /* empty again */
    atomic_store(&spawn->shared->pid, 0);
    atomic_store(&spawn->shared->cancelled, false);
    atomic_store(&spawn->shared->stage, psSpawnStageNone);
    atomic_store(&spawn->shared->error, 0);
    atomic_store(&spawn->shared->call, NULL);
    if (spawn->byFork && pipe2(spawn->pipe, O_CLOEXEC) < 0)
        return -errno;
    spawn->thread = psThreadCreate("psSpawn", epicsThreadPriorityMedium, epicsThreadStackSmall,
                                   spawnThread, spawn);
    if (!spawn->thread) {
        closePipe(spawn, 0);
        closePipe(spawn, 1);
        return -EAGAIN;
    }
    spawn->busy = true;
    return 0;
}

bool psSpawnBusy(const psSpawn *spawn)
{
    return spawn && spawn->busy;
}

void psSpawnKill(psSpawn *spawn)
{
    psLoopAssertInside(spawn->loop);
    if (!spawn->busy)
        return;
    atomic_store(&spawn->shared->cancelled, true);
    epicsMutexMustLock(spawn->lock);
    int pid = atomic_load(&spawn->shared->pid);
    if (pid > 0 && !spawn->reaped)
        kill(pid, SIGKILL);
    epicsMutexUnlock(spawn->lock);
}

/* @return false if its thread is stuck: that and what it uses stay for ever */
static bool abandon(psSpawn *spawn)
{
    psSpawnKill(spawn);
    epicsEventWaitWithTimeout(spawn->ended, PS_SPAWN_ABANDON_SEC); /* what is said next counts */
    epicsMutexMustLock(spawn->lock);
    bool posted = spawn->posted;
    spawn->abandoned = !posted;
    epicsMutexUnlock(spawn->lock);
    if (!posted)
        return false;
    psLoopCancel(spawn->loop, &spawn->job);
    endUnwanted(spawn);
    epicsThreadMustJoin(spawn->thread);
    return true;
}

void psSpawnFree(psSpawn *spawn)
{
    if (spawn && (!spawn->busy || abandon(spawn)))
        destroy(spawn);
}

/* ---- sentences ---- */

static void explain(psSpawnStage stage, int error, const char *call, const psSpawnRequest *request,
                    char *out, size_t size)
{
    static const char *const what[] = {
        [psSpawnStagePty] = "cannot open a pseudo terminal",
        [psSpawnStageThread] = "cannot create a thread",
        [psSpawnStageFork] = "cannot create a process",
        [psSpawnStageWatch] = "cannot watch a process",
        [psSpawnStageTty] = "cannot set up the terminal",
        [psSpawnStageLimits] = "cannot set the limits",
        [psSpawnStageExec] = "cannot execute",
        [psSpawnStageDir] = "cannot change to directory",
    };
    const char *object = stage == psSpawnStageExec  ? request->file
                         : stage == psSpawnStageDir ? request->dir
                                                    : NULL;
    char reason[256];

    psShortReason(error, stage == psSpawnStagePty, reason, sizeof(reason));
    if (error == ECANCELED && stage == psSpawnStageExec)
        snprintf(out, size, "start of %s cancelled", request->file);
    else
        snprintf(out, size, "%s%s%s: %s%s%s", what[stage], object ? " " : "", object ? object : "",
                 call ? call : "", call ? ": " : "", reason);
}

void psSpawnExplain(const psSpawnOutcome *outcome, const psSpawnRequest *request, char *out,
                    size_t size)
{
    if (outcome->stage == psSpawnStageNone)
        snprintf(out, size, "started");
    else
        explain(outcome->stage, outcome->error, outcome->call, request, out, size);
}
