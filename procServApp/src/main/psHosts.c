/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "psHosts.h"

#define QUIET_MS 200 /* an interface comes with several messages */
#define BUFFER_BYTES 8192

/* ---- the list ---- */

static int compare(const void *one, const void *other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

/* @return 0 or -ENOMEM */
static int add(psHosts *self, const struct in_addr *address)
{
    char text[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, address, text, sizeof(text));
    char **items = realloc(self->items, (self->count + 2) * sizeof(*items));
    if (!items)
        return -ENOMEM;
    self->items = items;
    items[self->count] = strdup(text);
    if (!items[self->count])
        return -ENOMEM;
    items[++self->count] = NULL;
    return 0;
}

static void sortOnce(psHosts *self)
{
    size_t kept = 0;

    if (!self->count)
        return;
    qsort(self->items, self->count, sizeof(*self->items), compare);
    for (size_t i = 1; i < self->count; i++)
        if (strcmp(self->items[kept], self->items[i]) == 0)
            free(self->items[i]);
        else
            self->items[++kept] = self->items[i];
    self->count = kept + 1;
    self->items[self->count] = NULL;
}

int psHostsInit(psHosts *out)
{
    psHosts self = PS_HOSTS_INIT;
    struct ifaddrs *all = NULL;
    int status = 0;

    if (getifaddrs(&all))
        return -errno;
    for (struct ifaddrs *i = all; i && !status; i = i->ifa_next) {
        const struct sockaddr_in *in = (const void *)i->ifa_addr;

        if (in && in->sin_family == AF_INET)
            status = add(&self, &in->sin_addr);
    }
    freeifaddrs(all);
    if (status) {
        psHostsClear(&self);
        return status;
    }
    sortOnce(&self);
    *out = self;
    return 0;
}

void psHostsClear(psHosts *self)
{
    for (size_t i = 0; self->items && self->items[i]; i++)
        free(self->items[i]);
    free(self->items);
    self->items = NULL;
    self->count = 0;
}

bool psHostsEqual(const psHosts *one, const psHosts *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (strcmp(one->items[i], other->items[i]) != 0)
            return false;
    return true;
}

/* ---- changes ---- */

int psHostsOpen(void)
{
    struct sockaddr_nl local = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&local, sizeof(local))) {
        int status = -errno;

        close(fd);
        return status;
    }
    return fd;
}

/* What the messages say does not matter: the kernel is asked for the list afterwards.  ENOBUFS
 * means that some were lost, which is a change as well.  @return 0 or -errno */
static int take(int fd)
{
    char buffer[BUFFER_BYTES];

    if (recv(fd, buffer, sizeof(buffer), 0) >= 0 || errno == ENOBUFS || errno == EINTR)
        return 0;
    return -errno;
}

int psHostsWait(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int status = take(fd);

    while (!status && poll(&ready, 1, QUIET_MS) > 0)
        status = take(fd);
    return status;
}
