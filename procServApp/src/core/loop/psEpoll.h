/* SPDX-License-Identifier: EPICS */
/** @file psEpoll.h
 *  @brief Waiting for descriptors to the nanosecond, where the kernel supports that (5.11 and
 *  newer).
 */
#ifndef INC_psEpoll_H
#define INC_psEpoll_H

#include <sys/epoll.h>

/** Wait until something happens, or until @p sec have passed: never shorter than that, since
 *  waking before a deadline would make a loop spin until it.
 *  @param max of @p outEvents
 *  @param sec < 0: for ever
 *  Thread: any.  Blocks: for @p sec.
 *  @return how many events there are, 0...max, or -errno; -EINTR: a signal came */
int psEpollWait(int epollFd, struct epoll_event *outEvents, int max, double sec);

#endif
