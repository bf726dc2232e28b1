/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "psDaemon.h"
#include "psSup.h"

/* The daemon died before it could report: what procServ returns where /dev/null is missing. */
#define EXIT_DIED 255

int psDaemonGuardStdio(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        /* the lowest free number is given: fd, as those below are open */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return -errno;
    }
    return 0;
}

static int toNull(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return -errno;
    if (dup2(null, fd) < 0) {
        int status = -errno;

        close(null);
        return status;
    }
    close(null);
    return 0;
}

/* The parent: waits for the one byte, or for the end of the pipe. */
static int await(int fd, pid_t pid)
{
    unsigned char code;
    ssize_t got;
    int status;

    do {
        got = read(fd, &code, 1);
    } while (got < 0 && errno == EINTR);
    close(fd);
    if (got == 1)
        return code;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return EXIT_DIED;
}

/* A daemon outlives whoever started it: the lock of a cron job, or the pipe that a script waits on,
 * must not stay open as long.  The report's pipe becomes descriptor 3, and all above is closed. */
static int closeInherited(psDaemon *self)
{
    int keep = STDERR_FILENO + 1;

    if (self->reportFd != keep) {
        if (dup3(self->reportFd, keep, O_CLOEXEC) < 0)
            return -errno;
        self->reportFd = keep; /* the old one is closed with the rest */
    }
    psSupCloseDescriptors(keep + 1);
    return 0;
}

/* The child.  A failure here is the report. */
static void detach(psDaemon *self)
{
    setsid();
    int status = toNull(0);
    if (!status)
        status = toNull(1);
    if (!status)
        status = closeInherited(self);
    if (status) {
        psDaemonReport(self, EXIT_DIED);
        _exit(EXIT_DIED);
    }
}

/* Static constructors have initialised libCom by now, and its atfork handler makes Base warn of
 * threads in a forked process.  There is only the main thread yet: nothing is lost, and no lock
 * can be held, so a fork without such handlers is right. */
static pid_t forkQuietly(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    return _Fork();
#else
    return fork();
#endif
}

int psDaemonFork(psDaemon *self, int *outCode)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = forkQuietly();
    if (pid < 0) {
        int status = -errno;

        close(fds[0]);
        close(fds[1]);
        return status;
    }
    if (pid > 0) {
        close(fds[1]);
        *outCode = await(fds[0], pid);
        return pid;
    }
    close(fds[0]);
    self->reportFd = fds[1];
    detach(self);
    return 0;
}

void psDaemonReport(psDaemon *self, int code)
{
    unsigned char byte = (unsigned char)code;

    if (self->reportFd < 0)
        return;
    /* If the parent is gone nobody waits for it; if /dev/null can't be opened, standard
     * error stays what it was. */
    ssize_t ignored = write(self->reportFd, &byte, 1);
    (void)ignored;
    close(self->reportFd);
    self->reportFd = -1;
    if (code == 0)
        (void)toNull(2);
}
