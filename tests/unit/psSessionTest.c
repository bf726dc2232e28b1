/* SPDX-License-Identifier: EPICS */
/* psSession with real processes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <epicsThread.h>
#include <epicsTime.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psSession.h"

#define DEADLINE_SEC 20.0

static int reports[2]; /* pids of members that are ready */

static void say(pid_t pid)
{
    if (write(reports[1], &pid, sizeof(pid)) != sizeof(pid))
        _exit(98);
}

static pid_t hear(void)
{
    pid_t pid;

    if (read(reports[0], &pid, sizeof(pid)) != sizeof(pid))
        testAbort("no report of a member: %s", strerror(errno));
    return pid;
}

static void rest(void)
{
    alarm(60); /* should the test end without killing us */
    say(getpid());
    for (;;)
        pause();
}

/* The leader of a session with these members; each reports. */
static pid_t startSession(void)
{
    fflush(stdout);
    pid_t pid = fork();

    if (pid < 0)
        testAbort("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    setsid();
    if (fork() == 0) {
        prctl(PR_SET_NAME, "a) Z 1 (b c"); /* tries to look like a zombie of session 1 */
        signal(SIGTERM, SIG_IGN);
        rest();
    }
    if (fork() == 0) {
        setpgid(0, 0); /* another group */
        rest();
    }
    if (fork() == 0) {
        setsid(); /* another session: not a member */
        rest();
    }
    rest();
    return -1;
}

static double monoSec(void)
{
    return (double)epicsMonotonicGet() * 1e-9;
}

static bool awaitCount(pid_t sid, int wanted)
{
    double start = monoSec();
    int count = psSessionCount(sid);

    while (count != wanted && monoSec() < start + DEADLINE_SEC) {
        epicsThreadSleep(0.005);
        count = psSessionCount(sid);
    }
    if (count != wanted)
        testDiag("session %d has %d members, not %d", (int)sid, count, wanted);
    return count == wanted;
}

static void members_OfAllGroupsCount_ZombiesDoNot(void)
{
    pid_t pids[4], sid = startSession();
    pid_t outsider = -1;

    testDiag("members_OfAllGroupsCount_ZombiesDoNot");
    for (int i = 0; i < 4; i++) {
        pids[i] = hear();
        if (pids[i] != sid && getsid(pids[i]) != sid)
            outsider = pids[i];
    }
    int count = psSessionCount(sid);
    testOk(count == 3, "leader, strange name, other group: %d", count);
    testOk1(outsider > 0 && psSessionCount(outsider) == 1);
    count = psSessionSignal(sid, SIGTERM);
    testOk(count == 3, "SIGTERM went to %d", count);
    testOk(awaitCount(sid, 1), "the one that ignores it is left; the leader is a zombie");
    testOk1(kill(sid, 0) == 0);
    testOk(psSessionCount(outsider) == 1, "the other session got nothing");
    count = psSessionSignal(sid, SIGKILL);
    testOk(count == 1, "SIGKILL went to %d", count);
    testOk(awaitCount(sid, 0), "nobody is left");
    testOk1(psSessionSignal(sid, SIGKILL) == 0);
    kill(outsider, SIGKILL);
    waitpid(sid, NULL, 0);
}

static void *restInThread(void *arg)
{
    (void)arg;
    rest();
    return NULL;
}

static bool awaitZombie(pid_t pid)
{
    double start = monoSec();
    char path[64], text[256];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    do {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t length = read(fd, text, sizeof(text) - 1);

        close(fd);
        text[length > 0 ? length : 0] = '\0';
        if (strstr(text, ") Z "))
            return true;
        epicsThreadSleep(0.005);
    } while (monoSec() < start + DEADLINE_SEC);
    return false;
}

static void mainThreadEnded_OthersLive_Counts(void)
{
    testDiag("mainThreadEnded_OthersLive_Counts");
    fflush(stdout); /* or the child would print it once more */
    pid_t sid = fork();
    if (sid == 0) {
        pthread_t thread;

        setsid();
        if (pthread_create(&thread, NULL, restInThread, NULL))
            _exit(1);
        pthread_exit(NULL);
    }
    testOk1(hear() == sid);
    testOk(awaitZombie(sid), "its main thread shows as a zombie");
    testOk(psSessionCount(sid) == 1, "it counts as alive");
    kill(sid, SIGKILL);
    testOk(awaitCount(sid, 0), "then not");
    waitpid(sid, NULL, 0);
}

static void wrongArguments_AreRefused(void)
{
    testDiag("wrongArguments_AreRefused");
    testOk1(psSessionCount(0) == -EINVAL);
    testOk1(psSessionSignal(-1, SIGTERM) == -EINVAL);
    testOk1(psSessionSignal(1 << 30, 0) == -EINVAL);
    testOk1(psSessionCount(1 << 30) == 0);
    if (getsid(0) > 0)
        testOk1(psSessionCount(getsid(0)) >= 1);
    else
        testSkip(1, "our session's leader is outside of our pid namespace");
}

MAIN(psSessionTest)
{
    (void)argc;
    (void)argv;
    testPlan(18);
    if (pipe2(reports, O_CLOEXEC))
        testAbort("pipe: %s", strerror(errno));
    members_OfAllGroupsCount_ZombiesDoNot();
    mainThreadEnded_OthersLive_Counts();
    wrongArguments_AreRefused();
    return testDone();
}
