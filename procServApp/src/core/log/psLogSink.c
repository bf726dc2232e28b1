/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "log/psLogSink.h"

#include "base/psMessages.h"
#include "log/psLogOpen.h"

/* Fixed before the first log is opened. */
static int standardOutput = STDOUT_FILENO;

void psLogSinkSetStandardOutput(int fd)
{
    standardOutput = fd;
}

int psLogSinkInit(psLogSink *sink, const char *path, int wakeFd, bool (*mayWait)(void *ctx),
                  void *ctx)
{
    *sink = (psLogSink){
        .path = path,
        .wakeFd = wakeFd,
        .mayWait = mayWait,
        .ctx = ctx,
        .fd = -1,
        .notice = PS_TEXT_INIT,
    };
    /* The longest there is, so that a loss can be reported when memory has run out. */
    psTextAppend(&sink->notice, "\r\n", 2);
    psMessageLost(&sink->notice, UINT64_MAX);
    return sink->notice.failed ? -ENOMEM : 0;
}

void psLogSinkClear(psLogSink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = -1;
    psTextClear(&sink->notice);
}

static void noteSize(psLogSink *sink)
{
    struct stat info;
    bool known = sink->fd >= 0 && fstat(sink->fd, &info) == 0 && S_ISREG(info.st_mode);

    sink->sizeBytes = known ? (uint64_t)info.st_size : 0;
}

void psLogSinkLook(psLogSink *sink)
{
    struct stat info;
    bool removed = sink->path && sink->fd >= 0 && fstat(sink->fd, &info) == 0 &&
                   S_ISREG(info.st_mode) && info.st_nlink == 0;

    sink->nameError = removed ? ENOENT : 0;
}

double psLogSinkFreePercent(const psLogSink *sink)
{
    struct statvfs space;
    struct stat info;

    if (sink->fd < 0 || fstat(sink->fd, &info) || !S_ISREG(info.st_mode) ||
        fstatvfs(sink->fd, &space))
        return -1;
    double used = (double)space.f_blocks - (double)space.f_bfree;
    double all = used + (double)space.f_bavail;
    return all > 0 ? 100.0 * (double)space.f_bavail / all : -1;
}

int psLogSinkOpen(psLogSink *sink)
{
    int fd;

    if (sink->path) {
        fd = psLogOpen(sink->path);
    } else if (sink->fd >= 0) {
        return 0; /* standard output may be another by now */
    } else {
        fd = fcntl(standardOutput, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd < 0)
            fd = -errno;
    }
    sink->openError = fd < 0 ? -fd : 0;
    if (fd >= 0) {
        if (sink->fd >= 0)
            close(sink->fd);
        sink->fd = fd;
        sink->writeError = 0;
        sink->nameError = 0;
    }
    noteSize(sink);
    return -sink->openError;
}

/* A pipe or terminal is full: wait until it takes more.  @return false to give up */
static bool awaitWritable(psLogSink *sink)
{
    struct pollfd fds[2] = {{.fd = sink->fd, .events = POLLOUT},
                            {.fd = sink->wakeFd, .events = POLLIN}};
    uint64_t count;

    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    if (fds[1].revents && read(sink->wakeFd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return false;
    return sink->mayWait(sink->ctx);
}

/* @return 0 or errno; *outDone bytes are in the file in either case */
static int writeAll(psLogSink *sink, const char *bytes, size_t len, size_t *outDone)
{
    size_t done = 0;
    int error = sink->fd < 0 ? EBADF : 0;

    while (done < len && !error) {
        ssize_t count = write(sink->fd, bytes + done, len - done);

        if (count > 0)
            done += (size_t)count;
        else if (count == 0)
            error = EIO;
        else if (errno == EAGAIN)
            error = awaitWritable(sink) ? 0 : EAGAIN;
        else if (errno != EINTR)
            error = errno;
    }
    *outDone = done;
    return error;
}

/* Say in the file what it lacks.  @return 0 or errno: still no room */
static int reportLoss(psLogSink *sink, uint64_t bytes)
{
    psText *notice = &sink->notice;
    size_t done;

    psTextReset(notice);
    if (sink->midLine)
        psTextAppend(notice, "\r\n", 2);
    psMessageLost(notice, bytes);
    int error = notice->failed ? ENOMEM : writeAll(sink, notice->data, notice->len, &done);
    if (!error)
        sink->midLine = false;
    return error;
}

/* After a loss, go on with a whole line if one begins in these bytes. */
static size_t afterLineEnd(const char *bytes, size_t len)
{
    const char *feed = memchr(bytes, '\n', len);

    return feed && feed + 1 < bytes + len ? (size_t)(feed + 1 - bytes) : 0;
}

void psLogSinkWrite(psLogSink *sink, uint64_t lostBefore, const char *bytes, size_t len)
{
    size_t skipped = 0, done = 0;
    int error = sink->fd < 0 ? EBADF : 0;

    sink->lostBytes += lostBefore;
    sink->unreported += lostBefore;
    if (sink->unreported && !error) {
        skipped = afterLineEnd(bytes, len);
        error = reportLoss(sink, sink->unreported + skipped);
        if (error)
            skipped = 0;
        else
            sink->unreported = 0;
    }
    if (!error)
        error = writeAll(sink, bytes + skipped, len - skipped, &done);
    if (error)
        sink->unreported += len - skipped - done;
    if (done)
        sink->midLine = bytes[skipped + done - 1] != '\n';
    sink->writtenBytes += done;
    sink->lostBytes += len - done;
    sink->writeError = error;
    noteSize(sink);
}
