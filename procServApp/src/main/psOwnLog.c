/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <errlog.h>

#include "psBaseText.h"
#include "psCapture.h"
#include "psOwnLog.h"

#define LINE_BYTES 1000

static struct {
    const char *argv0;
    atomic_bool detached;   /* standard error leads to the own log */
    atomic_bool onTerminal; /* it is the terminal of a console */
    pthread_mutex_t lock;   /* guards the next; leaf but for psSupWriteLog().  Not Base's, which
                             * would need memory */
    psSup *sup;             /* NULL: no own log */
} own = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock: the supervisor is not freed meanwhile. */
static void toLog(const char *line)
{
    pthread_mutex_lock(&own.lock);
    if (own.sup)
        psSupWriteLog(own.sup, line);
    pthread_mutex_unlock(&own.lock);
}

static void setSup(psSup *sup)
{
    pthread_mutex_lock(&own.lock);
    own.sup = sup;
    pthread_mutex_unlock(&own.lock);
}

static bool hasLog(void)
{
    pthread_mutex_lock(&own.lock);
    bool has = own.sup != NULL;
    pthread_mutex_unlock(&own.lock);
    return has;
}

/* Each line that says something; a long one in several. */
static void linesToLog(const char *bytes, size_t len)
{
    char part[LINE_BYTES], line[LINE_BYTES];

    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t count = end ? (size_t)(end - bytes) : len;

        if (count > sizeof(part) - 1)
            count = sizeof(part) - 1;
        memcpy(part, bytes, count);
        part[count] = '\0';
        if (psBaseLine(part, line, sizeof(line)))
            toLog(line);
        if (bytes + count == end)
            count++;
        bytes += count;
        len -= count;
    }
}

/* ---- where Base says something ---- */

/* Thread: errlog's. */
static void onErrlog(void *ctx, const char *message)
{
    (void)ctx;
    linesToLog(message, strlen(message));
}

static void onStdout(const char *line)
{
    char text[LINE_BYTES + 20];

    snprintf(text, sizeof(text), "EPICS Base: %s", line);
    if (!atomic_load(&own.detached) && !(atomic_load(&own.onTerminal) && psBaseIsPortRemark(line)))
        fprintf(stderr, "%s: %s\n", own.argv0, text);
    toLog(text);
}

static ssize_t onStream(void *ctx, const char *bytes, size_t len)
{
    (void)ctx;
    fwrite(bytes, 1, len, stderr);
    if (!atomic_load(&own.detached))
        linesToLog(bytes, len);
    return (ssize_t)len;
}

/* ---- the public face ---- */

void psOwnLogTakeStdout(const char *argv0)
{
    int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

    own.argv0 = argv0;
    if (kept < 0)
        return; /* it stays shared */
    psSupSetStandardOutput(kept);
    if (psCaptureStart(STDOUT_FILENO, onStdout))
        psSupSetStandardOutput(STDOUT_FILENO);
}

void psOwnLogStart(psSup *sup)
{
    setSup(sup);
    errlogAddListener(onErrlog, NULL);
}

void psOwnLogTerminal(void)
{
    atomic_store(&own.onTerminal, true);
}

void psOwnLogStop(void)
{
    setSup(NULL);
    errlogRemoveListeners(onErrlog, NULL);
}

void psOwnLogDetach(void)
{
    if (!hasLog() || psCaptureStart(STDERR_FILENO, toLog))
        return; /* errlog at least is heard */
    atomic_store(&own.detached, true);
    errlogRemoveListeners(onErrlog, NULL);
}

void psOwnLogSay(const char *fmt, ...)
{
    char line[LINE_BYTES];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    fprintf(stderr, "%s\n", line);
    if (!atomic_load(&own.detached))
        toLog(line);
}

FILE *psOwnLogStream(void)
{
    static const cookie_io_functions_t functions = {.write = onStream};

    if (!hasLog())
        return NULL;
    FILE *stream = fopencookie(NULL, "w", functions);
    if (stream)
        setvbuf(stream, NULL, _IOLBF, 0);
    return stream;
}
