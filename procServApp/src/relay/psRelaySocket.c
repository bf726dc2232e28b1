/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "psRelaySocket.h"

#define ALL_IOCS 0x7fffffffu /* 127.255.255.255: loopback's address of broadcasts */
#define TEST_MS 100
#define BACKLOG 128

/* @return a bound descriptor or -errno */
static int openBound(int type, uint32_t address, in_port_t port, int option)
{
    struct sockaddr_in local = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = address};
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, option, &on, sizeof(on)) == 0 &&
        bind(fd, (struct sockaddr *)&local, sizeof(local)) == 0)
        return fd;
    int status = -errno;
    if (fd >= 0)
        close(fd);
    return status;
}

int psRelaySocketSearches(struct in_addr address, in_port_t port)
{
    return openBound(SOCK_DGRAM, address.s_addr, port, SO_REUSEADDR);
}

int psRelaySocketListen(in_port_t port)
{
    int fd = openBound(SOCK_STREAM, htonl(INADDR_ANY), port, SO_REUSEADDR);

    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    int status = -errno;
    close(fd);
    return status;
}

int psRelaySocketForward(void)
{
    return openBound(SOCK_DGRAM, htonl(INADDR_LOOPBACK), 0, SO_BROADCAST);
}

int psRelaySocketToAll(int fd, in_port_t port, const uint8_t *bytes, size_t len)
{
    struct sockaddr_in all = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(ALL_IOCS)};

    /* a datagram is sent whole or not at all */
    return sendto(fd, bytes, len, MSG_NOSIGNAL, (struct sockaddr *)&all, sizeof(all)) < 0 ? -errno
                                                                                          : 0;
}

/* Send a datagram to a socket that is bound as those of IOCs are, but to a port of its own. */
int psRelaySocketTest(void)
{
    static const uint8_t text[] = "test";
    struct sockaddr_in bound = {.sin_family = AF_INET};
    socklen_t size = sizeof(bound);
    int in = openBound(SOCK_DGRAM, htonl(INADDR_ANY), 0, SO_BROADCAST);
    int out = in < 0 ? in : psRelaySocketForward();
    int status = out < 0 ? out : 0;

    if (!status && getsockname(in, (struct sockaddr *)&bound, &size))
        status = -errno;
    status = status ? status : psRelaySocketToAll(out, bound.sin_port, text, sizeof(text));
    struct pollfd ready = {.fd = in, .events = POLLIN};
    if (!status && poll(&ready, 1, TEST_MS) != 1)
        status = -ETIMEDOUT;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return status;
}

/* Lines of /proc/net/udp: "  12: 0100007F:13C8 00000000:0000 07 ...": the address as the number
 * that it is in memory, the port as a number. */
bool psRelaySocketIsTaken(struct in_addr address, in_port_t port)
{
    FILE *file = fopen("/proc/net/udp", "re");
    char line[512], wanted[32];
    bool found = false;

    if (!file)
        return false;
    snprintf(wanted, sizeof(wanted), ": %08X:%04X ", address.s_addr, ntohs(port));
    while (!found && fgets(line, sizeof(line), file))
        found = strstr(line, wanted) != NULL;
    fclose(file);
    return found;
}
