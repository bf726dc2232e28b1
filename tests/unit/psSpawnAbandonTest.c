/* SPDX-License-Identifier: EPICS */
/*
 * Starts whose outcome nobody waits for: they come to nothing, and touch no loop that is gone.
 * Each is abandoned at another moment; the sanitizers see what this test does not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psPty.h"
#include "process/psSpawn.h"
#include "psTestUtil.h"

#define STARTS 60

static int called;

static void spawned(void *ctx, const psSpawnOutcome *outcome)
{
    (void)ctx;
    (void)outcome;
    called++;
}

MAIN(psSpawnAbandonTest)
{
    char *const commandLine[] = {"/bin/sleep", "300", NULL};
    char *const environment[] = {NULL};
    int begun = 0, left = 0, before = psTestThreads();
    char path[64];
    FILE *file;

    testPlan(4);
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    for (int i = 0; i < STARTS; i++) {
        psLoop *loop = psLoopCreate(psClockSystem());
        psPty pty = PS_PTY_INIT;
        psSpawnRequest request = {
            .file = commandLine[0], .argv = commandLine, .envp = environment, .coreSizeBytes = -1};

        if (!loop || psPtyOpen(&pty, NULL) != 0)
            testAbort("no loop or terminal");
        psSpawn *spawn = psSpawnCreate(loop, &request);
        psSpawnFiles files = {pty.slave, pty.slave, true};
        if (!spawn || psSpawnStart(spawn, &files, spawned, NULL))
            testAbort("psSpawnCreate or psSpawnStart");
        begun++;
        for (int k = 0; k < i * 500; k++) /* some microseconds more each time */
            getpid();
        psSpawnFree(spawn);
        psLoopFree(loop);
        psPtyClose(&pty);
    }
    psSpawnFree(NULL);
    testOk(begun == STARTS, "%d starts", begun);
    testOk(called == 0, "nobody is called");
    left = psTestThreads() - before;
    testOk(left == 0, "%d threads are left", left);
    file = fopen(path, "re");
    bool none = !file || fgetc(file) == EOF;
    if (file)
        fclose(file);
    testOk(none, "no process is left");
    return testDone();
}
