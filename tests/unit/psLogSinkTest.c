/* SPDX-License-Identifier: EPICS */
/* The file of a log: what it takes, what it lacks, and whose links lead to it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "log/psLogOpen.h"
#include "log/psLogSink.h"

#define STRANGER 65534

static char dirName[] = "/tmp/psLogSinkTest.XXXXXX";
static int waits;

static bool mayWait(void *ctx)
{
    (void)ctx;
    return ++waits < 3;
}

static const char *pathOf(const char *name)
{
    static char paths[16][128];
    static int next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof(paths[0]), "%s/%s", dirName, name);
    return path;
}

static void put(psLogSink *sink, uint64_t lostBefore, const char *text)
{
    psLogSinkWrite(sink, lostBefore, text, strlen(text));
}

static void holds(const char *path, const char *wanted)
{
    char text[1024] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    if (!testOk(length >= 0 && strcmp(text, wanted) == 0, "content of %s", path))
        testDiag("is: %s\nnot: %s", text, wanted);
}

/* ---- the sink ---- */

static void write_AfterALoss_SaysSoAtALineEnd(void)
{
    const char *path = pathOf("loss");
    psLogSink sink;

    testDiag("write_AfterALoss_SaysSoAtALineEnd");
    testOk1(psLogSinkInit(&sink, path, -1, mayWait, NULL) == 0);
    put(&sink, 0, "nobody opened it\n");
    testOk1(sink.lostBytes == 17 && sink.writtenBytes == 0 && sink.writeError == EBADF);
    testOk1(psLogSinkOpen(&sink) == 0 && sink.writeError == 0);
    put(&sink, 3, "half\nwhole\n");
    put(&sink, 0, "no end");
    put(&sink, 2, "x");
    holds(path, "@@@ 25 bytes lost\r\nwhole\nno end\r\n@@@ 2 bytes lost\r\nx");
    testOk(sink.lostBytes == 27 && sink.writtenBytes == 13 && sink.sizeBytes == 52,
           "%lu lost, %lu written, size %lu", (unsigned long)sink.lostBytes,
           (unsigned long)sink.writtenBytes, (unsigned long)sink.sizeBytes);
    psLogSinkClear(&sink);
    psLogSinkClear(&sink);
    unlink(path);
}

static void open_ThatFails_KeepsTheFileInUse(void)
{
    const char *folder = pathOf("folder"), *moved = pathOf("moved"), *path = pathOf("folder/log");
    psLogSink sink;

    testDiag("open_ThatFails_KeepsTheFileInUse");
    psLogSinkInit(&sink, path, -1, mayWait, NULL);
    testOk1(psLogSinkOpen(&sink) == -ENOENT && sink.openError == ENOENT && sink.fd < 0);
    mkdir(folder, 0700);
    testOk1(psLogSinkOpen(&sink) == 0 && sink.openError == 0);
    put(&sink, 0, "one\n");
    rename(folder, moved);
    testOk1(psLogSinkOpen(&sink) == -ENOENT && sink.fd >= 0);
    put(&sink, 0, "two\n");
    testOk1(sink.writeError == 0 && sink.openError == ENOENT);
    psLogSinkClear(&sink);
    holds(pathOf("moved/log"), "one\ntwo\n");
    unlink(pathOf("moved/log"));
    rmdir(pathOf("moved"));
}

static void write_ToAFullPipe_WaitsAsLongAsItMay(void)
{
    static char block[1 << 17];
    const char *path = pathOf("pipe");
    psLogSink sink;
    int wakeFd[2];

    testDiag("write_ToAFullPipe_WaitsAsLongAsItMay");
    if (mkfifo(path, 0600) != 0 || pipe2(wakeFd, O_CLOEXEC | O_NONBLOCK) != 0)
        testAbort("pipes: %s", strerror(errno));
    close(wakeFd[1]); /* at its end, it is readable for ever */
    psLogSinkInit(&sink, path, wakeFd[0], mayWait, NULL);
    testOk(psLogSinkOpen(&sink) == -ENXIO, "nobody reads it: %s", psLogOpenReason(ENXIO));
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    testOk1(psLogSinkOpen(&sink) == 0);
    waits = 0;
    psLogSinkWrite(&sink, 0, block, sizeof(block));
    testOk(waits == 3 && sink.writeError == EAGAIN && sink.lostBytes + sink.writtenBytes == 1 << 17,
           "asked %d times", waits);
    close(reader);
    put(&sink, 0, "gone");
    testOk1(sink.writeError == EPIPE);
    psLogSinkClear(&sink);
    close(wakeFd[0]);
    unlink(path);
}

/* ---- links ---- */

static int tryPath(const char *path)
{
    int fd = psLogOpen(path);

    if (fd >= 0)
        close(fd);
    return fd < 0 ? fd : 0;
}

static void link_OfOurs_IsFollowed(void)
{
    const char *link = pathOf("link"), *target = pathOf("target");
    char proc[64];
    struct stat info;

    testDiag("link_OfOurs_IsFollowed");
    if (symlink("target", link) != 0)
        testAbort("symlink: %s", strerror(errno));
    testOk1(psLogOpenCheck(link) == 0 && access(target, F_OK) != 0);
    testOk(tryPath(link) == 0 && stat(target, &info) == 0, "a relative one, and the file is made");
    unlink(link);
    if (symlink(target, link) != 0 || symlink("link", pathOf("link2")) != 0)
        testAbort("symlink: %s", strerror(errno));
    testOk(tryPath(pathOf("link2")) == 0 && psLogOpenCheck(pathOf("link2")) == 0,
           "one to an absolute one");
    unlink(pathOf("link2"));
    unlink(link);
    if (symlink("link", link) != 0)
        testAbort("symlink: %s", strerror(errno));
    testOk(tryPath(link) == -ELOOP && psLogOpenCheck(link) == -ELOOP, "a circle ends");
    unlink(link);
    int fd = open(target, O_WRONLY | O_CLOEXEC);
    snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    unlink(target);
    testOk(tryPath(proc) == 0, "one of the kernel's own: %s", proc);
    close(fd);
}

static void link_OfAStranger_IsRefused(void)
{
    const char *link = pathOf("link"), *victim = pathOf("victim");

    testDiag("link_OfAStranger_IsRefused");
    if (geteuid() != 0) {
        testSkip(4, "only root can make a link that belongs to another user");
        return;
    }
    if (symlink("victim", link) != 0 || lchown(link, STRANGER, STRANGER) != 0)
        testAbort("symlink: %s", strerror(errno));
    testOk(tryPath(link) == -ELOOP && access(victim, F_OK) != 0, "not followed, nothing is made");
    testOk1(psLogOpenCheck(link) == -ELOOP);
    int fd = open(victim, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    testOk(tryPath(link) == -ELOOP, "nor if the file is there");
    close(fd);
    if (symlink("link", pathOf("ours")) != 0)
        testAbort("symlink: %s", strerror(errno));
    testOk(tryPath(pathOf("ours")) == -ELOOP, "nor by way of one of ours");
    unlink(pathOf("ours"));
    unlink(link);
    unlink(victim);
}

static void check_SaysWhatAStartWouldMeet(void)
{
    const char *fifo = pathOf("fifo");

    testDiag("check_SaysWhatAStartWouldMeet");
    testOk1(psLogOpenCheck(pathOf("new")) == 0 && access(pathOf("new"), F_OK) != 0);
    testOk1(psLogOpenCheck(dirName) == -EISDIR);
    testOk1(psLogOpenCheck(pathOf("no/log")) == -ENOENT && tryPath(pathOf("no/log")) == -ENOENT);
    testOk1(psLogOpenCheck(pathOf("")) == -EISDIR && tryPath(pathOf("")) == -EISDIR);
    if (mkfifo(fifo, 0600) != 0)
        testAbort("mkfifo: %s", strerror(errno));
    testOk1(psLogOpenCheck(fifo) == -ENXIO);
    unlink(fifo);
    testOk1(psLogOpenCheck("psLogSinkTest.new") == 0 && access("psLogSinkTest.new", F_OK) != 0);
}

MAIN(psLogSinkTest)
{
    (void)argc;
    (void)argv;
    testPlan(30);
    signal(SIGPIPE, SIG_IGN);
    if (!mkdtemp(dirName))
        testAbort("%s: %s", dirName, strerror(errno));
    write_AfterALoss_SaysSoAtALineEnd();
    open_ThatFails_KeepsTheFileInUse();
    write_ToAFullPipe_WaitsAsLongAsItMay();
    link_OfOurs_IsFollowed();
    link_OfAStranger_IsRefused();
    check_SaysWhatAStartWouldMeet();
    testOk(rmdir(dirName) == 0, "cleaned up");
    return testDone();
}
