/* SPDX-License-Identifier: EPICS */
/* psReap with real processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "loop/psLoop.h"
#include "process/psPidfd.h"
#include "process/psReap.h"

#define DEADLINE_SEC 20.0

static psLoop *loop;

typedef struct seen {
    int calls;
    psReapInfo info;
} seen;

static void onEnd(void *ctx, const psReapInfo *info)
{
    seen *s = ctx;

    s->calls++;
    s->info = *info;
}

/* Rounds until it was reported; how many. */
static int await(const seen *s)
{
    double deadline = psClockMono(psClockSystem()) + DEADLINE_SEC;
    int rounds = 0;

    while (!s->calls) {
        if (psClockMono(psClockSystem()) > deadline)
            testAbort("no end reported within %.0f s", DEADLINE_SEC);
        psLoopRound(loop, 1.0);
        rounds++;
    }
    return rounds;
}

static void closePair(int pair[2])
{
    close(pair[0]);
    close(pair[1]);
}

/* A process that runs fn once a byte is written to its gate. */
static pid_t startGated(int gate[2], void (*fn)(void))
{
    if (pipe2(gate, O_CLOEXEC))
        testAbort("pipe: %s", strerror(errno));
    fflush(stdout); /* a sanitizer's _exit would write it again */
    pid_t pid = fork();
    if (pid < 0)
        testAbort("fork: %s", strerror(errno));
    if (pid == 0) {
        char byte;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (read(gate[0], &byte, 1) == 1)
            fn();
        _exit(99);
    }
    return pid;
}

static void openGate(int gate[2])
{
    if (write(gate[1], "x", 1) != 1)
        testAbort("write: %s", strerror(errno));
}

static void begin(psReap *reap, pid_t pid, seen *s)
{
    int pidfd = psPidfdOpen(pid);

    if (pidfd < 0)
        testAbort("psPidfdOpen: %s", strerror(-pidfd));
    psReapStart(reap, loop, pid, pidfd, onEnd, s);
}

static void exits3(void)
{
    _exit(3);
}

static void exit_IsReportedOnceAndZombieKept(void)
{
    psReap reap = PS_REAP_INIT;
    seen s = {.calls = 0};
    int gate[2], status;
    pid_t pid = startGated(gate, exits3);
    siginfo_t info;

    testDiag("exit_IsReportedOnceAndZombieKept");
    begin(&reap, pid, &s);
    psLoopRound(loop, 0);
    testOk(s.calls == 0, "nothing while it lives");
    openGate(gate);
    await(&s);
    testOk(!s.info.lost && s.info.code == 3 && s.info.signo == -1 && !s.info.core, "exit status %d",
           s.info.code);
    psLoopRound(loop, 0);
    testOk(s.calls == 1, "reported once (%d)", s.calls);
    testOk(kill(pid, 0) == 0, "its pid is still taken");
    psReapStop(&reap);
    status = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG);
    testOk(status < 0 && errno == ECHILD, "reaped");
    testOk1(reap.pidfd == -1);
    psReapStop(&reap);
    testPass("finishing twice is fine");
    closePair(gate);
}

static void burns(void)
{
    struct rusage usage;
    size_t size = 40 << 20;
    volatile char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (size_t i = 0; i < size; i += 1024)
        memory[i] = 1;
    do {
        getrusage(RUSAGE_SELF, &usage);
    } while (usage.ru_utime.tv_sec * 1000000L + usage.ru_utime.tv_usec +
                 usage.ru_stime.tv_sec * 1000000L + usage.ru_stime.tv_usec <
             30000);
    raise(SIGKILL);
}

static void signal_IsReportedWithItsUsage(void)
{
    psReap reap = PS_REAP_INIT;
    seen s = {.calls = 0};
    int gate[2];
    pid_t pid = startGated(gate, burns);

    testDiag("signal_IsReportedWithItsUsage");
    begin(&reap, pid, &s);
    openGate(gate);
    await(&s);
    testOk(s.info.signo == SIGKILL && s.info.code == -1, "signal %d", s.info.signo);
    testOk(s.info.maxRssMiB >= 40 && s.info.maxRssMiB < 4000, "%.1f MiB", s.info.maxRssMiB);
    testOk(s.info.cpuSec >= 0.02 && s.info.cpuSec < 10, "%.3f s of CPU", s.info.cpuSec);
    psReapStop(&reap);
    closePair(gate);
}

static void reapedByAnother_IsLost(void)
{
    psReap reap = PS_REAP_INIT;
    seen s = {.calls = 0};
    int gate[2];
    pid_t pid = startGated(gate, exits3);

    testDiag("reapedByAnother_IsLost");
    begin(&reap, pid, &s);
    openGate(gate);
    if (waitpid(pid, NULL, 0) != pid)
        testAbort("waitpid: %s", strerror(errno));
    await(&s);
    testOk(s.info.lost && s.info.code == -1 && s.info.signo == -1, "lost");
    psReapStop(&reap);
    closePair(gate);
}

static void stop_BeforeItEnds_ReportsNothing(void)
{
    psReap reap = PS_REAP_INIT;
    seen s = {.calls = 0};
    int gate[2];
    pid_t pid = startGated(gate, exits3);

    testDiag("stop_BeforeItEnds_ReportsNothing");
    begin(&reap, pid, &s);
    psReapStop(&reap);
    openGate(gate);
    testOk(waitpid(pid, NULL, 0) == pid, "left to others");
    psLoopRound(loop, 0);
    testOk(s.calls == 0, "silent");
    closePair(gate);
}

/* epoll refuses /dev/null, as it may refuse a pidfd when the kernel is short of memory. */
static void start_WhenItCannotBeWatched_LooksByTimer(void)
{
    double deadline = psClockMono(psClockSystem()) + 30.0;
    psReap reap = PS_REAP_INIT;
    seen s = {.calls = 0};

    testDiag("start_WhenItCannotBeWatched_LooksByTimer");
    psReapStart(&reap, loop, 1, open("/dev/null", O_RDONLY | O_CLOEXEC), onEnd, &s);
    testOk(s.calls == 0, "not from within");
    while (s.calls == 0 && psClockMono(psClockSystem()) < deadline)
        psLoopRound(loop, 1.0);
    testOk(s.calls == 1 && s.info.lost, "an end that cannot be learnt is reported as lost");
    psReapStop(&reap);
}

/* A tracer that neither waits for its tracee nor lets go of it. */
static pid_t startTracer(pid_t tracee)
{
    int ready[2];
    char byte = 0;

    if (pipe2(ready, O_CLOEXEC))
        testAbort("pipe: %s", strerror(errno));
    fflush(stdout); /* a sanitizer's _exit would write it again */
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = ptrace(PTRACE_SEIZE, tracee, NULL, NULL) == 0 ? 'y' : 'n';
        if (write(ready[1], &byte, 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    if (pid < 0 || read(ready[0], &byte, 1) != 1)
        testAbort("no tracer: %s", strerror(errno));
    closePair(ready);
    if (byte == 'y')
        return pid;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return -1;
}

static bool isZombie(pid_t pid)
{
    char path[64], text[256];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return strstr(text, ") Z ") != NULL;
}

static void heldByDebugger_IsReportedWithoutSpinning(void)
{
    psReap reap = PS_REAP_INIT;
    seen s = {.calls = 0};
    int gate[2], rounds = 0;
    pid_t pid = startGated(gate, exits3), tracer = startTracer(pid);
    double now = psClockMono(psClockSystem()), deadline = now + DEADLINE_SEC;

    testDiag("heldByDebugger_IsReportedWithoutSpinning");
    begin(&reap, pid, &s);
    if (tracer < 0) {
        testSkip(2, "ptrace is not permitted here");
        openGate(gate);
    } else {
        openGate(gate);
        while (!isZombie(pid) && psClockMono(psClockSystem()) < deadline)
            psLoopRound(loop, 0.01);
        now = psClockMono(psClockSystem());
        while (psClockMono(psClockSystem()) < now + 0.35) {
            psLoopRound(loop, 0.4);
            rounds++;
        }
        testOk(s.calls == 0, "nothing to wait for while a debugger holds it");
        testOk(rounds <= 8, "%d rounds in 0.35 s", rounds);
        kill(tracer, SIGKILL);
        waitpid(tracer, NULL, 0);
    }
    await(&s);
    testOk(s.info.code == 3, "reported when it lets go: %d", s.info.code);
    psReapStop(&reap);
    closePair(gate);
}

MAIN(psReapTest)
{
    (void)argc;
    (void)argv;
    testPlan(18);
    loop = psLoopCreate(psClockSystem());
    exit_IsReportedOnceAndZombieKept();
    signal_IsReportedWithItsUsage();
    reapedByAnother_IsLost();
    stop_BeforeItEnds_ReportsNothing();
    start_WhenItCannotBeWatched_LooksByTimer();
    heldByDebugger_IsReportedWithoutSpinning();
    psLoopFree(loop);
    return testDone();
}
