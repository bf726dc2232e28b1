/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "psRelayWatch.h"

int psRelayWatchOpen(psRelayWatch *self, int epoll, int fd,
                     void (*ready)(psRelayWatch *self, uint32_t events))
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};

    self->fd = fd;
    self->ready = ready;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return 0;
    int status = -errno;
    psRelayWatchClose(self);
    return status;
}

void psRelayWatchFor(psRelayWatch *self, int epoll, bool in, bool out)
{
    struct epoll_event event = {.events = (in ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u),
                                .data.ptr = self};

    if (self->fd >= 0)
        (void)epoll_ctl(epoll, EPOLL_CTL_MOD, self->fd, &event); /* it is in, so this cannot fail */
}

void psRelayWatchClose(psRelayWatch *self)
{
    if (self->fd >= 0)
        close(self->fd); /* which takes it out of epoll, too */
    self->fd = -1;
}
