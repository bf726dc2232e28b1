/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
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
    _Atomic(psSup *) sup; /* NULL: no own log yet */
    atomic_bool detached; /* standard error leads to the own log */
} own;

static void toLog(const char *line)
{
    psSup *sup = atomic_load(&own.sup);

    if (sup)
        psSupWriteLog(sup, line);
}

/* Each line of @p text that says something. */
static void linesToLog(const char *text)
{
    char line[LINE_BYTES];

    while (*text) {
        if (psBaseLine(text, line, sizeof(line)))
            toLog(line);
        text += strspn(text, "\n");
        text += strcspn(text, "\n");
    }
}

/* ---- where Base says something ---- */

/* Thread: errlog's. */
static void onErrlog(void *ctx, const char *message)
{
    (void)ctx;
    linesToLog(message);
}

static void onStdout(const char *line)
{
    char text[LINE_BYTES + 20];

    snprintf(text, sizeof(text), "EPICS Base: %s", line);
    if (!atomic_load(&own.detached))
        fprintf(stderr, "%s: %s\n", own.argv0, text);
    toLog(text);
}

static ssize_t onStream(void *ctx, const char *bytes, size_t len)
{
    char text[LINE_BYTES];
    size_t count = len < sizeof(text) ? len : sizeof(text) - 1;

    (void)ctx;
    fwrite(bytes, 1, len, stderr);
    memcpy(text, bytes, count);
    text[count] = '\0';
    if (!atomic_load(&own.detached))
        linesToLog(text);
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
    atomic_store(&own.sup, sup);
    errlogAddListener(onErrlog, NULL);
}

void psOwnLogDetach(void)
{
    if (!atomic_load(&own.sup) || psCaptureStart(STDERR_FILENO, toLog))
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

    if (!atomic_load(&own.sup))
        return NULL;
    FILE *stream = fopencookie(NULL, "w", functions);
    if (stream)
        setvbuf(stream, NULL, _IOLBF, 0);
    return stream;
}
