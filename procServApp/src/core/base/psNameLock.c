/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/psNameLock.h"

/* An abstract name: its first byte is NUL.  @return its length as an address */
static socklen_t addressOf(const char *name, struct sockaddr_un *out)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t len = strnlen(name, sizeof(out->sun_path) - 2);

    memcpy(out->sun_path + 1, name, len);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
}

static int openSocket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? -errno : fd;
}

static int failed(int fd)
{
    int status = -errno;

    close(fd);
    return status;
}

int psNameLockTake(const char *name, int backlog)
{
    struct sockaddr_un address;
    socklen_t len = addressOf(name, &address);
    int fd = openSocket();

    if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, len) || listen(fd, backlog)))
        return failed(fd);
    return fd;
}

int psNameLockConnect(const char *name, psNameLockOwner *out)
{
    struct sockaddr_un address;
    socklen_t len = addressOf(name, &address);
    struct ucred peer;
    socklen_t size = sizeof(peer);
    int fd = openSocket();

    if (fd < 0)
        return fd;
    if (connect(fd, (struct sockaddr *)&address, len) ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        return failed(fd);
    if (out)
        *out = (psNameLockOwner){.pid = peer.pid, .uid = peer.uid};
    return fd;
}
