/* SPDX-License-Identifier: EPICS */
/** @file psPidfd.h
 *  @brief The kernel's calls on pidfds, which older C libraries do not offer.
 *
 *  Kernel 5.4 or newer.  All return -errno on failure.  Thread: any.  Blocks: never.
 */
#ifndef INC_psPidfd_H
#define INC_psPidfd_H

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/** @return a close-on-exec descriptor of @p pid */
static inline int psPidfdOpen(pid_t pid)
{
    long fd = syscall(SYS_pidfd_open, pid, 0);

    return fd < 0 ? -errno : (int)fd;
}

static inline int psPidfdSignal(int pidfd, int signo)
{
    return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) < 0 ? -errno : 0;
}

/** waitid() with WEXITED | WNOHANG | @p options, and the rusage that the C library's waitid()
 *  hides.  @return 1 ended, 0 not ended yet */
static inline int psPidfdWait(int pidfd, int options, siginfo_t *outInfo, struct rusage *outUsage)
{
    const int idPidfd = 3; /* P_PIDFD: not in older headers */

    memset(outInfo, 0, sizeof(*outInfo));
    memset(outUsage, 0, sizeof(*outUsage));
    if (syscall(SYS_waitid, idPidfd, pidfd, outInfo, WEXITED | WNOHANG | options, outUsage) < 0)
        return -errno;
    return outInfo->si_pid != 0;
}

#endif
