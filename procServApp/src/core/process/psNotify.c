/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "process/psNotify.h"

#define ROUND_MESSAGES 64   /* of one socket in one round: others have their turn */
#define DESCRIPTORS_MAX 253 /* with one message: SCM_MAX_FD of the kernel */

static int nameIt(psNotify *notify)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof(address.sun_family); /* no name: the kernel gives one */

    if (bind(notify->fd, (struct sockaddr *)&address, len) < 0)
        return -errno;
    len = sizeof(address);
    if (getsockname(notify->fd, (struct sockaddr *)&address, &len) < 0)
        return -errno;
    size_t nameLen = len - offsetof(struct sockaddr_un, sun_path) - 1;
    if (nameLen == 0 || nameLen + 2 > sizeof(notify->name))
        return -EADDRNOTAVAIL;
    notify->name[0] = '@';
    memcpy(notify->name + 1, address.sun_path + 1, nameLen);
    notify->name[1 + nameLen] = '\0';
    return 0;
}

int psNotifyOpen(psNotify *notify, psNotifyFn fn, void *ctx)
{
    const int on = 1;

    notify->fn = fn;
    notify->ctx = ctx;
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd < 0)
        return -errno;
    int status = setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;
    if (!status)
        status = nameIt(notify);
    if (status)
        psNotifyClose(notify);
    return status;
}

void psNotifyClose(psNotify *notify)
{
    psLoopUnwatch(&notify->watch);
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}

static psNotifySender senderOf(struct msghdr *header)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        struct ucred found;

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS ||
            part->cmsg_len < CMSG_LEN(sizeof(found)))
            continue;
        memcpy(&found, CMSG_DATA(part), sizeof(found));
        return (psNotifySender){.pid = found.pid, .uid = found.uid};
    }
    return (psNotifySender){.pid = 0};
}

static void closeDescriptors(struct msghdr *header)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
            close(fd);
        }
    }
}

/* @return false: there is none */
static bool readOne(psNotify *notify)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))];
    } control;
    char bytes[PS_NOTIFY_BYTES];
    struct iovec data = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    struct msghdr header = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t len;

    do {
        len = recvmsg(notify->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (len < 0 && errno == EINTR);
    if (len < 0)
        return false;
    bool whole = !(header.msg_flags & MSG_TRUNC);
    notify->fn(notify->ctx, senderOf(&header), whole ? bytes : NULL, whole ? (size_t)len : 0);
    closeDescriptors(&header);
    return true;
}

static void readable(void *ctx, unsigned events)
{
    psNotify *notify = ctx;

    (void)events;
    for (int i = 0; i < ROUND_MESSAGES && notify->fd >= 0; i++)
        if (!readOne(notify))
            return;
}

int psNotifyListen(psNotify *notify, psLoop *loop, bool on)
{
    if (notify->watch.loop) {
        psLoopModify(&notify->watch, on ? EPOLLIN : 0);
        return 0;
    }
    if (notify->fd < 0 || !on)
        return 0;
    return psLoopWatch(loop, &notify->watch, notify->fd, EPOLLIN, readable, notify);
}
