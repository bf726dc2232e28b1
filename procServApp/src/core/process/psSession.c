/* SPDX-License-Identifier: EPICS */
/* Members of a session, read from /proc/PID/stat. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "process/psSession.h"

#include "process/psPidfd.h"
#include "process/psProcfs.h"

/* @return 1 a live member, 0 not, or -errno where we are out of descriptors */
static int checkPid(const psProcfs *proc, pid_t pid, pid_t sid)
{
    psProcStat stat;

    /* One system call rules out nearly every process; reading a stat takes three. */
    if (getsid(pid) != sid)
        return 0;
    int status = psProcfsStat(proc, pid, &stat);
    if (status)
        return status == -EMFILE || status == -ENFILE || status == -ENOMEM ? status : 0;
    return stat.session == sid && psProcfsIsLive(&stat);
}

/* @return 1 if sent */
static int signalMember(const psProcfs *proc, pid_t pid, pid_t sid, int signo)
{
    int pidfd, status;

    if (pid == getpid())
        return 0;
    pidfd = psPidfdOpen(pid);
    if (pidfd < 0)
        return pidfd == -ESRCH ? 0 : kill(pid, signo) == 0;
    /* what the pidfd holds now may be a newcomer with the same number: look once more */
    status = checkPid(proc, pid, sid) == 1 && psPidfdSignal(pidfd, signo) == 0;
    close(pidfd);
    return status;
}

/* Count the live members, or those that took the signal if signo is not 0. */
static int scan(pid_t sid, int signo)
{
    psProcfs proc;
    int count = 0, status;
    pid_t pid;

    if (sid <= 0)
        return -EINVAL;
    status = psProcfsOpen(&proc, NULL);
    while (!status && (pid = psProcfsNext(&proc)) != 0) {
        int found = checkPid(&proc, pid, sid);

        if (found > 0 && signo)
            found = signalMember(&proc, pid, sid, signo);
        if (found < 0)
            status = found;
        else
            count += found;
    }
    psProcfsClose(&proc);
    return status ? status : count;
}

int psSessionCount(pid_t sid)
{
    return scan(sid, 0);
}

int psSessionSignal(pid_t sid, int signo)
{
    return signo > 0 ? scan(sid, signo) : -EINVAL;
}
