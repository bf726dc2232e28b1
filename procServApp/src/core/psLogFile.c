/* SPDX-License-Identifier: EPICS */
/*
 * One writer thread per log file: a file on a hung server then delays no other.
 *
 * The loop fills chunks at the tail of a list, the thread takes them from its head; a chunk is
 * taken whole, filled or not.  A reopen travels with the chunk it has to follow.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dbDefs.h>
#include <ellLib.h>
#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsString.h>
#include <epicsThread.h>

#include "psLogFile.h"
#include "psMessages.h"
#include "psText.h"
#include "psTypes.h"

#define CHUNK_BYTES 65536
#define POLL_MS 200 /* a pipe that is full: how often a stop is noticed */

typedef struct psChunk {
    ELLNODE node;
    size_t len;
    bool reopenAfter;
    char data[CHUNK_BYTES];
} psChunk;

struct psLogFile {
    /* fixed */
    char *path;
    bool standardOutput;
    psLoop *loop;
    void (*onRoom)(void *ctx);
    void *onRoomCtx;
    epicsThreadId thread;
    epicsEventId wake;  /* the thread has something to do */
    epicsEventId ended; /* the thread is about to return */
    psJob roomJob;
    psJob idleJob;
    /* loop thread only */
    void (*onIdle)(void *ctx);
    void *onIdleCtx;
    /* guarded by lock */
    epicsMutexId lock;  /* leaf */
    ELLLIST chunks;     /* psChunk.node, oldest first */
    psChunk *spare;     /* kept, so that a quiet log allocates nothing */
    size_t queuedBytes; /* in chunks and in the thread's hands */
    bool writing;
    bool refused;   /* a write was not taken whole: tell when there is room */
    bool reopenNow; /* nothing was queued when it was asked for */
    bool tellIdle;
    bool stop;
    bool orphan; /* the loop may be gone: nothing is posted any more */
    psLogStats stats;
    /* writer thread only */
    int fd;
    uint64_t gapBytes; /* lost since the last byte written */
    bool midLine;      /* the last byte written was no line feed */
};

/* ---- writer thread ---- */

static void setError(psLogFile *log, int error)
{
    epicsMutexMustLock(log->lock);
    log->stats.error = error;
    epicsMutexUnlock(log->lock);
}

static int openFile(psLogFile *log)
{
    struct stat info;
    uint64_t size = 0;

    if (log->standardOutput) {
        log->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    } else {
        log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    }
    if (log->fd < 0)
        return -errno;
    if (fstat(log->fd, &info) == 0)
        size = (uint64_t)info.st_size;
    epicsMutexMustLock(log->lock);
    log->stats.sizeBytes = size;
    epicsMutexUnlock(log->lock);
    return 0;
}

static void reopen(psLogFile *log)
{
    int status;

    if (log->standardOutput)
        return;
    if (log->fd >= 0)
        close(log->fd);
    status = openFile(log);
    setError(log, -status);
}

static bool stopping(psLogFile *log)
{
    bool stop;

    epicsMutexMustLock(log->lock);
    stop = log->stop;
    epicsMutexUnlock(log->lock);
    return stop;
}

/* @return bytes written; less than len sets *outError */
static size_t writeAll(psLogFile *log, const char *bytes, size_t len, int *outError)
{
    size_t done = 0;

    *outError = log->fd < 0 ? EBADF : 0;
    while (done < len && *outError == 0) {
        ssize_t n = write(log->fd, bytes + done, len - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) { /* a pipe somebody made non-blocking */
            struct pollfd ready = {.fd = log->fd, .events = POLLOUT};

            if (poll(&ready, 1, POLL_MS) == 0 && stopping(log))
                *outError = EAGAIN;
        } else if (n == 0 || errno != EINTR) {
            *outError = n == 0 ? ENOSPC : errno;
        }
    }
    return done;
}

/* Say where bytes are missing.  @return false if that does not work either */
static bool writeGap(psLogFile *log)
{
    psText marker = PS_TEXT_INIT;
    int error = 0;

    if (log->gapBytes == 0)
        return true;
    if (log->midLine)
        psTextAppend(&marker, "\r\n", 2);
    psMessageLost(&marker, log->gapBytes);
    if (!marker.failed)
        writeAll(log, marker.data, marker.len, &error);
    psTextClear(&marker);
    if (error == 0) {
        log->gapBytes = 0;
        log->midLine = false;
    }
    return error == 0;
}

static void writeChunk(psLogFile *log, const psChunk *chunk)
{
    size_t done = 0;
    int error = log->fd < 0 ? log->stats.error : 0;

    if (log->fd >= 0 && writeGap(log))
        done = writeAll(log, chunk->data, chunk->len, &error);
    else if (error == 0)
        error = ENOSPC;
    if (done > 0)
        log->midLine = chunk->data[done - 1] != '\n';
    log->gapBytes += chunk->len - done;

    epicsMutexMustLock(log->lock);
    log->stats.writtenBytes += done;
    log->stats.sizeBytes += done;
    log->stats.droppedBytes += chunk->len - done;
    log->stats.error = error;
    epicsMutexUnlock(log->lock);
}

/* Give a chunk back; tell the loop what it waits for.  Called with the lock held. */
static void finishChunk(psLogFile *log, psChunk *chunk)
{
    log->queuedBytes -= chunk->len;
    log->writing = false;
    if (log->refused && !log->orphan) {
        log->refused = false;
        psLoopPost(log->loop, &log->roomJob);
    }
    if (!log->spare) {
        log->spare = chunk;
        chunk = NULL;
    }
    free(chunk);
}

/* Next chunk, or NULL after a stop with nothing left. */
static psChunk *takeChunk(psLogFile *log)
{
    psChunk *chunk = NULL;

    epicsMutexMustLock(log->lock);
    for (;;) {
        bool mustReopen = log->reopenNow;

        log->reopenNow = false;
        chunk = (psChunk *)ellGet(&log->chunks);
        log->writing = chunk != NULL;
        if (!chunk && !mustReopen && log->tellIdle && !log->orphan) {
            log->tellIdle = false;
            psLoopPost(log->loop, &log->idleJob);
        }
        if (chunk && !mustReopen)
            break;
        if (!chunk && !mustReopen && log->stop)
            break;
        epicsMutexUnlock(log->lock);
        if (mustReopen)
            reopen(log);
        else
            epicsEventMustWait(log->wake);
        epicsMutexMustLock(log->lock);
        if (chunk)
            break;
    }
    epicsMutexUnlock(log->lock);
    return chunk;
}

static void writerThread(void *arg)
{
    psLogFile *log = arg;
    psChunk *chunk;

    while ((chunk = takeChunk(log))) {
        bool reopenAfter = chunk->reopenAfter;

        writeChunk(log, chunk);
        if (reopenAfter)
            reopen(log);
        epicsMutexMustLock(log->lock);
        finishChunk(log, chunk);
        epicsMutexUnlock(log->lock);
    }
    epicsEventMustTrigger(log->ended);
}

/* ---- loop thread ---- */

static void roomJob(void *ctx)
{
    psLogFile *log = ctx;

    if (log->onRoom)
        log->onRoom(log->onRoomCtx);
}

static void idleJob(void *ctx)
{
    psLogFile *log = ctx;
    void (*fn)(void *) = log->onIdle;

    log->onIdle = NULL;
    if (fn)
        fn(log->onIdleCtx);
}

static void freeAll(psLogFile *log)
{
    if (log->fd >= 0)
        close(log->fd);
    ellFree(&log->chunks);
    free(log->spare);
    if (log->lock)
        epicsMutexDestroy(log->lock);
    if (log->wake)
        epicsEventDestroy(log->wake);
    if (log->ended)
        epicsEventDestroy(log->ended);
    free(log->path);
    free(log);
}

psLogFile *psLogFileCreate(const char *path, psLoop *loop, void (*onRoom)(void *ctx), void *ctx,
                           int *outErr)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    psLogFile *log = calloc(1, sizeof(*log));

    *outErr = 0;
    if (!log)
        return NULL;
    log->fd = -1;
    log->path = epicsStrDup(path);
    log->standardOutput = strcmp(path, "-") == 0;
    log->loop = loop;
    log->onRoom = onRoom;
    log->onRoomCtx = ctx;
    log->roomJob.fn = roomJob;
    log->roomJob.ctx = log;
    log->idleJob.fn = idleJob;
    log->idleJob.ctx = log;
    log->lock = epicsMutexCreate();
    log->wake = epicsEventCreate(epicsEventEmpty);
    log->ended = epicsEventCreate(epicsEventEmpty);
    if (log->lock)
        *outErr = openFile(log);
    log->stats.error = -*outErr;
    opts.priority = epicsThreadPriorityLow;
    opts.stackSize = epicsThreadStackSmall;
    opts.joinable = 1;
    if (log->lock && log->wake && log->ended)
        log->thread = epicsThreadCreateOpt("psLog", writerThread, log, &opts);
    if (!log->thread) {
        freeAll(log);
        return NULL;
    }
    return log;
}

/* The chunk to fill, with room; NULL: none to be had.  Called with the lock held. */
static psChunk *tailChunk(psLogFile *log)
{
    psChunk *chunk = (psChunk *)ellLast(&log->chunks);

    if (chunk && chunk->len < CHUNK_BYTES && !chunk->reopenAfter)
        return chunk;
    chunk = log->spare ? log->spare : malloc(sizeof(*chunk));
    log->spare = NULL;
    if (chunk) {
        chunk->len = 0;
        chunk->reopenAfter = false;
        ellAdd(&log->chunks, &chunk->node);
    }
    return chunk;
}

size_t psLogFileWrite(psLogFile *log, const void *bytes, size_t len)
{
    size_t taken = 0;
    bool wake;

    epicsMutexMustLock(log->lock);
    wake = ellCount(&log->chunks) == 0;
    while (taken < len && log->queuedBytes < PS_LOG_QUEUE_BYTES) {
        psChunk *chunk = tailChunk(log);
        size_t part = len - taken;

        if (!chunk)
            break;
        if (part > CHUNK_BYTES - chunk->len)
            part = CHUNK_BYTES - chunk->len;
        if (part > PS_LOG_QUEUE_BYTES - log->queuedBytes)
            part = PS_LOG_QUEUE_BYTES - log->queuedBytes;
        memcpy(chunk->data + chunk->len, (const char *)bytes + taken, part);
        chunk->len += part;
        log->queuedBytes += part;
        taken += part;
    }
    if (taken < len)
        log->refused = true;
    epicsMutexUnlock(log->lock);
    if (wake && taken > 0)
        epicsEventMustTrigger(log->wake);
    return taken;
}

void psLogFileReopen(psLogFile *log)
{
    psChunk *last;

    epicsMutexMustLock(log->lock);
    last = (psChunk *)ellLast(&log->chunks);
    if (last)
        last->reopenAfter = true;
    else
        log->reopenNow = true;
    epicsMutexUnlock(log->lock);
    epicsEventMustTrigger(log->wake);
}

void psLogFileStats(const psLogFile *log, psLogStats *out)
{
    epicsMutexMustLock(log->lock);
    *out = log->stats;
    epicsMutexUnlock(log->lock);
}

bool psLogFileIdle(const psLogFile *log)
{
    bool idle;

    epicsMutexMustLock(log->lock);
    idle = log->queuedBytes == 0;
    epicsMutexUnlock(log->lock);
    return idle;
}

void psLogFileFlush(psLogFile *log, void (*onIdle)(void *ctx), void *ctx)
{
    log->onIdle = onIdle;
    log->onIdleCtx = ctx;
    epicsMutexMustLock(log->lock);
    log->tellIdle = true;
    epicsMutexUnlock(log->lock);
    epicsEventMustTrigger(log->wake);
}

void psLogFileFree(psLogFile *log, double waitSec)
{
    if (!log)
        return;
    epicsMutexMustLock(log->lock);
    log->stop = true;
    epicsMutexUnlock(log->lock);
    epicsEventMustTrigger(log->wake);
    if (epicsEventWaitWithTimeout(log->ended, waitSec) != epicsEventOK) {
        epicsMutexMustLock(log->lock);
        log->orphan = true; /* stuck in a write: left behind with its memory */
        epicsMutexUnlock(log->lock);
        return;
    }
    epicsThreadMustJoin(log->thread);
    psLoopCancel(log->loop, &log->roomJob);
    psLoopCancel(log->loop, &log->idleJob);
    freeAll(log);
}
