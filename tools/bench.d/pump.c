/* SPDX-License-Identifier: EPICS */
/*
 * The yardstick of tools/bench: what a pty costs with no feature at all.
 *
 *   pump INFO COMMAND ARG...
 *
 * Runs COMMAND on a pty, starts it again when it ends, listens on a free port of 127.0.0.1 (written
 * to the file INFO as procServ writes it), copies what the child writes to every client and what
 * clients type to the child.  No telnet, log, messages, hold-off, or anything else.  A client that
 * takes nothing for a while is waited for no more.
 */
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"

#define CLIENTS 256
#define CHUNK_BYTES 65536
#define PATIENCE_MS 100

static int master = -1, childFd = -1, listener = -1, ep = -1;
static pid_t child;
static char **command;
static struct {
    int fd;
    bool stuck; /* took nothing for PATIENCE_MS: is skipped while it takes nothing */
} clients[CLIENTS];
static int clientCount;
static char chunk[CHUNK_BYTES];

static void watch(int fd)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
        die("cannot watch a descriptor");
}

static void start(void)
{
    child = forkpty(&master, NULL, NULL, NULL);
    if (child == 0) {
        execv(command[0], command);
        _exit(127);
    }
    if (child < 0)
        die("cannot start the child");
    fcntl(master, F_SETFL, O_NONBLOCK);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    childFd = (int)syscall(SYS_pidfd_open, child, 0);
    watch(master);
    watch(childFd);
}

static void dropClient(int i)
{
    close(clients[i].fd);
    clients[i] = clients[--clientCount];
}

/* Returns false when the client is gone. */
static bool sendTo(int i, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = send(clients[i].fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        struct pollfd p = {.fd = clients[i].fd, .events = POLLOUT};

        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            clients[i].stuck = false;
            data += n;
            size -= (size_t)n;
        } else if (clients[i].stuck || poll(&p, 1, PATIENCE_MS) != 1) {
            clients[i].stuck = true;
            return true;
        }
    }
    return true;
}

/* Returns false when the child has nothing more to say. */
static bool pumpOut(void)
{
    ssize_t n = read(master, chunk, sizeof(chunk));

    if (n <= 0)
        return false;
    for (int i = clientCount - 1; i >= 0; i--) {
        if (!sendTo(i, chunk, (size_t)n))
            dropClient(i);
    }
    return true;
}

static void pumpIn(int fd)
{
    char typed[4096];
    ssize_t n = recv(fd, typed, sizeof(typed), MSG_DONTWAIT);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0 && write(master, typed, (size_t)n) == n)
        return;
    for (int i = clientCount - 1; i >= 0; i--) {
        if (clients[i].fd == fd)
            dropClient(i);
    }
}

static void restart(void)
{
    while (pumpOut())
        continue;
    close(childFd);
    close(master);
    waitpid(child, NULL, 0);
    start();
}

static void welcome(void)
{
    int on = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0 || clientCount == CLIENTS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    clients[clientCount].stuck = false;
    clients[clientCount++].fd = fd;
    watch(fd);
    if (send(fd, "pump\r\n", 6, MSG_NOSIGNAL) != 6)
        dropClient(clientCount - 1);
}

static void listenFree(const char *info)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);

    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, length) || listen(listener, 128) ||
        getsockname(listener, (struct sockaddr *)&at, &length))
        die("cannot listen");
    watch(listener);
    FILE *file = fopen(info, "we");
    if (!file)
        die("cannot write %s", info);
    fprintf(file, "pid:%d\ntcp:127.0.0.1:%d\n", (int)getpid(), ntohs(at.sin_port));
    fclose(file);
}

static void onTerm(int sig)
{
    (void)sig;
    kill(-child, SIGKILL);
    waitpid(child, NULL, 0);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: pump INFO COMMAND ARG...");
    alarm(BENCH_LIFETIME_SEC);
    command = argv + 2;
    ep = epoll_create1(EPOLL_CLOEXEC);
    signal(SIGTERM, onTerm);
    listenFree(argv[1]);
    start();
    for (;;) {
        struct epoll_event events[16];
        int n = epoll_wait(ep, events, 16, -1);
        bool ended = false;

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == master)
                pumpOut();
            else if (fd == childFd)
                ended = true;
            else if (fd == listener)
                welcome();
            else
                pumpIn(fd);
        }
        if (ended)
            restart();
    }
}
