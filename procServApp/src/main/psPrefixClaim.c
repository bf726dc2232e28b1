/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <epicsString.h>
#include <epicsThread.h>

#include "psPrefixClaim.h"

#define TRIES 16
#define TRY_SEC 0.2

static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value ? value : "";
}

/* An abstract name: its first byte is NUL.  @return its length as an address */
static socklen_t nameOf(const char *prefix, struct sockaddr_un *address)
{
    const char *port = variable("EPICS_CAS_SERVER_PORT");
    unsigned where = epicsStrHash(*port ? port : variable("EPICS_CA_SERVER_PORT"), 0);

    where = epicsStrHash(variable("EPICS_CAS_INTF_ADDR_LIST"), where);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int len = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1,
                       "procServIoc/PVs/%08x/%s", where, prefix);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

static pid_t ownerOf(const struct sockaddr_un *address, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ucred peer = {.pid = 0};
    socklen_t size = sizeof(peer);

    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)address, len) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        peer.pid = 0; /* its queue may be full, as it takes nobody in */
    close(fd);
    return peer.pid;
}

int psPrefixClaim(const char *prefix, pid_t *outOwner)
{
    struct sockaddr_un address;
    socklen_t len = nameOf(prefix, &address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int status = -EADDRINUSE;

    if (fd < 0)
        return -errno;
    for (int i = 0; i < TRIES && status == -EADDRINUSE; i++) {
        if (i > 0)
            epicsThreadSleep(TRY_SEC);
        status = bind(fd, (const struct sockaddr *)&address, len) < 0 ? -errno : 0;
    }
    if (!status && listen(fd, 1) == 0)
        return 0; /* the descriptor stays open until the program ends */
    close(fd);
    if (status == -EADDRINUSE)
        *outOwner = ownerOf(&address, len);
    return status;
}
