/* SPDX-License-Identifier: EPICS */
/* A log file, its queue and its writer thread.
 *
 * One thread a file, so that a file on a dead server stops no other log.  It takes a block off the
 * queue, writes it without the lock, and only then gives its room back.  It sleeps in poll() on an
 * eventfd, together with the file itself where that is a pipe or terminal that takes no more.
 *
 * Reopening is a flag and a place in the stream of bytes: what was queued before goes to the old
 * file.  A second request before the first was begun needs no place of its own: the file opened
 * last is the newest by that name.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "log/psLogFile.h"

#include "process/psInherit.h"
#include "base/psMessages.h"
#include "base/psText.h"
#include "base/psThread.h"
#include "base/psTypes.h"

#define PS_LOG_BLOCK_BYTES 65536                                    /* with its header */
#define PS_LOG_ROOM_BYTES (PS_LOG_QUEUE_BYTES - PS_LOG_BLOCK_BYTES) /* room again: at most this */

typedef struct logBlock {
    struct logBlock *next;
    size_t used;
    char data[PS_LOG_BLOCK_BYTES - 2 * sizeof(void *)];
} logBlock;

struct psLogFile {
    /* fixed after psLogFileCreate */
    char *path; /* NULL: standard output */
    psLoop *loop;
    void (*onNews)(void *ctx);
    void *newsCtx;
    epicsThreadId thread;
    int wakeFd;
    epicsEventId opened; /* signalled once, after the first attempt */
    epicsEventId ended;  /* signalled as the thread's last deed, unless abandoned */
    psJob newsJob, idleJob;

    /* loop thread only */
    void (*onIdle)(void *ctx);
    void *idleCtx;

    /* writer thread only */
    int fd;          /* -1: could not be opened */
    uint64_t untold; /* lost, and not yet said so in the file */
    bool midLine;    /* the last byte written was no line feed */

    /* guarded by lock, a leaf but for the loop's own */
    epicsMutexId lock;
    logBlock *head, *tail;
    size_t queued;       /* what is being written included */
    uint64_t takenBytes; /* all since the start */
    uint64_t reopenAt;   /* in takenBytes */
    uint64_t flushAt;
    bool reopen, flush;
    bool sealed;   /* the tail belongs to the old file: what comes begins a block */
    bool wantRoom; /* somebody was refused */
    bool asleep;   /* and has to be woken */
    bool stop, abandoned, gone;
    int openError, writeError;
    psLogStats stats;
};

/* ---- either thread ---- */

static void wake(psLogFile *log)
{
    const uint64_t one = 1;

    while (write(log->wakeFd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static void destroy(psLogFile *log)
{
    while (log->head) {
        logBlock *next = log->head->next;

        free(log->head);
        log->head = next;
    }
    if (log->fd >= 0)
        close(log->fd);
    if (log->wakeFd >= 0)
        close(log->wakeFd);
    if (log->lock)
        epicsMutexDestroy(log->lock);
    if (log->opened)
        epicsEventDestroy(log->opened);
    if (log->ended)
        epicsEventDestroy(log->ended);
    free(log->path);
    free(log);
}

/* ---- the file: writer thread ---- */

/* With the lock held. */
static void noteError(psLogFile *log, int openError, int writeError)
{
    int before = log->stats.error;

    log->openError = openError;
    log->writeError = writeError;
    log->stats.error = openError ? openError : writeError;
    if (log->stats.error != before && !log->abandoned)
        psLoopPost(log->loop, &log->newsJob);
}

/* What is open stays in use until the new one is there: better an old name than a loss. */
static void openFile(psLogFile *log)
{
    int fd, error = 0;

    if (!log->path && log->fd >= 0)
        return;
    /* O_NONBLOCK: a FIFO without a reader must not hold us up; EAGAIN is waited for */
    fd = log->path ? open(log->path,
                          O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644)
                   : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0) {
        error = errno;
    } else {
        if (log->fd >= 0)
            close(log->fd);
        log->fd = fd;
    }
    epicsMutexMustLock(log->lock);
    log->stats.isOpen = log->fd >= 0;
    noteError(log, error, error ? log->writeError : 0);
    epicsMutexUnlock(log->lock);
}

static void noteSize(psLogFile *log)
{
    struct stat info;
    bool known = log->fd >= 0 && fstat(log->fd, &info) == 0 && S_ISREG(info.st_mode);

    epicsMutexMustLock(log->lock);
    log->stats.sizeBytes = known ? (uint64_t)info.st_size : 0;
    epicsMutexUnlock(log->lock);
}

static void noteResult(psLogFile *log, size_t written, size_t dropped, int error)
{
    epicsMutexMustLock(log->lock);
    log->stats.writtenBytes += written;
    log->stats.droppedBytes += dropped;
    noteError(log, log->openError, error);
    epicsMutexUnlock(log->lock);
}

static bool isAbandoned(psLogFile *log)
{
    bool abandoned;

    epicsMutexMustLock(log->lock);
    abandoned = log->abandoned;
    epicsMutexUnlock(log->lock);
    return abandoned;
}

/* A pipe or terminal is full: wait until it takes more.  @return false to give up */
static bool awaitWritable(psLogFile *log)
{
    struct pollfd fds[2] = {{.fd = log->fd, .events = POLLOUT},
                            {.fd = log->wakeFd, .events = POLLIN}};
    uint64_t count;

    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    if (fds[1].revents && read(log->wakeFd, &count, sizeof count) < 0 && errno != EAGAIN)
        return false;
    return !isAbandoned(log);
}

/* @return 0 or errno; *outDone bytes are in the file in either case */
static int writeAll(psLogFile *log, const char *data, size_t len, size_t *outDone)
{
    size_t done = 0;
    int error = log->fd < 0 ? EBADF : 0;

    while (done < len && !error) {
        ssize_t count = write(log->fd, data + done, len - done);

        if (count > 0)
            done += (size_t)count;
        else if (count == 0)
            error = EIO;
        else if (errno == EAGAIN)
            error = awaitWritable(log) ? 0 : EAGAIN;
        else if (errno != EINTR)
            error = errno;
    }
    *outDone = done;
    return error;
}

/* Say in the file what it lacks.  @return 0 or errno: still no room */
static int tellLoss(psLogFile *log)
{
    psText text = PS_TEXT_INIT;
    size_t done;

    if (log->midLine)
        psTextAppend(&text, "\r\n", 2);
    psMessageLost(&text, (unsigned long long)log->untold);
    int error = text.failed ? ENOMEM : writeAll(log, text.data, text.len, &done);
    if (!error)
        log->midLine = false;
    psTextClear(&text);
    return error;
}

/* After a loss, go on with a whole line if one begins in this block. */
static size_t behindLine(const logBlock *block)
{
    const char *end = memchr(block->data, '\n', block->used);

    return end && end + 1 < block->data + block->used ? (size_t)(end + 1 - block->data) : 0;
}

static void writeBlock(psLogFile *log, const logBlock *block)
{
    size_t skipped = 0, done = 0;
    int error = log->fd < 0 ? EBADF : 0;

    if (log->untold && !error) {
        skipped = behindLine(block);
        log->untold += skipped;
        error = tellLoss(log);
        if (error)
            log->untold -= skipped;
        else
            log->untold = 0;
    }
    if (!error)
        error = writeAll(log, block->data + skipped, block->used - skipped, &done);
    else
        skipped = 0;
    if (error)
        log->untold += block->used - skipped - done;
    if (done)
        log->midLine = block->data[skipped + done - 1] != '\n';
    noteResult(log, done, block->used - done, error);
    noteSize(log);
}

/* ---- the thread ---- */

static void reopenNow(psLogFile *log)
{
    log->reopen = false;
    epicsMutexUnlock(log->lock);
    openFile(log);
    noteSize(log);
    epicsMutexMustLock(log->lock);
}

static void takeBlock(psLogFile *log)
{
    logBlock *block = log->head;

    log->head = block->next;
    if (!log->head)
        log->tail = NULL;
    epicsMutexUnlock(log->lock);
    writeBlock(log, block);
    epicsMutexMustLock(log->lock);
    log->queued -= block->used;
    free(block);
    if (log->wantRoom && !log->abandoned && log->queued <= PS_LOG_ROOM_BYTES) {
        log->wantRoom = false;
        psLoopPost(log->loop, &log->newsJob);
    }
    if (log->flush && !log->abandoned && log->takenBytes - log->queued >= log->flushAt) {
        log->flush = false;
        psLoopPost(log->loop, &log->idleJob);
    }
}

static void sleepUntilWoken(psLogFile *log)
{
    struct pollfd wakeup = {.fd = log->wakeFd, .events = POLLIN};
    uint64_t count;

    log->asleep = true;
    epicsMutexUnlock(log->lock);
    while (poll(&wakeup, 1, -1) < 0 && errno == EINTR) {
    }
    while (read(log->wakeFd, &count, sizeof count) < 0 && errno == EINTR) {
    }
    epicsMutexMustLock(log->lock);
    log->asleep = false;
}

static void writerThread(void *arg)
{
    psLogFile *log = arg;
    bool abandoned;

    psInheritSchedule(NULL);
    openFile(log);
    noteSize(log);
    epicsEventMustTrigger(log->opened);
    epicsMutexMustLock(log->lock);
    while (!log->abandoned)
        if (log->reopen && log->takenBytes - log->queued >= log->reopenAt)
            reopenNow(log);
        else if (log->head)
            takeBlock(log);
        else if (log->stop)
            break;
        else
            sleepUntilWoken(log);
    log->gone = true;
    abandoned = log->abandoned;
    epicsMutexUnlock(log->lock);
    if (abandoned)
        destroy(log); /* nobody joins us: what is left is for the end of the program */
    else
        epicsEventMustTrigger(log->ended);
}

/* ---- the loop's side ---- */

static void newsJob(void *ctx)
{
    psLogFile *log = ctx;

    if (log->onNews)
        log->onNews(log->newsCtx);
}

static void idleJob(void *ctx)
{
    psLogFile *log = ctx;

    if (log->onIdle)
        log->onIdle(log->idleCtx);
}

static bool startThread(psLogFile *log)
{
    log->thread = psThreadCreate("psLog", epicsThreadPriorityMedium, epicsThreadStackSmall,
                                 writerThread, log);
    return log->thread != NULL;
}

/* Most files are open at once; that a server is dead keeps nobody from supervising. */
static int awaitOpened(psLogFile *log)
{
    if (epicsEventWaitWithTimeout(log->opened, PS_LOG_OPEN_SEC) != epicsEventOK)
        return -EINPROGRESS;
    epicsMutexMustLock(log->lock);
    int error = log->openError;
    epicsMutexUnlock(log->lock);
    return -error;
}

psLogFile *psLogFileCreate(const char *path, psLoop *loop, void (*onNews)(void *ctx), void *ctx,
                           int *outErr)
{
    psLogFile *log = calloc(1, sizeof *log);
    bool isStdout = strcmp(path, "-") == 0;

    if (!log)
        return NULL;
    log->fd = -1;
    log->loop = loop;
    log->onNews = onNews;
    log->newsCtx = ctx;
    log->newsJob.fn = newsJob;
    log->idleJob.fn = idleJob;
    log->newsJob.ctx = log->idleJob.ctx = log;
    log->path = isStdout ? NULL : strdup(path);
    log->wakeFd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    log->lock = epicsMutexCreate();
    log->opened = epicsEventCreate(epicsEventEmpty);
    log->ended = epicsEventCreate(epicsEventEmpty);
    if ((!log->path && !isStdout) || log->wakeFd < 0 || !log->lock || !log->opened || !log->ended ||
        !startThread(log)) {
        destroy(log);
        return NULL;
    }
    *outErr = awaitOpened(log);
    return log;
}

/* Room for at least one byte at the tail.  @return NULL without memory */
static logBlock *tailBlock(psLogFile *log)
{
    logBlock *block = log->tail;

    if (block && !log->sealed && block->used < sizeof block->data)
        return block;
    block = malloc(sizeof *block);
    if (!block)
        return NULL;
    block->next = NULL;
    block->used = 0;
    if (log->tail)
        log->tail->next = block;
    else
        log->head = block;
    log->tail = block;
    log->sealed = false;
    return block;
}

/* As much as fits. */
static size_t enqueue(psLogFile *log, const char *bytes, size_t len)
{
    size_t room = PS_LOG_QUEUE_BYTES - log->queued, taken = 0;

    if (room > len)
        room = len;
    while (taken < room) {
        logBlock *block = tailBlock(log);
        size_t part = room - taken;

        if (!block)
            break;
        if (part > sizeof block->data - block->used)
            part = sizeof block->data - block->used;
        memcpy(block->data + block->used, bytes + taken, part);
        block->used += part;
        taken += part;
    }
    return taken;
}

size_t psLogFileWrite(psLogFile *log, const void *bytes, size_t len)
{
    psLoopAssertInside(log->loop);
    epicsMutexMustLock(log->lock);
    size_t taken = enqueue(log, bytes, len);
    log->queued += taken;
    log->takenBytes += taken;
    if (taken < len && log->queued > 0) {
        log->wantRoom = true;
    } else if (taken < len) {
        /* no memory, and nothing under way whose end could call the writer back */
        log->stats.droppedBytes += len;
        taken = len;
    }
    bool mustWake = log->asleep && log->queued > 0;
    epicsMutexUnlock(log->lock);
    if (mustWake)
        wake(log);
    return taken;
}

void psLogFileReopen(psLogFile *log)
{
    if (!log->path)
        return;
    epicsMutexMustLock(log->lock);
    if (!log->reopen) {
        log->reopen = true;
        log->reopenAt = log->takenBytes;
        log->sealed = log->tail != NULL;
    }
    epicsMutexUnlock(log->lock);
    wake(log);
}

void psLogFileStats(const psLogFile *log, psLogStats *out)
{
    epicsMutexMustLock(log->lock);
    *out = log->stats;
    epicsMutexUnlock(log->lock);
}

bool psLogFileIdle(const psLogFile *log)
{
    epicsMutexMustLock(log->lock);
    bool idle = log->queued == 0;
    epicsMutexUnlock(log->lock);
    return idle;
}

void psLogFileFlush(psLogFile *log, void (*onIdle)(void *ctx), void *ctx)
{
    psLoopAssertInside(log->loop);
    log->onIdle = onIdle;
    log->idleCtx = ctx;
    epicsMutexMustLock(log->lock);
    log->flushAt = log->takenBytes;
    log->flush = log->queued > 0;
    if (!log->flush)
        psLoopPost(log->loop, &log->idleJob);
    epicsMutexUnlock(log->lock);
}

void psLogFileFree(psLogFile *log, double waitSec)
{
    bool gone;

    if (!log)
        return;
    epicsMutexMustLock(log->lock);
    log->stop = true;
    /* with nothing to do it comes at once, unless it hangs in open() */
    if (log->queued == 0 && log->asleep && waitSec < 1)
        waitSec = 1;
    epicsMutexUnlock(log->lock);
    wake(log);
    (void)epicsEventWaitWithTimeout(log->ended, waitSec > 0 ? waitSec : 0);
    epicsMutexMustLock(log->lock);
    gone = log->gone;
    log->abandoned = !gone; /* it posts nothing any more, and frees itself if it ever comes back */
    psLoopCancel(log->loop, &log->newsJob);
    psLoopCancel(log->loop, &log->idleJob);
    if (!gone)
        wake(log);
    epicsMutexUnlock(log->lock);
    if (gone) {
        epicsThreadMustJoin(log->thread);
        destroy(log);
    }
}
