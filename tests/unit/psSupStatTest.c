/* SPDX-License-Identifier: EPICS */
/* What real children use, as the supervisor reads it. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <epicsMutex.h>
#include <epicsThread.h>
#include <epicsTime.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "child/psChild.h"
#include "log/psLogFile.h"
#include "psSupFixture.h"
#include "sup/psSupSpace.h"

static psSupFixture fixture;
static psChild *child;
static psTestConsole console;
static epicsEventId news;

/* All that was published; the thread psStat appends. */
static epicsMutexId lock;
static psResources seen[1000];
static int seenCount;

static void published(void *ctx)
{
    psResources now;

    (void)ctx;
    psSupResources(child, &now);
    epicsMutexMustLock(lock);
    if (seenCount < (int)(sizeof(seen) / sizeof(seen[0])))
        seen[seenCount++] = now;
    epicsMutexUnlock(lock);
    epicsEventMustTrigger(news);
}

static psResources newest(int *outCount)
{
    psResources last = {0};

    epicsMutexMustLock(lock);
    if (seenCount)
        last = seen[seenCount - 1];
    if (outCount)
        *outCount = seenCount;
    epicsMutexUnlock(lock);
    return last;
}

/* The newest after so many passes more.  After two, one has begun after this call. */
static psResources awaitPasses(int passes)
{
    int from, now;

    newest(&from);
    do {
        if (epicsEventWaitWithTimeout(news, PS_TEST_SEC) != epicsEventOK)
            testAbort("waited %g s for a reading", PS_TEST_SEC);
        newest(&now);
    } while (now < from + passes);
    return newest(NULL);
}

/* What rates add up to from entry @p from on: each is that of the time since the entry before. */
static double sumSince(int from, double (*rate)(const psResources *))
{
    double sum = 0;

    epicsMutexMustLock(lock);
    for (int i = from; i < seenCount; i++)
        sum += rate(&seen[i]) * epicsTimeDiffInSeconds(&seen[i].time, &seen[i - 1].time);
    epicsMutexUnlock(lock);
    return sum;
}

static double readRate(const psResources *r)
{
    return r->readKBs;
}

static double writtenRate(const psResources *r)
{
    return r->writtenKBs;
}

static double cpuRate(const psResources *r)
{
    return r->cpuPercent / 100;
}

static void order(const char *command)
{
    char text[80];

    snprintf(text, sizeof(text), "%s\n", command);
    psTestConsoleType(&console, text);
    snprintf(text, sizeof(text), "done %s", command);
    if (!psTestConsoleExpect(&console, text))
        testAbort("the child has gone");
}

static bool near(double value, double wanted, double slack)
{
    testDiag("%g, wanted %g", value, wanted);
    return fabs(value - wanted) <= 0.05 * wanted + slack;
}

static void begin(void)
{
    char program[PATH_MAX];
    const char *argv[] = {program, NULL};

    snprintf(program, sizeof(program), "%s", psTestChildProgram());
    snprintf(strrchr(program, '/'), 20, "/psTestLoad"); /* beside it */
    psSupFixtureOpen(&fixture, false);
    psSupFixtureAdd(&fixture, psSupFixtureCommand(&fixture, "load", argv));
    child = psSupFind(fixture.sup, "load");
    psSupSubscribe(child, psTopicResources, published, NULL);
    psSupFixtureStart(&fixture);
    psSupFixtureState(&fixture, "load", psStateRunning);
    psTestConsoleOpen(&console, &fixture, "load");
    order("open=1"); /* it runs now */
}

static void nobodyWatches_NothingIsRead(void)
{
    psResources now;

    testDiag("nobodyWatches_NothingIsRead");
    psSupResources(child, &now);
    testOk1(now.seq == 0);
}

static void watched_AtOnce(void)
{
    testDiag("watched_AtOnce");
    psSupWatch(fixture.sup, true);
    psResources now = awaitPasses(1);
    testOk1(now.seq >= 1 && now.error == 0 && now.procs == 1 && now.threads == 1);
    testOk1(now.rssMiB > 0.1 && now.rssMiB < 50 && now.fds >= 3 && now.fdMax > now.fds);
}

static void io_AddsUp(void)
{
    int from;

    testDiag("io_AddsUp");
    awaitPasses(2);
    newest(&from);
    order("read=40000000");
    order("write=20000000");
    awaitPasses(2);
    testOk(near(sumSince(from, readRate), 40000, 20), "read");
    testOk(near(sumSince(from, writtenRate), 20000, 20), "written");
}

static void cpu_AddsUp(void)
{
    int from;
    psResources before = awaitPasses(2);

    testDiag("cpu_AddsUp");
    newest(&from);
    order("burn=1.5");
    order("kid=1.5");
    psResources now = awaitPasses(2);
    testOk(near(now.cpuSec - before.cpuSec, 3, 0.1), "CPU time");
    testOk(near(sumSince(from, cpuRate), 3, 0.1), "percents add up to it");
}

static void memory_IsShown(void)
{
    psResources before = awaitPasses(2);

    testDiag("memory_IsShown");
    order("memory=100");
    psResources now = awaitPasses(2);
    testOk1(near(now.rssMiB - before.rssMiB, 100, 1));
    testOk1(near(now.sizeMiB - before.sizeMiB, 100, 1));
}

static void logs_TheSmallestRoomCounts(void)
{
    double end = (double)epicsMonotonicGet() * 1e-9 + PS_TEST_SEC;
    struct statvfs space;
    psSummary sum;

    testDiag("logs_TheSmallestRoomCounts");
    do {
        awaitPasses(1);
        psSupSummary(fixture.sup, &sum);
    } while (!sum.logSpace.known && (double)epicsMonotonicGet() * 1e-9 < end);
    if (statvfs(fixture.dir, &space))
        testAbort("statvfs %s: %s", fixture.dir, strerror(errno));
    double used = (double)(space.f_blocks - space.f_bfree);
    double percent = 100 * (double)space.f_bavail / (used + (double)space.f_bavail);
    testOk(sum.logSpace.known && !sum.logSpace.hangs && near(sum.logSpace.freePercent, percent, 1),
           "as df shows it");
}

/* The log of this child is a pipe that nobody empties: its thread cannot look at anything. */
static void logHangs_IsSaid_OnlyLate(void)
{
    char path[120];
    const char *words[] = {"flood=0", NULL};
    psConfig *cfg = psSupFixtureConfig(&fixture, "stuck", words);
    psLogSpace space = {.freePercent = -7};

    testDiag("logHangs_IsSaid_OnlyLate");
    snprintf(path, sizeof(path), "%s/fifo", fixture.dir);
    int fd = mkfifo(path, 0600) == 0 ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0)
        testAbort("mkfifo %s: %s", path, strerror(errno));
    psSupFixtureSet(cfg, "logfile", path);
    psSupFixtureAdd(&fixture, cfg);
    psSupStartChild(fixture.sup, psSupFind(fixture.sup, "stuck"));
    struct pollfd full = {.fd = fd, .events = POLLIN};
    testOk(poll(&full, 1, (int)(PS_TEST_SEC * 1e3)) == 1, "it floods its log");
    psLogFile *log = psChildLog(psSupFind(fixture.sup, "stuck"));
    double end = (double)epicsMonotonicGet() * 1e-9 + PS_TEST_SEC;
    while (psLogFileQueued(log) < PS_LOG_QUEUE_BYTES / 2 &&
           (double)epicsMonotonicGet() * 1e-9 < end)
        epicsThreadSleep(0.01);
    psSupSpaceAsk(fixture.sup);
    testOk1(!psSupSpaceTake(fixture.sup, false, &space) && space.freePercent == -7);
    testOk1(psSupSpaceTake(fixture.sup, true, &space) && space.hangs);
    close(fd); /* the log fails now, instead of waiting */
    while (!psSupSpaceTake(fixture.sup, false, &space) && (double)epicsMonotonicGet() * 1e-9 < end)
        epicsThreadSleep(0.01);
    testOk(!space.hangs && space.freePercent > 0, "it answers again: %g %%", space.freePercent);
}

static void ended_AllIsZero_NextCountsAnew(void)
{
    testDiag("ended_AllIsZero_NextCountsAnew");
    testOk1(psSupFixtureDo(&fixture, "load", psVerbStop, 0) == psCmdDone);
    psResources now = awaitPasses(2);
    testOk1(now.error == 0 && now.procs == 0 && now.cpuSec == 0 && now.cpuPercent == 0);
    testOk1(psSupFixtureDo(&fixture, "load", psVerbStart, 0) == psCmdDone);
    now = awaitPasses(2);
    testOk(now.procs == 1 && now.cpuSec < 1, "%g s", now.cpuSec);
}

static void otherRead(void *ctx)
{
    epicsEventMustTrigger(ctx);
}

/* Passes go on for another child, and count themselves by it. */
static void unsubscribed_NothingIsRead(void)
{
    epicsEventId event = epicsEventMustCreate(epicsEventEmpty);
    psChild *other = psSupFind(fixture.sup, "stuck");
    psResources before, after;
    psSummary sum;

    testDiag("unsubscribed_NothingIsRead");
    psSupSubscribe(other, psTopicResources, otherRead, event);
    psSupSubscribe(child, psTopicResources, NULL, NULL);
    psSupSummary(fixture.sup, &sum);
    testOk1(sum.self.known && sum.self.threads > 2 && sum.self.rssMiB > 1 && sum.self.fds > 5);
    for (int pass = 0; pass < 4; pass++) {
        if (epicsEventWaitWithTimeout(event, PS_TEST_SEC) != epicsEventOK)
            testAbort("waited %g s for a reading", PS_TEST_SEC);
        if (pass == 1) /* the pass that was under way is over */
            psSupResources(child, &before);
    }
    psSupResources(child, &after);
    testOk(after.seq == before.seq, "%u readings", (unsigned)(after.seq - before.seq));
    psSupSubscribe(other, psTopicResources, NULL, NULL);
    epicsEventDestroy(event);
}

MAIN(psSupStatTest)
{
    (void)argc;
    (void)argv;
    testPlan(20);
    lock = epicsMutexMustCreate();
    news = epicsEventMustCreate(epicsEventEmpty);
    begin();
    nobodyWatches_NothingIsRead();
    watched_AtOnce();
    io_AddsUp();
    cpu_AddsUp();
    memory_IsShown();
    logs_TheSmallestRoomCounts();
    ended_AllIsZero_NextCountsAnew();
    logHangs_IsSaid_OnlyLate();
    unsubscribed_NothingIsRead();
    psTestConsoleClose(&console);
    psSupFixtureClose(&fixture);
    return testDone();
}
