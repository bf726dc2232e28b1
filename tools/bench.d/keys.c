/* SPDX-License-Identifier: EPICS */
/*
 * One client of tools/bench that types and waits for each key's echo.
 *
 *   keys PORT COUNT PAUSE_US
 *
 * Prints one line per key: nanoseconds from send to echo, or -1 where none came within a second.
 */
#include "common.h"

#define ECHO_MS 1000
#define QUIET_MS 200

static int readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) == 1;
}

static void skip(int fd)
{
    char data[4096];

    while (readable(fd, QUIET_MS)) {
        if (recv(fd, data, sizeof(data), 0) <= 0)
            die("the server closed the connection");
    }
}

static int64_t type(int fd, char key)
{
    char data[4096];
    uint64_t begin = nowNs();

    if (send(fd, &key, 1, MSG_NOSIGNAL) != 1)
        die("cannot type");
    while (readable(fd, ECHO_MS)) {
        ssize_t n = recv(fd, data, sizeof(data), 0);

        if (n <= 0)
            die("the server closed the connection");
        if (memchr(data, key, (size_t)n))
            return (int64_t)(nowNs() - begin);
    }
    return -1;
}

int main(int argc, char **argv)
{
    uint64_t count, pauseUs;

    if (argc != 4)
        die("usage: keys PORT COUNT PAUSE_US");
    alarm(BENCH_LIFETIME_SEC);
    count = number(argv[2]);
    pauseUs = number(argv[3]);
    int fd = connectPort(argv[1]);
    skip(fd);
    for (uint64_t i = 0; i < count; i++) {
        printf("%lld\n", (long long)type(fd, (char)('0' + i % 10)));
        /* a person keeps no beat: from half the pause to one and a half */
        sleepNs(pauseUs * (500u + (uint64_t)rand() % 1000u));
    }
    return 0;
}
