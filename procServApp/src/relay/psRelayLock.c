/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "psRelayLock.h"

#define BACKLOG 128 /* relays that can stand by; nobody accepts their connections */

void psRelayLockInit(psRelayLock *self)
{
    *self = (psRelayLock){.own = {.fd = -1}, .other = {.fd = -1}};
}

/* Nobody sends anything: whatever happens is the end. */
static void ended(psRelayWatch *watch, uint32_t events)
{
    (void)events;
    psRelayWatchClose(watch);
    CONTAINER(watch, psRelayLock, other)->lost = true;
}

/* Relays that stand by have connected. */
static void ignore(psRelayWatch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
}

static socklen_t nameOf(struct sockaddr_un *out, unsigned port)
{
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX; /* the first byte of an abstract name is 0 */
    int len =
        snprintf(out->sun_path + 1, sizeof(out->sun_path) - 1, "procServIoc/caRelay/%u", port);

    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
}

/* Who listens at the other end of @p fd */
static void identify(psRelayLock *self, int fd)
{
    struct ucred peer = {.pid = 0};
    socklen_t size = sizeof(peer);

    self->known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    self->holder = self->known ? peer.pid : 0;
    self->uid = peer.uid;
}

/* @return as psRelayLockTake() */
static int standBy(psRelayLock *self, int epoll, int fd, const struct sockaddr_un *name,
                   socklen_t size)
{
    if (connect(fd, (const struct sockaddr *)name, size)) {
        int status = -errno;

        close(fd);
        return status;
    }
    identify(self, fd);
    int status = psRelayWatchOpen(&self->other, epoll, fd, ended);
    return status ? status : -EBUSY;
}

int psRelayLockTake(psRelayLock *self, int epoll, unsigned port)
{
    struct sockaddr_un name;
    socklen_t size = nameOf(&name, port);

    if (self->own.fd >= 0)
        return 0;
    if (self->other.fd >= 0)
        return -EBUSY;
    self->known = self->lost = false;
    self->holder = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&name, size) && errno == EADDRINUSE)
        return standBy(self, epoll, fd, &name, size);
    if (listen(fd, BACKLOG)) { /* EINVAL if it is not bound */
        int status = -errno;

        close(fd);
        return status;
    }
    int status = psRelayWatchOpen(&self->own, epoll, fd, ignore);
    if (!status)
        psRelayWatchFor(&self->own, epoll, false, false); /* no relay that stands by is accepted */
    return status;
}

bool psRelayLockIsTrusted(const psRelayLock *self)
{
    return self->known && (self->uid == 0 || self->uid == geteuid());
}

void psRelayLockName(const psRelayLock *self, char *out, size_t size)
{
    if (self->known)
        epicsSnprintf(out, size, "process %ld of user %lu", (long)self->holder,
                      (unsigned long)self->uid);
    else
        epicsSnprintf(out, size, "a process that takes no connection");
}

/* "PID (NAME) STATE ...", where NAME may have any character */
bool psRelayLockIsStopped(const psRelayLock *self)
{
    char path[32], line[512];
    bool stopped = false;

    epicsSnprintf(path, sizeof(path), "/proc/%ld/stat", (long)self->holder);
    FILE *file = self->holder ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    if (fgets(line, sizeof(line), file)) {
        const char *end = strrchr(line, ')');

        stopped = end && (strncmp(end, ") T", 3) == 0 || strncmp(end, ") t", 3) == 0);
    }
    fclose(file);
    return stopped;
}

bool psRelayLockIsLost(const psRelayLock *self)
{
    return self->lost;
}

void psRelayLockClose(psRelayLock *self)
{
    psRelayWatchClose(&self->own);
    psRelayWatchClose(&self->other);
    self->holder = 0;
}
