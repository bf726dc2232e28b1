/* SPDX-License-Identifier: EPICS */
/*
 * A console and its log, in the test's own loop: what the log may lose, what never, and what is
 * said of it.  A pipe stands in for the pty.  openat() is this program's own: one name hangs until
 * the test lets it go on, as on a file server that is dead.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <epicsEvent.h>
#include <epicsUnitTest.h>
#include <errlog.h>
#include <testMain.h>

#include "console/psConsole.h"

#define LINES 65536 /* a pipe full of empty lines */
#define STAMP "[Mon Nov 23 15:40:19 2026] "

static epicsEventId served; /* the dead server lives again */

int openat(int dir, const char *path, int flags, ...)
{
    int mode = 0;
    va_list args;

    va_start(args, flags);
    if (flags & O_CREAT)
        mode = va_arg(args, int);
    va_end(args);
    if (strcmp(path, "hanging") == 0)
        epicsEventMustWait(served);
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

typedef struct psRig {
    psLoop *loop;
    psConfig *cfg;
    psConsole console;
    char dir[64], path[128];
    int pty[2]; /* we write [1]; the console reads [0] */
} psRig;

static void nothing(void *ctx)
{
    (void)ctx;
}

static const psConsoleOps ops = {
    .counted = nothing, .printed = nothing, .logNews = nothing, .resume = nothing};

static void set(psRig *rig, const char *option, const char *value)
{
    char msg[256];

    if (psConfigSet(rig->cfg, option, value, msg, sizeof(msg)) != 0)
        testAbort("%s: %s", option, msg);
}

static void prepare(psRig *rig)
{
    const char *const argv[] = {"child"};
    const char *tmp = getenv("TMPDIR");

    memset(rig, 0, sizeof(*rig));
    snprintf(rig->dir, sizeof(rig->dir), "%.40s/psTestXXXXXX", tmp ? tmp : "/tmp");
    rig->loop = psLoopCreate(psClockSystem());
    rig->cfg = psConfigCreate();
    if (!mkdtemp(rig->dir) || !rig->loop || !rig->cfg ||
        psConfigSetCommand(rig->cfg, 1, argv) != 0 || pipe2(rig->pty, O_NONBLOCK | O_CLOEXEC) != 0)
        testAbort("cannot prepare: %s", strerror(errno));
    snprintf(rig->path, sizeof(rig->path), "%s/log", rig->dir);
    set(rig, "logfile", rig->path);
}

static void openConsole(psRig *rig)
{
    char msg[256];

    psLoopRound(rig->loop, 0); /* makes this the loop's thread */
    if (psConsoleInit(&rig->console, rig->loop, rig->cfg, &ops, rig) != 0 ||
        psConsoleOpen(&rig->console, "argv0", msg, sizeof(msg)) != 0)
        testAbort("cannot open: %s", msg);
    psConsoleStart(&rig->console);
}

static void tearDown(psRig *rig)
{
    psConsoleClear(&rig->console, 5.0);
    psLoopFree(rig->loop);
    psConfigFree(rig->cfg);
    close(rig->pty[0]);
    close(rig->pty[1]);
    unlink(rig->path);
    rmdir(rig->dir);
}

/* The log has a thread of its own: wait for it. */
static void waitForLog(psRig *rig)
{
    for (int i = 0; i < 3000 && !psConsoleIdle(&rig->console); i++)
        psLoopRound(rig->loop, 0.01);
    if (!psConsoleIdle(&rig->console))
        testAbort("waited 30 s for the log to be written");
}

/* Read @p fd to its end, or to EAGAIN. */
static void readAll(int fd, psText *out)
{
    char bytes[65536];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof(bytes))) > 0)
        psTextAppend(out, bytes, (size_t)n);
}

static size_t countOf(const psText *text, const char *part)
{
    const char *at = text->data, *end = at + text->len;
    size_t count = 0;

    while (at && (at = memmem(at, (size_t)(end - at), part, strlen(part))) != NULL) {
        at += strlen(part);
        count++;
    }
    return count;
}

/* One round of reading: 64 KiB of the pty, 1.8 MB with stamps, more than any ring holds. */
static void stamps_OfManyShortLines_LoseNothingInTheLog(void)
{
    static char lines[LINES];
    psText log = PS_TEXT_INIT;
    psRig rig;

    prepare(&rig);
    set(&rig, "logstamp", STAMP);
    openConsole(&rig);
    memset(lines, '\n', sizeof(lines));
    if (write(rig.pty[1], lines, sizeof(lines)) != LINES)
        testAbort("write: %s", strerror(errno));
    while (psConsoleMayRead(&rig.console) &&
           psConsoleReadFrom(&rig.console, rig.pty[0], LINES) > 0) {
    }
    waitForLog(&rig);
    int fd = open(rig.path, O_RDONLY | O_CLOEXEC);
    readAll(fd, &log);
    close(fd);
    size_t stamped = countOf(&log, STAMP "\n");
    testOk(stamped == LINES && log.len == LINES * strlen(STAMP "\n"), "%zu of %d lines, %zu bytes",
           stamped, LINES, log.len);
    psTextClear(&log);
    tearDown(&rig);
}

/* The log is a pipe that nobody reads for a while. */
static void stalledLog_IsToldOnceAndKeepsNoMemory(void)
{
    const size_t all = PS_LOG_QUEUE_BYTES + 8u * PS_RING_MAX_BYTES;
    char line[1024];
    psText log = PS_TEXT_INIT;
    size_t notices, most = 0, queued = 0;
    psRig rig;

    prepare(&rig);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    int fd = mkfifo(rig.path, 0600) == 0 ? open(rig.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0)
        testAbort("fifo: %s", strerror(errno));
    openConsole(&rig);
    for (size_t done = 0; done < all; done += sizeof(line)) {
        psConsoleWrite(&rig.console, line, sizeof(line));
        if (done % PS_RING_MIN_BYTES == 0)
            psLoopRound(rig.loop, 0);
        if (rig.console.log.notice.cap > most)
            most = rig.console.log.notice.cap;
    }
    testOk(most <= 1024, "what waits for the log beside its queue is one notice (%zu bytes)", most);
    for (int i = 0; i < 30000 && !psConsoleIdle(&rig.console); i++) {
        readAll(fd, &log);
        psLoopRound(rig.loop, 0.001);
    }
    readAll(fd, &log);
    notices = countOf(&log, " bytes lost\r\n");
    queued = log.len;
    testOk(notices == 1, "the gap is reported once (%zu times)", notices);
    testOk(queued >= PS_LOG_QUEUE_BYTES && queued < all, "and what was queued is there");
    close(fd);
    psTextClear(&log);
    tearDown(&rig);
}

static bool printed(psRig *rig, const char *text)
{
    psRing *ring = &rig->console.output.plain.ring;
    const char *bytes;
    size_t len = psRingPeek(ring, ring->tail, &bytes);

    return len > 0 && memmem(bytes, len, text, strlen(text)) != NULL;
}

static void rounds(psRig *rig, const char *until)
{
    for (int i = 0; i < 3000 && !printed(rig, until); i++)
        psLoopRound(rig->loop, 0.01);
}

/* Nothing is said of a log before it is true. */
static void lateLog_IsReportedWhenItIsOpen(void)
{
    psText log = PS_TEXT_INIT;
    psRig rig;

    testDiag("lateLog_IsReportedWhenItIsOpen");
    served = epicsEventMustCreate(epicsEventEmpty);
    prepare(&rig);
    snprintf(rig.path, sizeof(rig.path), "%s/hanging", rig.dir);
    set(&rig, "logfile", rig.path);
    eltc(0); /* that it is late is expected here */
    openConsole(&rig);
    eltc(1);
    psConsoleWrite(&rig.console, "meanwhile\r\n", 11);
    for (int i = 0; i < 10; i++)
        psLoopRound(rig.loop, 0.01);
    testOk(!psConsoleLogIsFailed(&rig.console) && !printed(&rig, "log file"),
           "nothing is said while open() hangs");
    epicsEventMustTrigger(served);
    rounds(&rig, "@@@ log file ");
    testOk(printed(&rig, "/hanging is open now\r\n") && !printed(&rig, "lost") &&
               !psConsoleLogIsFailed(&rig.console),
           "then that it is open");
    waitForLog(&rig);
    int fd = open(rig.path, O_RDONLY | O_CLOEXEC);
    readAll(fd, &log);
    close(fd);
    testOk(log.data && strncmp(log.data, "meanwhile\r\n@@@ log file", 23) == 0,
           "nothing is missing");
    psTextClear(&log);
    tearDown(&rig);
    epicsEventDestroy(served);
}

/* Lines of --audit stand where they belong, and only in the log. */
static void audit_GoesToTheLogInOrder(void)
{
    psText log = PS_TEXT_INIT;
    psRig rig;

    prepare(&rig);
    set(&rig, "logstamp", "S ");
    set(&rig, "audit", NULL);
    openConsole(&rig);
    psConsoleWrite(&rig.console, "before\r\nprompt> ", 16);
    psConsoleAudit(&rig.console, "who", "pressed %s", "^X");
    psConsoleWrite(&rig.console, "after\r\n", 7);
    waitForLog(&rig);
    int fd = open(rig.path, O_RDONLY | O_CLOEXEC);
    readAll(fd, &log);
    close(fd);
    const char *line = log.data ? strstr(log.data, "S @@@ ") : NULL;
    testOk(line && strncmp(log.data, "S before\r\nS prompt> \r\nS @@@ ", 28) == 0 &&
               strcmp(line + strlen("S @@@ 2026-11-25 16:00:00 "), "who pressed ^X\r\nafter\r\n") ==
                   0,
           "after what was printed before it, on a line of its own: %s", log.data);
    testOk(!printed(&rig, "pressed"), "and no console sees it");
    psTextClear(&log);
    tearDown(&rig);
}

/* A log that takes nothing: its lines are bounded, and what is missing is said. */
static void audit_OfAStalledLog_IsBoundedAndCounted(void)
{
    psText log = PS_TEXT_INIT;
    char line[1024];
    psRig rig;
    unsigned given = 0;

    prepare(&rig);
    set(&rig, "audit", NULL);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    int fd = mkfifo(rig.path, 0600) == 0 ? open(rig.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0)
        testAbort("fifo: %s", strerror(errno));
    openConsole(&rig);
    while (!rig.console.log.full) {
        psConsoleWrite(&rig.console, line, sizeof(line));
        psLoopRound(rig.loop, 0);
    }
    for (; given < 5000; given++)
        psConsoleAudit(&rig.console, "who", "pressed ^X");
    testOk(rig.console.log.notice.len <= PS_CONSOLE_LOG_NOTE_BYTES, "%zu bytes wait",
           rig.console.log.notice.len);
    for (int i = 0; i < 30000 && !psConsoleIdle(&rig.console); i++) {
        readAll(fd, &log);
        psLoopRound(rig.loop, 0.001);
    }
    psConsoleAudit(&rig.console, "who", "came again");
    for (int i = 0; i < 3000 && countOf(&log, "came again\r\n") == 0; i++) {
        psLoopRound(rig.loop, 0.001);
        readAll(fd, &log);
    }
    const char *at = memmem(log.data, log.len, " lines of --audit are missing here", 34);
    while (at && at > log.data && at[-1] != ' ')
        at--;
    unsigned missing = at ? (unsigned)strtoul(at, NULL, 10) : 0;
    testOk(missing > 0 && countOf(&log, "pressed ^X\r\n") + missing == given,
           "%u of %u are missing, as is said", missing, given);
    close(fd);
    psTextClear(&log);
    tearDown(&rig);
}

MAIN(psConsoleLogTest)
{
    (void)argc;
    (void)argv;
    testPlan(11);
    audit_GoesToTheLogInOrder();
    audit_OfAStalledLog_IsBoundedAndCounted();
    stamps_OfManyShortLines_LoseNothingInTheLog();
    stalledLog_IsToldOnceAndKeepsNoMemory();
    lateLog_IsReportedWhenItIsOpen();
    return testDone();
}
