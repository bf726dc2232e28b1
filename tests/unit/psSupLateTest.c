/* SPDX-License-Identifier: EPICS */
/*
 * What comes late: a begin after a command, a child added while all ends, a console that reads
 * its last bytes when everything else is done, a log that can be had after all.
 */
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <errlog.h>
#include <testMain.h>

#include "process/psPty.h"
#include "psSupFixture.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define MANY_BYTES 600000 /* more than a socket takes, less than the ring */

/* A script adds a child, starts it by hand, and comes to iocInit. */
static void begin_AfterAStart_StartsNoSecondProcess(void)
{
    psSupFixture f;
    psStatus first, status;

    psSupFixtureOpen(&f, false);
    psSupFixtureStart(&f);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "one", WORDS("/bin/sleep", "1000")));
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    first = psSupFixtureRuns(&f, "one", 1);
    psSupStartChild(f.sup, psSupFind(f.sup, "one"));
    psSupFixtureDo(&f, "one", psVerbRotateLog, 0); /* after it */
    psSupStatus(psSupFind(f.sup, "one"), &status);
    testOk(status.starts == 1 && status.pid == first.pid && status.state == psStateRunning,
           "%d starts, pid %d and %d, %s", status.starts, first.pid, status.pid,
           psStateName(status.state));
    psSupFixtureClose(&f);
}

static void shutdown_ChildAddedMeanwhile_EndsToo(void)
{
    static const char deaf[] = "trap '' TERM; echo deaf; while :; do sleep 1; done";
    psSupFixture f;
    psStatus status;
    psTestConsole console;

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureCommand(&f, "one", WORDS("/bin/sh", "-c", deaf));
    psSupFixtureSet(cfg, "grace", "1");
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureState(&f, "one", psStateWaiting);
    psTestConsoleOpen(&console, &f, "one");
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    psTestConsoleExpect(&console, "deaf\r\n");
    psSupShutdown(f.sup);
    psSupFixtureState(&f, "one", psStateStopping);
    testOk(psSupFixtureDo(&f, "one", psVerbHoldoff, 1) == psCmdFailed,
           "settings are refused from then on");
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "two", WORDS("/bin/sleep", "1000")));
    int code = psSupFixtureWait(&f); /* aborts if it does not end */
    psSupStatus(psSupFind(f.sup, "two"), &status);
    testOk(status.starts == 0, "the end came, code %d; the late one never started", code);
    psTestConsoleClose(&console);
    psSupFixtureClose(&f);
}

static void noteLine(void *ctx, const char *message)
{
    if (strstr(message, "given up"))
        *(int *)ctx += 1;
}

static void shutdown_ConsoleThatReadsLate_IsWaitedForNoLonger(void)
{
    psSupFixture f;
    psTestConsole late, quick;
    char script[128];
    int givenUp = 0;

    psSupFixtureOpen(&f, false);
    epicsSnprintf(script, sizeof(script),
                  "head -c %d /dev/zero | tr '\\0' x; echo; echo END; exec sleep 1000", MANY_BYTES);
    psConfig *cfg = psSupFixtureCommand(&f, "one", WORDS("/bin/sh", "-c", script));
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psSupFixtureState(&f, "one", psStateWaiting);
    psTestConsoleOpen(&late, &f, "one");
    psTestConsoleExpect(&late, "@@@ Welcome");
    psTestConsoleOpen(&quick, &f, "one");
    psSupFixtureDo(&f, "one", psVerbStart, 0);
    psTestConsoleExpect(&quick, "END\r\n");
    eltc(0); /* messages are expected here */
    errlogAddListener(noteLine, &givenUp);
    psSupShutdown(f.sup);
    psTestConsoleDrain(&quick); /* it is closed: so far is the end */
    psTestConsoleDrain(&late);
    psSupFixtureWait(&f);
    errlogFlush();
    errlogRemoveListeners(noteLine, &givenUp);
    eltc(1);
    testOk(late.got.len > MANY_BYTES && givenUp == 0,
           "it got all, %zu bytes, and the end came right after it", late.got.len);
    psTestConsoleClose(&late);
    psTestConsoleClose(&quick);
    psSupFixtureClose(&f);
}

static void free_NeverStarted_GivesTheTerminalBack(void)
{
    struct termios before, between, after;
    psSupFixture f;
    psPty pty;

    if (psPtyOpen(&pty, NULL) != 0)
        testAbort("no pty");
    tcgetattr(pty.slave, &before);
    psSupFixtureOpen(&f, false);
    psSupFixtureAdd(&f, psSupFixtureCommand(&f, "one", WORDS("/bin/sleep", "1000")));
    testOk1(psSupAttachTerminal(f.sup, psSupFind(f.sup, "one"), pty.slave) == 0);
    tcgetattr(pty.slave, &between);
    psSupFree(f.sup);
    f.sup = NULL;
    tcgetattr(pty.slave, &after);
    testOk(between.c_lflag != before.c_lflag && after.c_lflag == before.c_lflag &&
               after.c_iflag == before.c_iflag,
           "its mode is as it was");
    psPtyClose(&pty);
    psSupFixtureClose(&f);
}

/* ---- a log that cannot be had at first, or not be written ---- */

static void log_ThatFails_IsToldOnTheConsole(void)
{
    psSupFixture f;
    psTestConsole console;
    bool told, again;
    char dir[128], path[160];

    psSupFixtureOpen(&f, false);
    psConfig *cfg = psSupFixtureCommand(&f, "full", WORDS("/bin/sleep", "1000"));
    psSupFixtureSet(cfg, "logfile", "/dev/full");
    psSupFixtureSet(cfg, "wait", NULL);
    psSupFixtureAdd(&f, cfg);
    psSupFixtureStart(&f);
    psTestConsoleOpen(&console, &f, "full");
    psTestConsoleExpect(&console, "connected (plus you)");
    psSupFixtureDo(&f, "full", psVerbStart, 0);
    told = psTestConsoleExpect(&console, "@@@ log file /dev/full: No space left on device\r\n");
    testOk(told, "a log on a full disk is reported");
    psTestConsoleClose(&console);

    cfg = psSupFixtureCommand(&f, "late", WORDS("/bin/sleep", "1000"));
    epicsSnprintf(dir, sizeof(dir), "%s/later", f.dir);
    epicsSnprintf(path, sizeof(path), "%s/log", dir);
    psSupFixtureSet(cfg, "logfile", path);
    psSupFixtureAdd(&f, cfg);
    psSupStartAll(f.sup);
    psSupFixtureRuns(&f, "late", 1);
    psTestConsoleOpen(&console, &f, "late");
    psTestConsoleExpect(&console, "@@@ Child log file: unable to open log file ");
    psTestConsoleExpect(&console, "connected (plus you)");
    if (mkdir(dir, 0700) != 0)
        testAbort("mkdir %s", dir);
    psSupFixtureDo(&f, "late", psVerbRotateLog, 0);
    again = psTestConsoleExpect(&console, " is written again; ");
    testOk(again, "and one that is there at last");
    psTestConsoleClose(&console);
    unlink(path);
    rmdir(dir);
    psSupFixtureClose(&f);
}

MAIN(psSupLateTest)
{
    (void)argc;
    (void)argv;
    testPlan(8);
    begin_AfterAStart_StartsNoSecondProcess();
    shutdown_ChildAddedMeanwhile_EndsToo();
    shutdown_ConsoleThatReadsLate_IsWaitedForNoLonger();
    free_NeverStarted_GivesTheTerminalBack();
    log_ThatFails_IsToldOnTheConsole();
    return testDone();
}
