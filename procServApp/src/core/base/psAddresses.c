/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/psAddresses.h"

#define QUIET_MS 200 /* an interface comes with several messages */
#define BUFFER_BYTES 8192

/* ---- the list ---- */

static int compare(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct in_addr));
}

static size_t sortOnce(struct in_addr *list, size_t count)
{
    size_t kept = 0;

    if (!count)
        return 0;
    qsort(list, count, sizeof(*list), compare);
    for (size_t i = 1; i < count; i++)
        if (list[i].s_addr != list[kept].s_addr)
            list[++kept] = list[i];
    return kept + 1;
}

int psAddressesGet(struct in_addr **out, size_t *count)
{
    struct ifaddrs *all = NULL;
    struct in_addr *list = NULL;
    size_t used = 0, room = 0;

    if (getifaddrs(&all))
        return -errno;
    for (struct ifaddrs *i = all; i; i = i->ifa_next)
        room += i->ifa_addr && i->ifa_addr->sa_family == AF_INET;
    if (room)
        list = calloc(room, sizeof(*list));
    for (struct ifaddrs *i = all; list && i; i = i->ifa_next)
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
            list[used++] = ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
    freeifaddrs(all);
    if (room && !list)
        return -ENOMEM;
    *out = list;
    *count = sortOnce(list, used);
    return 0;
}

/* ---- changes ---- */

int psAddressesOpen(void)
{
    struct sockaddr_nl local = {.nl_family = AF_NETLINK,
                                .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_LINK};
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
 * means that some were lost, which is a change as well.
 * @return 1: one message was taken, 0: there is none, or -errno */
static int take(int fd, int flags)
{
    char buffer[BUFFER_BYTES];

    if (recv(fd, buffer, sizeof(buffer), flags) >= 0 || errno == ENOBUFS || errno == EINTR)
        return 1;
    return errno == EAGAIN ? 0 : -errno;
}

int psAddressesDrain(int fd)
{
    int status;

    do
        status = take(fd, MSG_DONTWAIT);
    while (status > 0);
    return status;
}

int psAddressesWait(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int status = take(fd, 0);

    while (status >= 0 && poll(&ready, 1, QUIET_MS) > 0)
        status = take(fd, 0);
    return status < 0 ? status : 0;
}
