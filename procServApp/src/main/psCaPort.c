/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "psCaPort.h"

static _Thread_local unsigned short refused; /* 0: none */
static _Thread_local bool tried;

void psCaPortRefuse(unsigned short port)
{
    refused = port;
    tried = false;
}

bool psCaPortAllow(void)
{
    refused = 0;
    return tried;
}

static bool isRefused(int fd, const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_in in;
    int type = 0;
    socklen_t typeSize = sizeof(type);

    if (!refused || !address || size < sizeof(in) || address->sa_family != AF_INET)
        return false;
    memcpy(&in, address, sizeof(in));
    return ntohs(in.sin_port) == refused &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &typeSize) == 0 && type == SOCK_STREAM;
}

/* Takes the place of the C library's, for Base's libraries, too. */
int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t size)
{
    if (isRefused(fd, address.__sockaddr__, size)) {
        tried = true;
        errno = EADDRINUSE;
        return -1;
    }
    return (int)syscall(SYS_bind, fd, address.__sockaddr__, size);
}
