/* SPDX-License-Identifier: EPICS */
/* One listening endpoint. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "console/psListener.h"

#define BACKLOG SOMAXCONN /* a burst beyond it would wait 1 s for its second try */
#define ACCEPTS_A_ROUND 64
#define SHORTAGE_PAUSE_SEC 0.1
#define KEEPALIVE_IDLE_SEC 60
#define KEEPALIVE_INTERVAL_SEC 15
#define KEEPALIVE_COUNT 4

typedef union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
} address;

/* ---- addresses ---- */

static bool isTcp(const psEndpoint *endpoint)
{
    return endpoint->kind == psEndpointTcp || endpoint->kind == psEndpointTcp6;
}

static int familyOf(const psEndpoint *endpoint)
{
    if (isTcp(endpoint))
        return endpoint->kind == psEndpointTcp ? AF_INET : AF_INET6;
    return AF_UNIX;
}

/* @return 0 or -ENODEV */
static int findInterface(const char *name, uint32_t *outIndex)
{
    char *end;
    unsigned long index = if_nametoindex(name);

    if (index == 0) {
        index = strtoul(name, &end, 10); /* RFC 4007 has numbers, too */
        if (*end != 0 || index == 0 || index > INT_MAX)
            return -ENODEV;
    }
    *outIndex = (uint32_t)index;
    return 0;
}

/* @return 0 or -ENODEV: the address names an interface that does not exist */
static int makeTcpAddress(const psEndpoint *endpoint, address *out, socklen_t *outLen)
{
    memset(out, 0, sizeof(*out));
    if (endpoint->kind == psEndpointTcp) {
        out->in.sin_family = AF_INET;
        out->in.sin_addr.s_addr = htonl(endpoint->address);
        out->in.sin_port = htons(endpoint->port);
        *outLen = sizeof(out->in);
        return 0;
    }
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_addr = endpoint->address6;
    out->in6.sin6_port = htons(endpoint->port);
    *outLen = sizeof(out->in6);
    return endpoint->interface[0] ? findInterface(endpoint->interface, &out->in6.sin6_scope_id) : 0;
}

/* An address of one link is only complete with its interface. */
static void describePeer6(const struct sockaddr_in6 *from, char *out, size_t size)
{
    char text[INET6_ADDRSTRLEN], interface[IF_NAMESIZE] = "";

    inet_ntop(AF_INET6, &from->sin6_addr, text, sizeof(text));
    if (from->sin6_scope_id != 0 && !if_indextoname(from->sin6_scope_id, interface))
        epicsSnprintf(interface, sizeof(interface), "%u", (unsigned)from->sin6_scope_id);
    epicsSnprintf(out, size, "[%s%s%s]:%u", text, interface[0] ? "%" : "", interface,
                  ntohs(from->sin6_port));
}

static void describePeer(int fd, const address *from, char *out, size_t size)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    char text[INET6_ADDRSTRLEN];

    if (from->any.sa_family == AF_INET) {
        inet_ntop(AF_INET, &from->in.sin_addr, text, sizeof(text));
        epicsSnprintf(out, size, "%s:%u", text, ntohs(from->in.sin_port));
    } else if (from->any.sa_family == AF_INET6) {
        describePeer6(&from->in6, out, size);
    } else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0) {
        /* No user name: looking it up may ask a directory server, and this is the loop. */
        epicsSnprintf(out, size, "unix uid %u pid %d", (unsigned)cred.uid, (int)cred.pid);
    } else {
        epicsSnprintf(out, size, "unix");
    }
}

/* ---- open ---- */

static int bindAbstract(const psListener *listener)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strnlen(listener->endpoint.path, sizeof(un.sun_path) - 1);

    /* The name begins with a NUL and ends without one. */
    memcpy(un.sun_path + 1, listener->endpoint.path, len);
    len += offsetof(struct sockaddr_un, sun_path) + 1;
    return bind(listener->fd, (struct sockaddr *)&un, (socklen_t)len) < 0 ? -errno : 0;
}

static int bindTcp(psListener *listener)
{
    psEndpoint *endpoint = &listener->endpoint;
    bool v6 = endpoint->kind == psEndpointTcp6;
    address addr;
    socklen_t len;
    const int on = 1;
    int status = makeTcpAddress(endpoint, &addr, &len);

    if (status < 0)
        return status;
    /* Without IPV6_V6ONLY, [::]:PORT would take the port of IPv4 as well. */
    if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        (v6 && setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) ||
        bind(listener->fd, &addr.any, len) < 0)
        return -errno;
    len = sizeof(addr);
    if (getsockname(listener->fd, &addr.any, &len) < 0)
        return -errno;
    endpoint->port = ntohs(v6 ? addr.in6.sin6_port : addr.in.sin_port);
    return 0;
}

int psListenerOpen(psListener *listener, const psEndpoint *endpoint, bool readOnly)
{
    memset(listener, 0, sizeof(*listener));
    listener->endpoint = *endpoint;
    listener->readOnly = readOnly;
    listener->spareFd = -1;
    listener->fd = socket(familyOf(endpoint), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return -errno;
    listener->isOpen = true;
    int status;
    if (isTcp(endpoint))
        status = bindTcp(listener);
    else if (endpoint->kind == psEndpointAbstract)
        status = bindAbstract(listener);
    else
        status = psSocketFileBind(&listener->file, listener->fd, endpoint);
    if (status == 0 && listen(listener->fd, BACKLOG) < 0)
        status = -errno;
    if (status < 0)
        psListenerClose(listener);
    return status;
}

int psListenerCheck(psListener *listener, const psEndpoint *endpoint)
{
    if (endpoint->kind == psEndpointUnix) {
        int status = psSocketFileLook(endpoint->path);

        if (status < 0)
            return status;
        if (status == 1) {
            memset(listener, 0, sizeof(*listener));
            return 0;
        }
    }
    return psListenerOpen(listener, endpoint, false);
}

const char *psListenerReason(int error)
{
    switch (error) {
    case EAFNOSUPPORT:
        return "this system has no IPv6";
    case ENODEV:
        return "there is no such network interface";
    default:
        return strerror(error);
    }
}

/* ---- accept ---- */

static void openSpare(psListener *listener)
{
    if (listener->spareFd < 0)
        listener->spareFd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void psListenerRefuse(int fd, const char *line)
{
    char sink[1024];

    /* A courtesy: whether it arrives changes nothing. */
    (void)!send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
    shutdown(fd, SHUT_WR);
    /* What it typed already would make close() a reset, and the line be lost. */
    (void)!recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
    close(fd);
}

/* No descriptor is left: the spare one is given up for the moment it takes to say so.
 * @return false if even that did not work */
static bool refuseOne(psListener *listener)
{
    int fd;

    if (listener->spareFd < 0)
        return false;
    close(listener->spareFd);
    listener->spareFd = -1;
    fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        listener->refused++;
        psListenerRefuse(fd, listener->fullLine ? listener->fullLine : "");
    }
    openSpare(listener);
    return fd >= 0;
}

static void handOver(psListener *listener, int fd, const address *from)
{
    static const int on = 1, idle = KEEPALIVE_IDLE_SEC, interval = KEEPALIVE_INTERVAL_SEC,
                     count = KEEPALIVE_COUNT;
    char peer[80];

    if (isTcp(&listener->endpoint)) {
        /* The connection works without them, too: failures are of no interest. */
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    describePeer(fd, from, peer, sizeof(peer));
    listener->fn(listener->ctx, listener, fd, peer); /* owns fd now */
}

static void resume(void *ctx)
{
    psListener *listener = ctx;

    psLoopModify(&listener->watch, EPOLLIN);
}

/* The shortage goes on, and the socket stays readable: look again later instead of all the time. */
static void pauseAccepting(psListener *listener)
{
    psLoopModify(&listener->watch, 0);
    psLoopArm(listener->loop, &listener->retry, psLoopNow(listener->loop) + SHORTAGE_PAUSE_SEC,
              resume, listener);
}

/* @return true: there may be more to accept */
static bool acceptOne(psListener *listener)
{
    address from;
    socklen_t len = sizeof(from);
    int fd;

    memset(&from, 0, sizeof(from));
    from.any.sa_family = AF_UNIX;
    fd = accept4(listener->fd, &from.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        handOver(listener, fd, &from);
        return true;
    }
    switch (errno) {
    case EAGAIN:
        return false;
    case EMFILE:
    case ENFILE:
        if (refuseOne(listener))
            return true;
        break;
    case ENOBUFS:
    case ENOMEM:
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        break;
    default:
        return true; /* an error of that one connection, see accept(2) */
    }
    pauseAccepting(listener);
    return false;
}

static void acceptSome(void *ctx, unsigned events)
{
    psListener *listener = ctx;

    (void)events;
    openSpare(listener); /* it may not have been possible the last time */
    /* The receiver may close this listener. */
    for (int i = 0; i < ACCEPTS_A_ROUND && listener->fd >= 0; i++)
        if (!acceptOne(listener))
            return;
}

int psListenerStart(psListener *listener, psLoop *loop, psAcceptFn fn, void *ctx)
{
    psLoopAssertInside(loop);
    listener->loop = loop;
    listener->fn = fn;
    listener->ctx = ctx;
    openSpare(listener);
    return psLoopWatch(loop, &listener->watch, listener->fd, EPOLLIN, acceptSome, listener);
}

void psListenerClose(psListener *listener)
{
    if (!listener->isOpen)
        return;
    psLoopUnwatch(&listener->watch);
    psLoopDisarm(&listener->retry);
    if (listener->spareFd >= 0) {
        close(listener->spareFd);
        listener->spareFd = -1;
    }
    psSocketFileRemove(&listener->file);
    close(listener->fd);
    listener->fd = -1;
    listener->isOpen = false;
}
