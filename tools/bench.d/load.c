/* SPDX-License-Identifier: EPICS */
/*
 * Clients of tools/bench that read what a flooding child writes.
 *
 *   load PORT CHILD GOOD RATE DEADLINE_MS
 *
 * Connects GOOD clients that read as fast as they can and, unless RATE is -1, one that reads RATE
 * bytes per second (0: never).  When all have their banner it sends SIGUSR2 to the child (pid
 * CHILD) and reads until every reading client saw the END line, or to the deadline.  Prints one
 * line of NAME=VALUE words:
 *
 *   elapsed   ns from the signal to the END of the last good client (or to the deadline)
 *   complete  did all good clients see END?
 *   bytes     received by the good client that got least, and
 *   lines     whole lines of the flood among them, in order
 *   told      bytes that the server said it had lost, the same client
 *   slow_lines, slow_told, slow_complete    the same of the slow client
 */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "common.h"

#define CHUNK_BYTES 65536
#define CARRY_BYTES 512
#define QUIET_MS 150
#define PACE_MS 10
#define IAC 0xff

typedef struct client {
    int fd; /* -1: closed by the server */
    uint64_t bytes, lines, told, next;
    bool ended;
    size_t carried;
    char carry[CARRY_BYTES]; /* the unfinished line */
} client;

static client *clients;
static int goodCount;
static client slow = {.fd = -1};
static char chunk[CARRY_BYTES + CHUNK_BYTES];

/* @@@ N bytes lost */
static void parseNotice(client *self, const char *line)
{
    char *end;
    uint64_t n = strtoull(line + 4, &end, 10);

    if (end != line + 4 && strncmp(end, " bytes lost", 11) == 0)
        self->told += n;
}

static void parseLine(client *self, const char *line, size_t length)
{
    uint64_t n = 0;

    while (length >= 3 && (unsigned char)line[0] == IAC) {
        line += 3; /* the telnet offers after the banner end in no line feed */
        length -= 3;
    }
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length == BENCH_LINE_BYTES && line[0] == 'L') {
        for (int i = 1; i <= BENCH_DIGITS; i++)
            n = n * 10 + (uint64_t)(line[i] - '0');
        if (n >= self->next) {
            self->lines++;
            self->next = n + 1;
        }
    } else if (length > 4 && memcmp(line, "@@@ ", 4) == 0) {
        parseNotice(self, line);
    } else if (length == strlen(BENCH_END) && memcmp(line, BENCH_END, length) == 0) {
        self->ended = true;
    }
}

static void parse(client *self, char *data, size_t size)
{
    char *end = data + size, *newline;

    while ((newline = memchr(data, '\n', (size_t)(end - data)))) {
        *newline = 0;
        parseLine(self, data, (size_t)(newline - data));
        data = newline + 1;
    }
    self->carried = (size_t)(end - data) < CARRY_BYTES ? (size_t)(end - data) : 0;
    memcpy(self->carry, data, self->carried);
}

/* Returns false when there is nothing more for now, or the server closed. */
static bool receive(client *self, size_t most)
{
    memcpy(chunk, self->carry, self->carried);
    ssize_t n = recv(self->fd, chunk + self->carried, most < CHUNK_BYTES ? most : CHUNK_BYTES,
             MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        close(self->fd);
        self->fd = -1;
        return false;
    }
    self->bytes += (uint64_t)n;
    parse(self, chunk, self->carried + (size_t)n);
    return true;
}

/* The banner has come when something arrived and then nothing for a while. */
static void awaitBanner(client *self, uint64_t deadline)
{
    struct pollfd p = {.fd = self->fd, .events = POLLIN};

    if (poll(&p, 1, (int)((deadline - nowNs()) / 1000000u)) != 1)
        die("no banner");
    while (self->fd >= 0 && receive(self, CHUNK_BYTES))
        continue;
    if (self->fd < 0)
        die("the server closed a connection");
}

static void connectAll(const char *port, uint64_t deadline, bool withSlow)
{
    struct pollfd p = {.events = POLLIN};

    if (withSlow) {
        slow.fd = connectPort(port);
        p.fd = slow.fd;
        if (poll(&p, 1, (int)((deadline - nowNs()) / 1000000u)) != 1)
            die("no banner");
    }
    for (int i = 0; i < goodCount; i++) {
        clients[i].fd = connectPort(port);
        awaitBanner(&clients[i], deadline);
    }
    sleepNs(QUIET_MS * 1000000u);
    for (int i = 0; i < goodCount; i++) {
        while (clients[i].fd >= 0 && receive(&clients[i], CHUNK_BYTES))
            continue;
        clients[i].bytes = 0;
    }
}

static int watchAll(void)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);

    for (int i = 0; i < goodCount; i++) {
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &clients[i]};

        if (epoll_ctl(ep, EPOLL_CTL_ADD, clients[i].fd, &ev))
            die("cannot watch a connection");
    }
    return ep;
}

/* Every PACE_MS, read what the slow client may have read by now; older arrears are forgotten. */
static void pace(uint64_t rate, uint64_t now)
{
    static uint64_t last;
    uint64_t most, before = slow.bytes;

    if (slow.fd < 0 || slow.ended || now - last < PACE_MS * 1000000u)
        return;
    most =
        rate * (now - last > 2 * PACE_MS * 1000000u ? 2 * PACE_MS : (now - last) / 1000000u) / 1000;
    last = now;
    while (slow.fd >= 0 && slow.bytes - before < most) {
        if (!receive(&slow, most - (slow.bytes - before)))
            break;
    }
}

static int reading(void)
{
    int count = 0;

    for (int i = 0; i < goodCount; i++)
        count += clients[i].fd >= 0 && !clients[i].ended;
    return count;
}

/* Returns when the last good client was done. */
static uint64_t readAll(int ep, int64_t rate, uint64_t deadline)
{
    struct epoll_event events[64];
    uint64_t now = nowNs(), done = 0;
    bool slowReads = rate > 0;
    int left = reading();

    while (now < deadline && (left > 0 || (slowReads && slow.fd >= 0 && !slow.ended))) {
        int n = epoll_wait(ep, events, 64, slowReads ? PACE_MS : 100);

        for (int i = 0; i < n; i++) {
            client *c = events[i].data.ptr;

            if (c->fd >= 0 && !c->ended) {
                receive(c, CHUNK_BYTES);
                left -= c->fd < 0 || c->ended;
            } else if (c->fd >= 0) {
                receive(c, CHUNK_BYTES);
            }
        }
        now = nowNs();
        if (left == 0 && !done)
            done = now;
        if (slowReads)
            pace((uint64_t)rate, now);
    }
    return done ? done : now;
}

static void report(uint64_t elapsed)
{
    client *worst = &clients[0];
    bool complete = true;

    for (int i = 0; i < goodCount; i++) {
        if (clients[i].lines < worst->lines)
            worst = &clients[i];
        complete = complete && clients[i].ended;
    }
    printf("elapsed=%llu complete=%d bytes=%llu lines=%llu told=%llu "
           "slow_lines=%llu slow_told=%llu slow_complete=%d\n",
           (unsigned long long)elapsed, complete, (unsigned long long)worst->bytes,
           (unsigned long long)worst->lines, (unsigned long long)worst->told,
           (unsigned long long)slow.lines, (unsigned long long)slow.told, slow.ended);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    uint64_t begin = nowNs(), deadline;

    if (argc != 6)
        die("usage: load PORT CHILD GOOD RATE DEADLINE_MS");
    alarm(BENCH_LIFETIME_SEC);
    signal(SIGPIPE, SIG_IGN);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    goodCount = (int)number(argv[3]);
    int64_t rate = strcmp(argv[4], "-1") == 0 ? -1 : (int64_t)number(argv[4]);
    clients = calloc((size_t)goodCount, sizeof(*clients));
    if (!clients || goodCount < 1)
        die("no clients");
    deadline = begin + number(argv[5]) * 1000000u;
    connectAll(argv[1], deadline, rate >= 0);
    int ep = watchAll();
    begin = nowNs();
    deadline = begin + number(argv[5]) * 1000000u;
    if (kill((pid_t)number(argv[2]), SIGUSR2))
        die("no child %s", argv[2]);
    report(readAll(ep, rate, deadline) - begin);
    return 0;
}
