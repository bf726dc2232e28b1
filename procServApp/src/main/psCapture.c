/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "psBaseText.h"
#include "psCapture.h"
#include "psThread.h"

#define LINE_BYTES 1000

typedef struct capture {
    int fd; /* to read from; owned here */
    void (*onLine)(const char *line);
    char line[LINE_BYTES];
    size_t len;
} capture;

static void endLine(capture *self)
{
    char clean[LINE_BYTES];

    self->line[self->len] = '\0';
    self->len = 0;
    if (psBaseLine(self->line, clean, sizeof(clean)))
        self->onLine(clean);
}

static void take(capture *self, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == '\n' || self->len + 1 >= sizeof(self->line))
            endLine(self);
        if (bytes[i] != '\n')
            self->line[self->len++] = bytes[i];
    }
}

/* The end of the pipe never comes: the program holds the other one. */
static void readThread(void *arg)
{
    capture *self = arg;
    char bytes[LINE_BYTES];
    ssize_t got;

    while ((got = read(self->fd, bytes, sizeof(bytes))) > 0 || (got < 0 && errno == EINTR))
        if (got > 0)
            take(self, bytes, (size_t)got);
}

int psCaptureStart(int fd, void (*onLine)(const char *line))
{
    static capture captures[2];
    capture *self = &captures[fd - 1];
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    self->fd = ends[0];
    self->onLine = onLine;
    int status =
        psThreadCreate("psCapture", epicsThreadPriorityLow, epicsThreadStackSmall, readThread, self)
            ? 0
            : -EAGAIN;
    if (status)
        close(ends[0]);
    else if (dup2(ends[1], fd) < 0)
        status = -errno; /* the thread finds the end of the pipe */
    close(ends[1]);
    if (status)
        return status;
    /* The C library must not keep lines back now that it is no terminal. */
    if (fd == STDOUT_FILENO)
        setvbuf(stdout, NULL, _IOLBF, 0);
    return 0;
}
