/* SPDX-License-Identifier: EPICS */
/*
 * The log of a supervised child: what RotateLog says, and what is written at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <errlog.h>
#include <testMain.h>

#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static psCmdState rotate(psSupFixture *f, const char *name, char *outMsg, size_t size)
{
    psTestCommand command;
    psStatus status;

    psTestCommandGive(&command, f, name, psVerbRotateLog, 0);
    psCmdState how = psTestCommandWait(&command);
    psSupStatus(psSupFind(f->sup, name), &status);
    epicsSnprintf(outMsg, size, "%s", status.cmd.msg);
    return how;
}

static void rotateLog_SaysHowItWent(void)
{
    psSupFixture f;
    char folder[128], moved[128], path[160], msg[PS_TEXT_BYTES];

    psSupFixtureOpen(&f, false);
    epicsSnprintf(folder, sizeof(folder), "%s/folder", f.dir);
    epicsSnprintf(moved, sizeof(moved), "%s/moved", f.dir);
    epicsSnprintf(path, sizeof(path), "%s/log", folder);
    if (mkdir(folder, 0700) != 0)
        testAbort("mkdir %s: %s", folder, strerror(errno));
    psConfig *cfg = psSupFixtureCommand(&f, "one", WORDS("/bin/sleep", "1000"));
    psSupFixtureSet(cfg, "logfile", path);
    psSupFixtureAdd(&f, cfg);
    cfg = psSupFixtureCommand(&f, "none", WORDS("/bin/sleep", "1000"));
    psSupFixtureSet(cfg, "logfile", "");
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureRuns(&f, "one", 1);
    testOk(rotate(&f, "one", msg, sizeof(msg)) == psCmdDone, "the file is there: %s", msg);
    if (rename(folder, moved) != 0)
        testAbort("rename: %s", strerror(errno));
    psCmdState how = rotate(&f, "one", msg, sizeof(msg));
    testOk(how == psCmdFailed && strstr(msg, "No such file or directory") && strstr(msg, path),
           "its folder is gone: %s", msg);
    if (rename(moved, folder) != 0)
        testAbort("rename: %s", strerror(errno));
    testOk(rotate(&f, "one", msg, sizeof(msg)) == psCmdDone, "and is there again: %s", msg);
    testOk(rotate(&f, "none", msg, sizeof(msg)) == psCmdFailed, "without a log: %s", msg);
    unlink(path);
    rmdir(folder);
    psSupFixtureClose(&f);
}

/* ---- the end ---- */

#define QUEUE_AND_MORE (PS_LOG_QUEUE_BYTES + PS_RING_MAX_BYTES / 2)

/* Somebody who reads a FIFO, once asked to. */
typedef struct reader {
    int fd;
    size_t got;
    epicsEventId go;
} reader;

static void readAll(void *arg)
{
    static char bytes[65536];
    reader *self = arg;
    ssize_t len;

    epicsEventMustWait(self->go);
    do {
        struct pollfd ready = {.fd = self->fd, .events = POLLIN};

        poll(&ready, 1, (int)(PS_TEST_SEC * 1000));
        len = read(self->fd, bytes, sizeof(bytes));
        if (len > 0)
            self->got += (size_t)len;
    } while (len > 0);
}

static void noteLine(void *ctx, const char *message)
{
    if (strstr(message, "given up"))
        atomic_fetch_add((_Atomic int *)ctx, 1);
}

/* The queue is full, and the ring holds more: all of it is for the log. */
static void shutdown_FullLog_IsWrittenToItsEnd(void)
{
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;
    psSupFixture f;
    psTestConsole console;
    reader log = {.go = epicsEventMustCreate(epicsEventEmpty)};
    char path[128], script[160];
    _Atomic int givenUp = 0;

    psSupFixtureOpen(&f, false);
    epicsSnprintf(path, sizeof(path), "%s/one.log", f.dir);
    if (mkfifo(path, 0600) != 0)
        testAbort("mkfifo: %s", strerror(errno));
    log.fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    epicsSnprintf(script, sizeof(script),
                  "head -c %d /dev/zero | tr '\\0' x; echo; echo END; exec sleep 1000",
                  QUEUE_AND_MORE);
    psConfig *cfg = psSupFixtureCommand(&f, "one", WORDS("/bin/sh", "-c", script));
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    opts.joinable = 1;
    epicsThreadId thread = epicsThreadCreateOpt("reader", readAll, &log, &opts);
    psTestConsoleOpen(&console, &f, "one");
    psTestConsoleExpect(&console, "@@@ Welcome");
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    psTestConsoleExpect(&console, "END\r\n");
    eltc(0); /* messages are expected here */
    errlogAddListener(noteLine, &givenUp);
    psSupShutdown(f.sup);
    psTestConsoleDrain(&console); /* it is closed: only the log is waited for now */
    epicsEventMustTrigger(log.go);
    psSupFixtureWait(&f);
    psTestConsoleClose(&console);
    errlogFlush();
    errlogRemoveListeners(noteLine, &givenUp);
    eltc(1);
    psSupFree(f.sup); /* closes the log: its reader ends */
    f.sup = NULL;
    epicsThreadMustJoin(thread);
    testOk(givenUp == 0, "nothing was given up");
    testOk(log.got > QUEUE_AND_MORE, "the log got %zu of %d bytes", log.got, QUEUE_AND_MORE);
    close(log.fd);
    epicsEventDestroy(log.go);
    psSupFixtureClose(&f);
}

MAIN(psSupLogTest)
{
    (void)argc;
    (void)argv;
    testPlan(6);
    rotateLog_SaysHowItWent();
    shutdown_FullLog_IsWrittenToItsEnd();
    return testDone();
}
