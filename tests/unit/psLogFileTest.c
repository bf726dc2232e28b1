/* SPDX-License-Identifier: EPICS */
/* psLogFile on real files, a full device, pipes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "log/psLogFile.h"
#include "loop/psLoop.h"
#include "psTypes.h"

#define DEADLINE_SEC 30.0

static psLoop *loop;
static char dirName[] = "/tmp/psLogFileTest.XXXXXX";
static int rooms, idles;

static void onRoom(void *ctx)
{
    (void)ctx;
    rooms++;
}

static void onIdle(void *ctx)
{
    (void)ctx;
    idles++;
}

static double mono(void)
{
    return psClockMono(psClockSystem());
}

/* Rounds of the loop until *counter reaches wanted. */
static void await(const int *counter, int wanted, const char *what)
{
    double deadline = mono() + DEADLINE_SEC;

    while (*counter < wanted) {
        if (mono() > deadline)
            testAbort("no %s within %.0f s", what, DEADLINE_SEC);
        psLoopRound(loop, 0.5);
    }
}

static void flush(psLogFile *log)
{
    idles = 0;
    psLogFileFlush(log, onIdle, NULL);
    await(&idles, 1, "end of flush");
}

static const char *pathOf(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", dirName, name);
    return path;
}

static psLogFile *create(const char *path, int expected)
{
    int error = 12345;
    psLogFile *log = psLogFileCreate(path, loop, onRoom, NULL, &error);

    if (!log)
        testAbort("no log file: %d", error);
    testOk(error == expected, "opening %s gives %d", path, error);
    return log;
}

static void put(psLogFile *log, const char *text)
{
    size_t taken = psLogFileWrite(log, text, strlen(text));

    if (taken != strlen(text))
        testAbort("took only %lu of \"%s\"", (unsigned long)taken, text);
}

static const char *readBack(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static void holds(const char *path, const char *wanted)
{
    const char *text = readBack(path);

    if (!testOk(strcmp(text, wanted) == 0, "content of %s", path))
        testDiag("is: %s\nnot: %s", text, wanted);
}

static void write_IsAppendedInOrder(void)
{
    const char *path = pathOf("append");
    psLogStats stats;
    struct stat info;

    testDiag("write_IsAppendedInOrder");
    umask(022);
    psLogFile *log = create(path, 0);
    put(log, "one\n");
    put(log, "two\n");
    flush(log);
    testOk1(psLogFileQueued(log) == 0);
    holds(path, "one\ntwo\n");
    psLogFileStats(log, &stats);
    testOk(stats.writtenBytes == 8 && stats.sizeBytes == 8 && !stats.lostBytes && !stats.error,
           "statistics");
    stat(path, &info);
    testOk((info.st_mode & 07777) == 0644, "mode %o", info.st_mode & 07777);
    flush(log);
    testPass("flush of an idle log ends");
    psLogFileFree(log, 5);
    log = create(path, 0);
    put(log, "three\n");
    psLogFileFree(log, 5);
    holds(path, "one\ntwo\nthree\n");
}

static void reopen_AfterRename_SplitsAtTheCall(void)
{
    const char *path = pathOf("rotate"), *old = pathOf("rotate.1");
    psLogFile *log = create(path, 0);
    psLogStats stats;

    testDiag("reopen_AfterRename_SplitsAtTheCall");
    put(log, "before\n");
    rename(path, old);
    put(log, "still before\n");
    psLogFileReopen(log, 0);
    put(log, "after\n");
    psLogFileReopen(log, 0);
    put(log, "more\n");
    flush(log);
    holds(old, "before\nstill before\n");
    holds(path, "after\nmore\n");
    psLogFileStats(log, &stats);
    testOk(stats.writtenBytes == 31, "%lu written", (unsigned long)stats.writtenBytes);
    testOk(stats.sizeBytes == 11, "size of the new file: %lu", (unsigned long)stats.sizeBytes);
    psLogFileFree(log, 5);
}

/* What a look finds. */
static psLogStats look(psLogFile *log)
{
    double deadline = mono() + DEADLINE_SEC;
    psLogStats stats;

    psLogFileLook(log);
    do {
        psLoopRound(loop, 0.01);
        psLogFileStats(log, &stats);
    } while (stats.looking && mono() < deadline);
    if (stats.looking)
        testAbort("no look within %.0f s", DEADLINE_SEC);
    return stats;
}

static void look_FileRemoved_IsAnErrorUntilReopened(void)
{
    const char *path = pathOf("removed"), *old = pathOf("removed.1");
    psLogFile *log = create(path, 0);

    testDiag("look_FileRemoved_IsAnErrorUntilReopened");
    testOk1(look(log).error == 0);
    rename(path, old);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    testOk(look(log).error == 0, "a rename, and a new file, as before a rotation: no error");
    unlink(old);
    rooms = 0;
    testOk(look(log).error == ENOENT, "the file is removed");
    await(&rooms, 1, "news of it");
    put(log, "to nowhere\n");
    flush(log);
    testOk(look(log).error == ENOENT, "that it can be written does not hide it");
    psLogFileReopen(log, 0);
    put(log, "here\n");
    flush(log);
    testOk(look(log).error == 0, "all is well again");
    holds(path, "here\n");
    psLogFileFree(log, 5);
}

static void open_Fails_UntilReopened(void)
{
    char path[160];
    psLogStats stats;

    testDiag("open_Fails_UntilReopened");
    snprintf(path, sizeof(path), "%s/later/log", dirName);
    psLogFile *log = create(path, -ENOENT);
    put(log, "lost\n");
    flush(log);
    psLogFileStats(log, &stats);
    testOk(stats.error == ENOENT && stats.lostBytes == 5 && stats.writtenBytes == 0,
           "error %d, %lu dropped", stats.error, (unsigned long)stats.lostBytes);
    mkdir(pathOf("later"), 0755);
    psLogFileReopen(log, 0);
    put(log, "half\nwhole\n");
    flush(log);
    holds(path, "@@@ 10 bytes lost\r\nwhole\n");
    psLogFileStats(log, &stats);
    testOk(stats.error == 0 && stats.lostBytes == 10, "error %d, %lu dropped", stats.error,
           (unsigned long)stats.lostBytes);
    rename(pathOf("later"), pathOf("moved"));
    psLogFileReopen(log, 0);
    put(log, "kept\n");
    flush(log);
    snprintf(path, sizeof(path), "%s/moved/log", dirName);
    holds(path, "@@@ 10 bytes lost\r\nwhole\nkept\n");
    psLogFileStats(log, &stats);
    testOk(stats.error == ENOENT, "and the failed reopening is reported: %d", stats.error);
    psLogFileFree(log, 5);
}

static void disk_Full_CountsAndGoesOn(void)
{
    const char *path = pathOf("full");
    psLogFile *log = create("/dev/full", 0);
    struct rlimit limit, small;
    psLogStats stats;

    testDiag("disk_Full_CountsAndGoesOn");
    put(log, "nothing of this\n");
    flush(log);
    psLogFileStats(log, &stats);
    testOk(stats.error == ENOSPC && stats.lostBytes == 16, "error %d, %lu dropped", stats.error,
           (unsigned long)stats.lostBytes);
    psLogFileFree(log, 5);

    /* a limit of the file's size is a full disk that can be emptied again */
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = 6;
    log = create(path, 0);
    setrlimit(RLIMIT_FSIZE, &small);
    put(log, "123\n5678\n");
    flush(log);
    put(log, "nothing\n");
    flush(log);
    setrlimit(RLIMIT_FSIZE, &limit); /* the test's own output may be a file, too */
    psLogFileStats(log, &stats);
    testOk(stats.error == EFBIG && stats.lostBytes == 11 && stats.writtenBytes == 6,
           "error %d, %lu dropped, %lu written", stats.error, (unsigned long)stats.lostBytes,
           (unsigned long)stats.writtenBytes);
    put(log, "no line end");
    flush(log);
    holds(path, "123\n56\r\n@@@ 11 bytes lost\r\nno line end");
    psLogFileStats(log, &stats);
    testOk(stats.error == 0, "all is well again");
    psLogFileFree(log, 5);
}

/* A pipe nobody reads yet, as a log. */
static psLogFile *createOnPipe(int *outReader)
{
    const char *path = pathOf("fifo");

    unlink(path);
    if (mkfifo(path, 0600))
        testAbort("mkfifo: %s", strerror(errno));
    *outReader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    psLogFile *log = create(path, 0);
    return log;
}

static void queue_Full_RefusesAndCallsBack(void)
{
    static char block[1 << 20];
    int reader;
    psLogFile *log = createOnPipe(&reader);
    uint64_t taken = 0, total = 0, bad = 0;
    psLogStats stats;
    double deadline = mono() + DEADLINE_SEC;
    size_t part;

    testDiag("queue_Full_RefusesAndCallsBack");
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (char)(i * 7 + i / 256);
    rooms = idles = 0;
    do {
        part = psLogFileWrite(log, block + taken % sizeof(block),
                              sizeof(block) - taken % sizeof(block));
        taken += part;
    } while (part > 0 && mono() < deadline);
    testOk(taken >= PS_LOG_QUEUE_BYTES && taken <= PS_LOG_QUEUE_BYTES + (1 << 17),
           "%lu bytes taken", (unsigned long)taken);
    psLoopRound(loop, 0);
    testOk(rooms == 0 && psLogFileQueued(log) > 0, "no room yet");
    psLogFileFlush(log, onIdle, NULL);
    while (total < taken && mono() < deadline) {
        static char got[1 << 16];
        ssize_t length = read(reader, got, sizeof(got));

        psLoopRound(loop, length > 0 ? 0 : 0.01);
        for (ssize_t i = 0; i < length; i++)
            bad += got[i] != block[(total + (uint64_t)i) % sizeof(block)];
        total += length > 0 ? (uint64_t)length : 0;
    }
    await(&idles, 1, "end of flush");
    testOk(total == taken && bad == 0, "all came, in order: %lu, %lu bad", (unsigned long)total,
           (unsigned long)bad);
    testOk(rooms == 1, "called back once: %d", rooms);
    psLogFileStats(log, &stats);
    testOk(stats.lostBytes == 0 && stats.error == 0, "nothing is lost on a slow pipe");
    close(reader);
    put(log, "nobody reads\n");
    flush(log);
    psLogFileStats(log, &stats);
    testOk(stats.error == EPIPE && stats.lostBytes == 13, "without reader: error %d", stats.error);
    psLogFileFree(log, 5);
}

#ifdef __SANITIZE_THREAD__
static void free_WhileStuck_DoesNotWaitForEver(void)
{
    testSkip(2, "the abandoned thread is reported as a leak");
}
#else
static void free_WhileStuck_DoesNotWaitForEver(void)
{
    static const char block[1 << 18];
    int reader;
    psLogFile *log = createOnPipe(&reader);

    testDiag("free_WhileStuck_DoesNotWaitForEver");
    psLogFileWrite(log, block, sizeof(block));
    psLogFileFlush(log, onIdle, NULL);
    double start = mono();
    psLogFileFree(log, 0.05);
    testOk(mono() - start < DEADLINE_SEC / 2, "it was abandoned");
    close(reader);
    psLogFileFree(NULL, 0);
}
#endif

static void stdout_IsDuplicated(void)
{
    int saved, pair[2];
    char text[16] = "";
    int error;

    testDiag("stdout_IsDuplicated");
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    if (saved < 0 || pipe2(pair, O_CLOEXEC) || dup2(pair[1], STDOUT_FILENO) < 0)
        testAbort("pipe: %s", strerror(errno));
    psLogFile *log = psLogFileCreate("-", loop, NULL, NULL, &error);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(pair[1]);
    put(log, "out\n");
    psLogFileReopen(log, 0);
    flush(log);
    ssize_t length = read(pair[0], text, sizeof(text) - 1);
    testOk(length == 4 && strcmp(text, "out\n") == 0, "standard output got \"%s\"", text);
    psLogFileFree(log, 5);
    length = read(pair[0], text, sizeof(text) - 1);
    testOk(length == 0, "and is closed");
    close(pair[0]);
}

static void removeFiles(void)
{
    const char *names[] = {"append", "rotate", "rotate.1", "moved/log", "full", "fifo", "removed"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(pathOf(names[i]));
    rmdir(pathOf("moved"));
    testOk(rmdir(dirName) == 0, "cleaned up");
}

MAIN(psLogFileTest)
{
    testPlan(44);
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dirName))
        testAbort("%s: %s", dirName, strerror(errno));
    loop = psLoopCreate(psClockSystem());
    write_IsAppendedInOrder();
    reopen_AfterRename_SplitsAtTheCall();
    look_FileRemoved_IsAnErrorUntilReopened();
    open_Fails_UntilReopened();
    disk_Full_CountsAndGoesOn();
    queue_Full_RefusesAndCallsBack();
    free_WhileStuck_DoesNotWaitForEver();
    stdout_IsDuplicated();
    removeFiles();
    psLoopFree(loop);
    return testDone();
}
