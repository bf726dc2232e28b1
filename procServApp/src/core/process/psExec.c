/* SPDX-License-Identifier: EPICS */
/* From fork to exec.
 *
 * Only system calls in psExecRun() and what it calls: the process shares our memory (vfork), or
 * is a copy in which any lock may be held for ever (fork).  Where the C library's function does
 * more than the call, or a sanitizer intercepts it, syscall() is used.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process/psExec.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define PS_EXEC_SIGNALS 64
#define PS_EXEC_SIGSET_BYTES 8      /* the kernel's; the C library's is larger */
#define PS_EXEC_BLIND_CLOSE 1048576 /* numbers tried where not even /proc is there */

/* ---- before ---- */

static const char *searchPath(char *const *envp)
{
    for (; envp && *envp; envp++)
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    return "/bin:/usr/bin"; /* as execvp() */
}

static char *joinPath(const char *dir, size_t dirLength, const char *file)
{
    size_t size = dirLength + strlen(file) + 2;
    char *path = malloc(size);

    /* an empty element is the working directory */
    if (path)
        snprintf(path, size, "%.*s%s%s", (int)dirLength, dir, dirLength ? "/" : "", file);
    return path;
}

static int buildPaths(psExecPlan *plan)
{
    const char *file = plan->request.file, *search = searchPath(plan->request.envp), *colon;
    bool fixed = strchr(file, '/') || !*file;
    size_t count = 1, used = 0;

    for (colon = search; !fixed && (colon = strchr(colon, ':')); colon++)
        count++;
    plan->paths = calloc(count + 1, sizeof(*plan->paths));
    if (!plan->paths)
        return -ENOMEM;
    while (used < count) {
        size_t length = strcspn(search, ":");

        plan->paths[used] = fixed ? strdup(file) : joinPath(search, length, file);
        if (!plan->paths[used++])
            return -ENOMEM;
        search += length + 1;
    }
    return 0;
}

int psExecPlanInit(psExecPlan *plan, const psSpawnRequest *request)
{
    size_t argc = 0;

    memset(plan, 0, sizeof(*plan));
    plan->request = *request;
    while (request->argv[argc])
        argc++;
    int status = buildPaths(plan);
    plan->scriptArgv = calloc(argc + 3, sizeof(*plan->scriptArgv));
    if (status || !plan->scriptArgv) {
        psExecPlanClear(plan);
        return -ENOMEM;
    }
    plan->scriptArgv[0] = "/bin/sh"; /* [1] becomes the path */
    for (size_t i = 1; i < argc; i++)
        plan->scriptArgv[i + 1] = request->argv[i];
    return 0;
}

void psExecPlanClear(psExecPlan *plan)
{
    for (char **path = plan->paths; path && *path; path++)
        free(*path);
    free(plan->paths);
    free(plan->scriptArgv);
    plan->paths = NULL;
    plan->scriptArgv = NULL;
}

/* ---- in the new process ---- */

struct dirent64raw {
    uint64_t ino;
    int64_t off;
    unsigned short length;
    unsigned char type;
    char name[];
};

static int parseFd(const char *name)
{
    int fd = 0;

    if (*name < '0' || *name > '9')
        return -1;
    for (; *name; name++)
        fd = fd * 10 + (*name - '0');
    return fd;
}

/* @return false without /proc */
static bool closeListed(int first)
{
    _Alignas(struct dirent64raw) char buffer[2048];
    int dir =
        (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long length;

    if (dir < 0)
        return false;
    while ((length = syscall(SYS_getdents64, dir, buffer, sizeof(buffer))) > 0) {
        for (long at = 0; at < length;) {
            const struct dirent64raw *entry = (const void *)(buffer + at);
            int fd = parseFd(entry->name);

            if (fd >= first && fd != dir)
                syscall(SYS_close, fd);
            at += entry->length;
        }
    }
    syscall(SYS_close, dir);
    return length == 0;
}

void psExecCloseFrom(int first, bool useCloseRange)
{
    if (useCloseRange && syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    if (closeListed(first))
        return;
    for (int fd = first; fd < PS_EXEC_BLIND_CLOSE; fd++)
        syscall(SYS_close, fd);
}

static void fail(psExecShared *shared, psSpawnStage stage, int error) __attribute__((noreturn));

static void fail(psExecShared *shared, psSpawnStage stage, int error)
{
    atomic_store(&shared->error, error);
    atomic_store(&shared->stage, (int)stage);
    for (;;)
        syscall(SYS_exit_group, 127); /* not _exit(): with thread sanitizer that takes one second */
}

static void checkCancelled(psExecShared *shared)
{
    if (atomic_load(&shared->cancelled))
        fail(shared, psSpawnStageExec, ECANCELED);
}

static int putFd(int from, int to, int flags)
{
    if (from == to)
        return syscall(SYS_fcntl, to, F_SETFD, flags & O_CLOEXEC ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
    return syscall(SYS_dup3, from, to, flags) < 0 ? -errno : 0;
}

/* A session of its own, with the files as 0, 1, 2 and a terminal as its own; nothing of ours above.
 * *outCall is the call under way. */
static int takeFiles(const psSpawnFiles *files, int keepFd, const char **outCall)
{
    int status = 0, first = STDERR_FILENO + 1;

    setsid(); /* a new process leads no group: cannot fail */
    *outCall = "fcntl";
    if (keepFd >= 0) {
        keepFd = (int)syscall(SYS_fcntl, keepFd, F_DUPFD_CLOEXEC, first);
        if (keepFd < 0)
            return -errno;
    }
    *outCall = "TIOCSCTTY";
    if (files->terminal && syscall(SYS_ioctl, files->in, TIOCSCTTY, 0) < 0)
        return -errno;
    *outCall = "dup3";
    for (int fd = 0; fd <= STDERR_FILENO && !status; fd++)
        status = putFd(fd == STDIN_FILENO ? files->in : files->out, fd, 0);
    if (keepFd >= 0 && !status)
        status = putFd(keepFd, first++, O_CLOEXEC);
    if (!status)
        psExecCloseFrom(first, true);
    return status;
}

/* All default, those the C library keeps to itself (32 and 33) too; then let all through. */
static void resetSignals(void)
{
    _Alignas(long) static const char defaults[256]; /* SIG_DFL, no flags: all zero bits */
    _Alignas(long) static const char none[PS_EXEC_SIGSET_BYTES];

    for (int signo = 1; signo <= PS_EXEC_SIGNALS; signo++)
        syscall(SYS_rt_sigaction, signo, defaults, NULL, PS_EXEC_SIGSET_BYTES);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, PS_EXEC_SIGSET_BYTES);
}

/* Could a shell make sense of it?  As bash sees it: no NUL before the first line feed.  A program
 * of another machine's is no script: its bytes might be commands by chance. */
static bool isText(const char *path)
{
    char head[128];
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return true; /* executable, not readable: the shell will say so */
    long length = syscall(SYS_read, fd, head, sizeof(head));
    syscall(SYS_close, fd);
    for (long at = 0; at < length && head[at] != '\n'; at++)
        if (!head[at])
            return false;
    return true;
}

/* As execvp() does it, but for programs of another machine's.
 * @return the errno that explains most */
static int tryPaths(psExecPlan *plan)
{
    const psSpawnRequest *request = &plan->request;
    bool denied = false;
    int error = ENOENT;

    for (char **path = plan->paths; *path; path++) {
        syscall(SYS_execve, *path, request->argv, request->envp);
        if (errno == ENOEXEC && isText(*path)) {
            plan->scriptArgv[1] = *path;
            syscall(SYS_execve, plan->scriptArgv[0], plan->scriptArgv, request->envp);
        }
        error = errno;
        switch (error) {
        case EACCES:
            denied = true;
            break;
        case ENOENT:
        case ENOTDIR:
        case ESTALE:
        case ENODEV:
        case ETIMEDOUT:
            break;
        default:
            return error;
        }
    }
    return denied ? EACCES : error;
}

void psExecRun(psExecPlan *plan, psExecShared *shared, int keepFd)
{
    const psSpawnRequest *request = &plan->request;

    /* the canceller sets the flag, then looks for the pid: one of us sees the other */
    atomic_store(&shared->pid, (int)syscall(SYS_getpid));
    checkCancelled(shared);
    const char *call = NULL;
    int status = takeFiles(&plan->files, keepFd, &call);
    if (status) {
        atomic_store(&shared->call, call);
        fail(shared, psSpawnStageTty, -status);
    }
    status = psInheritApply(request->inherit, request->coreSizeBytes);
    if (status)
        fail(shared, psSpawnStageLimits, -status);
    resetSignals();
    /* from here on it may hang on a dead file server: killable, and holding nothing of ours */
    if (request->dir && chdir(request->dir) < 0)
        fail(shared, psSpawnStageDir, errno);
    checkCancelled(shared);
    fail(shared, psSpawnStageExec, tryPaths(plan));
}
