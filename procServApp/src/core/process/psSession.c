/* SPDX-License-Identifier: EPICS */
/* Members of a session, read from /proc/PID/stat. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/psSession.h"

#include "process/psPidfd.h"

/* Is the process one that still runs, and of this session?  The name in parentheses may hold
 * anything, parentheses and spaces too: what counts comes after the last one. */
static bool isLiveMember(const char *stat, pid_t sid)
{
    const char *rest = strrchr(stat, ')');
    char state;
    int parent, group, session, threads;

    if (!rest || sscanf(rest, ") %c %d %d %d", &state, &parent, &group, &session) != 4)
        return false;
    if (session != sid || state == 'X' || state == 'x')
        return false;
    if (state != 'Z')
        return true;
    /* of a process that lives on after its main thread ended, 'Z' is only that thread's state;
     * field 20 counts the threads */
    return sscanf(rest, ") %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %d",
                  &threads) == 1 &&
           threads > 1;
}

/* @return 1 a live member, 0 not, or -errno where we are out of descriptors */
static int checkPid(int procFd, const char *name, pid_t sid)
{
    char path[64], stat[512];
    int fd, error;
    ssize_t length;

    /* One system call rules out nearly every process; reading a stat takes three. */
    if (getsid((pid_t)strtol(name, NULL, 10)) != sid)
        return 0;
    snprintf(path, sizeof(path), "%s/stat", name);
    fd = openat(procFd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error = errno;
        return error == EMFILE || error == ENFILE || error == ENOMEM ? -error : 0;
    }
    do {
        length = read(fd, stat, sizeof(stat) - 1);
    } while (length < 0 && errno == EINTR);
    close(fd);
    if (length <= 0)
        return 0; /* gone meanwhile */
    stat[length] = '\0';
    return isLiveMember(stat, sid);
}

/* @return 1 if sent */
static int signalMember(int procFd, const char *name, pid_t sid, int signo)
{
    pid_t pid = (pid_t)strtol(name, NULL, 10);
    int pidfd, status;

    if (pid == getpid())
        return 0;
    pidfd = psPidfdOpen(pid);
    if (pidfd < 0)
        return pidfd == -ESRCH ? 0 : kill(pid, signo) == 0;
    /* what the pidfd holds now may be a newcomer with the same number: look once more */
    status = checkPid(procFd, name, sid) == 1 && psPidfdSignal(pidfd, signo) == 0;
    close(pidfd);
    return status;
}

/* Count the live members, or those that took the signal if signo is not 0. */
static int scan(pid_t sid, int signo)
{
    const struct dirent *entry;
    int count = 0, status;

    if (sid <= 0)
        return -EINVAL;
    DIR *dir = opendir("/proc");
    if (!dir)
        return -errno;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
            continue;
        status = checkPid(dirfd(dir), entry->d_name, sid);
        if (status > 0 && signo)
            status = signalMember(dirfd(dir), entry->d_name, sid, signo);
        if (status < 0) {
            count = status;
            break;
        }
        count += status;
    }
    closedir(dir);
    return count;
}

int psSessionCount(pid_t sid)
{
    return scan(sid, 0);
}

int psSessionSignal(pid_t sid, int signo)
{
    return signo > 0 ? scan(sid, signo) : -EINVAL;
}
