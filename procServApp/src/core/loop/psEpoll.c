/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "loop/psEpoll.h"

#ifdef SYS_epoll_pwait2
static atomic_bool lacksPwait2; /* the kernel has none, or a container's filter hides it */

/* @return -ENOSYS: it cannot be had here */
static int waitNanoseconds(int epollFd, struct epoll_event *outEvents, int max, double sec)
{
    double whole = floor(sec);
    struct timespec left = {.tv_sec = (time_t)whole, .tv_nsec = (long)ceil((sec - whole) * 1e9)};

    if (atomic_load(&lacksPwait2) || sizeof(struct timespec) != 16)
        return -ENOSYS;
    if (left.tv_nsec >= 1000000000L) {
        left.tv_sec++;
        left.tv_nsec = 0;
    }
    int count =
        (int)syscall(SYS_epoll_pwait2, epollFd, outEvents, max, sec < 0 ? NULL : &left, NULL, 0);
    if (count >= 0)
        return count;
    if (errno != ENOSYS && errno != EPERM)
        return -errno;
    atomic_store(&lacksPwait2, true);
    return -ENOSYS;
}
#endif

int psEpollWait(int epollFd, struct epoll_event *outEvents, int max, double sec)
{
    int count = -ENOSYS;

#ifdef SYS_epoll_pwait2
    count = waitNanoseconds(epollFd, outEvents, max, sec);
#endif
    if (count != -ENOSYS)
        return count;
    count = epoll_wait(epollFd, outEvents, max, sec < 0 ? -1 : (int)ceil(sec * 1e3));
    return count < 0 ? -errno : count;
}
