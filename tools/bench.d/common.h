/* SPDX-License-Identifier: EPICS */
/** @file common.h
 *  @brief What the helper programs of tools/bench share.
 *
 *  Each is a small program of its own; all times are CLOCK_MONOTONIC in nanoseconds, so that
 *  stamps taken by different processes can be compared.
 */
#ifndef INC_benchCommon_H
#define INC_benchCommon_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/** No helper outlives this, whatever happens to the driver. */
#define BENCH_LIFETIME_SEC 300

/** A line of the flood without its end: "L", ten digits, a blank, letters. */
#define BENCH_LINE_BYTES 79
#define BENCH_DIGITS 10
#define BENCH_END "END"

/** What the child publishes in a file that it maps: the driver sees it at any moment, even while
 *  the child hangs in a write. */
typedef struct benchShared {
    uint64_t pid;        /**< set last, when the child is ready to be signalled */
    uint64_t bytes;      /**< written so far in this flood */
    uint64_t longestNs;  /**< longest single write of this flood */
    uint64_t writeSince; /**< begin of the write in progress; 0: none */
    uint64_t begun;      /**< of this flood */
    uint64_t ended;      /**< of this flood; 0: it goes on */
    uint64_t floods;     /**< floods ended */
} benchShared;

static inline uint64_t nowNs(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void sleepNs(uint64_t ns)
{
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    while (nanosleep(&t, &t) && errno == EINTR)
        continue;
}

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (%s)\n", strerror(errno));
    exit(2);
}

/** A number of the command line; the driver passes nothing else. */
static inline uint64_t number(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (end == text || *end)
        die("not a number: %s", text);
    return value;
}

/** Connect to a TCP port of this host; ends the program where that fails. */
static inline int connectPort(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)number(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
        die("cannot connect to port %s", port);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

#endif
