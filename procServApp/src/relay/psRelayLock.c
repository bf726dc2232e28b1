/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>

#include "psRelayLock.h"

#define BACKLOG 128 /* relays that can stand by; nobody accepts their connections */

void psRelayLockInit(psRelayLock *self)
{
    *self = (psRelayLock){.own = {.fd = -1}, .other = {.fd = -1}};
}

/* The other relay never sends anything, so any event is its end. */
static void ended(psRelayWatch *watch, uint32_t events)
{
    (void)events;
    psRelayWatchClose(watch);
    CONTAINER(watch, psRelayLock, other)->lost = true;
}

/* The socket is not watched for input: relays that stand by connect, and are never accepted. */
static void ignore(psRelayWatch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
}

/* @return as psRelayLockTake() */
static int standBy(psRelayLock *self, int epoll, const char *name)
{
    int fd = psNameLockConnect(name, &self->holder);

    if (fd < 0)
        return fd;
    self->known = true;
    int status = psRelayWatchOpen(&self->other, epoll, fd, ended);
    return status ? status : -EBUSY;
}

int psRelayLockTake(psRelayLock *self, int epoll, unsigned port)
{
    char name[64];

    if (self->own.fd >= 0)
        return 0;
    if (self->other.fd >= 0)
        return -EBUSY;
    self->known = self->lost = false;
    epicsSnprintf(name, sizeof(name), "procServIoc/caRelay/%u", port);
    int fd = psNameLockTake(name, BACKLOG);
    if (fd == -EADDRINUSE)
        return standBy(self, epoll, name);
    int status = fd < 0 ? fd : psRelayWatchOpen(&self->own, epoll, fd, ignore);
    if (!status)
        psRelayWatchFor(&self->own, epoll, false, false); /* no relay that stands by is accepted */
    return status;
}

bool psRelayLockIsTrusted(const psRelayLock *self)
{
    return self->known && (self->holder.uid == 0 || self->holder.uid == geteuid());
}

void psRelayLockName(const psRelayLock *self, char *out, size_t size)
{
    if (self->known)
        epicsSnprintf(out, size, "process %ld of user %lu", (long)self->holder.pid,
                      (unsigned long)self->holder.uid);
    else
        epicsSnprintf(out, size, "a process that takes no connection");
}

/* "PID (NAME) STATE ...", where NAME may have any character */
bool psRelayLockIsStopped(const psRelayLock *self)
{
    char path[32], line[512];
    bool stopped = false;

    epicsSnprintf(path, sizeof(path), "/proc/%ld/stat", (long)self->holder.pid);
    FILE *file = self->known && self->holder.pid ? fopen(path, "re") : NULL;
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
    self->known = false;
}
