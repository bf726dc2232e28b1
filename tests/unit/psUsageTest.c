/* SPDX-License-Identifier: EPICS */
/* What sessions use: with processes that the test makes up. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psUsage.h"
#include "psProcRoot.h"

static psProcRoot root;
static psUsage *usage;
static psUsageTarget targets[2];
static psResources got[2];
static psSelfUsage self;

/* A process of the directory; CPU in ticks, I/O in bytes. */
typedef struct process {
    int pid, parent, session, threads;
    char state;
    long cpu, kids, start, pages;
    long hasRead, written; /* < 0: nobody may know */
    int fds, max, score;
} process;

static void put(const process *p)
{
    char pid[16], text[512];

    snprintf(pid, sizeof(pid), "%d", p->pid);
    psProcRootRemove(&root, pid);
    snprintf(text, sizeof(text),
             "%d (a) b) %c %d 1 %d 0 -1 4194560 0 0 0 0 %ld 0 %ld 0 20 0 %d 0 %ld %ld %ld 0\n",
             p->pid, p->state ? p->state : 'S', p->parent, p->session, p->cpu, p->kids,
             p->threads ? p->threads : 1, p->start, 4096 * p->pages * 10, p->pages);
    psProcRootWrite(&root, pid, "stat", text);
    if (p->hasRead >= 0) {
        snprintf(text, sizeof(text), "rchar: %ld\nwchar: %ld\n", p->hasRead, p->written);
        psProcRootWrite(&root, pid, "io", text);
    } else {
        psProcRootWrite(&root, pid, "io", "not for you\n");
    }
    snprintf(text, sizeof(text), "Max open files            %d 4096 files\n", p->max);
    psProcRootWrite(&root, pid, "limits", text);
    psProcRootFds(&root, pid, p->fds);
    snprintf(text, sizeof(text), "%d\n", p->score);
    psProcRootWrite(&root, pid, "oom_score", text);
}

static void end(int pid)
{
    char name[16];

    snprintf(name, sizeof(name), "%d", pid);
    psProcRootRemove(&root, name);
}

static int readAt(double now)
{
    return psUsageRead(usage, now, targets, 2, got, &self);
}

static bool is(double value, double wanted)
{
    bool good = fabs(value - wanted) < 1e-6 + 1e-6 * fabs(wanted);

    if (!good)
        testDiag("%g, not %g", value, wanted);
    return good;
}

static double ticks(double sec)
{
    return sec * (double)sysconf(_SC_CLK_TCK);
}

static void begin(const char *name)
{
    testDiag("%s", name);
    psUsageFree(usage);
    psProcRootClose(&root);
    psProcRootOpen(&root);
    usage = psUsageCreate(root.dir);
    if (!usage)
        testAbort("psUsageCreate");
    memset(targets, 0, sizeof(targets));
    psProcRootWrite(&root, "self", "stat",
                    "1 (me) S 0 1 1 0 -1 4194560 0 0 0 0 5 5 0 0 20 0 3 0 10 81920000 256 0\n");
    psProcRootFds(&root, "self", 4);
}

static void session_IsSummedUp(void)
{
    double mib = 256 * (double)sysconf(_SC_PAGESIZE) / 1048576;

    begin("session_IsSummedUp");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&(process){.pid = 50,
                   .session = 50,
                   .cpu = (long)ticks(1),
                   .pages = 256,
                   .hasRead = 1000000,
                   .written = 500000,
                   .fds = 2,
                   .max = 100,
                   .score = 5});
    put(&(process){.pid = 51,
                   .parent = 50,
                   .session = 50,
                   .cpu = (long)ticks(3),
                   .kids = (long)ticks(1),
                   .pages = 512,
                   .threads = 7,
                   .fds = 8,
                   .max = 16,
                   .score = 90});
    put(&(process){.pid = 52,
                   .parent = 50,
                   .session = 52,
                   .cpu = (long)ticks(9),
                   .pages = 512,
                   .fds = 9,
                   .max = 10,
                   .score = 900});
    testOk1(readAt(110) == 0);
    testOk1(got[0].error == 0 && got[0].procs == 2 && got[0].threads == 8);
    testOk1(is(got[0].cpuSec, 5) && is(got[0].cpuPercent, 50));
    testOk1(is(got[0].rssMiB, 3 * mib) && got[0].sizeMiB > got[0].rssMiB);
    testOk1(is(got[0].readKBs, 100) && is(got[0].writtenKBs, 50) && got[0].ioError == 0);
    testOk(got[0].fds == 8 && got[0].fdMax == 16 && is(got[0].fdPercent, 50),
           "descriptors of the one that is nearest to its limit");
    testOk1(got[0].oomScore == 90);
    testOk(got[1].error == 0 && got[1].procs == 0 && got[1].cpuSec == 0 && got[1].fdMax == 0,
           "without a process all are 0");
    testOk1(self.known && self.threads == 3 && self.fds == 4 && is(self.rssMiB, mib));
}

static void processEnds_NothingIsLostOrCountedTwice(void)
{
    process leader = {.pid = 50, .session = 50, .cpu = (long)ticks(1), .hasRead = 100};
    process kid = {
        .pid = 51, .parent = 50, .session = 50, .cpu = (long)ticks(100), .hasRead = 5000};
    process grandkid = {
        .pid = 52, .parent = 51, .session = 50, .cpu = (long)ticks(10), .hasRead = 700};

    begin("processEnds_NothingIsLostOrCountedTwice");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&leader);
    put(&kid);
    put(&grandkid);
    readAt(200);
    testOk1(is(got[0].cpuSec, 111));
    end(51); /* both end; the leader waits for kid, which had waited for grandkid */
    end(52);
    leader.cpu += (long)ticks(1);
    leader.kids = (long)ticks(112); /* 2 s after the pass */
    leader.hasRead += 5000 + 700 + 1000000;
    put(&leader);
    readAt(210);
    testOk(is(got[0].cpuSec, 114), "%g s", got[0].cpuSec);
    testOk1(is(got[0].cpuPercent, 30));
    testOk1(is(got[0].readKBs, 100));
    readAt(220);
    testOk1(is(got[0].cpuSec, 114) && is(got[0].cpuPercent, 0) && is(got[0].readKBs, 0));
}

static void nobodyWaits_NothingIsLost(void)
{
    process leader = {.pid = 50, .session = 50, .cpu = (long)ticks(1)};
    process kid = {.pid = 51, .parent = 50, .session = 50, .cpu = (long)ticks(100)};
    process daemon = {.pid = 53, .parent = 1, .session = 50, .cpu = (long)ticks(7)};

    begin("nobodyWaits_NothingIsLost");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&leader);
    put(&kid);
    put(&daemon);
    readAt(200);
    end(51);
    end(53);
    readAt(210);
    testOk(is(got[0].cpuSec, 108), "does not go back: %g s", got[0].cpuSec);
    readAt(220);
    leader.kids = (long)ticks(5); /* another child, between two passes, that it did wait for */
    put(&leader);
    readAt(230);
    testOk(is(got[0].cpuSec, 113) && is(got[0].cpuPercent, 50), "later children count: %g s",
           got[0].cpuSec);
}

/* The parent was read, then it waited, then the child was not there any more. */
static void waitedDuringThePass_IsNotCountedTwice(void)
{
    process leader = {.pid = 50, .session = 50, .cpu = (long)ticks(1)};
    process kid = {.pid = 51, .parent = 50, .session = 50, .cpu = (long)ticks(100)};

    begin("waitedDuringThePass_IsNotCountedTwice");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&leader);
    put(&kid);
    readAt(200);
    end(51);
    readAt(210);
    leader.kids = (long)ticks(101);
    put(&leader);
    readAt(220);
    testOk(is(got[0].cpuSec, 102) && is(got[0].cpuPercent, 10), "%g s", got[0].cpuSec);
}

static void numberIsUsedAgain_AllOfTheNewOneCounts(void)
{
    process leader = {.pid = 50, .session = 50, .cpu = (long)ticks(1)};
    process kid = {.pid = 51, .parent = 50, .session = 50, .cpu = (long)ticks(100), .start = 5};

    begin("numberIsUsedAgain_AllOfTheNewOneCounts");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&leader);
    put(&kid);
    readAt(200);
    kid.start = 6;
    kid.cpu = (long)ticks(2);
    put(&kid);
    readAt(210);
    testOk(is(got[0].cpuSec, 103), "%g s", got[0].cpuSec);
    targets[0].startMono = 215; /* the child was restarted, and has the same number */
    leader.cpu = 0;
    end(51);
    put(&leader);
    readAt(225);
    testOk(is(got[0].cpuSec, 0), "the next run counts from 0: %g s", got[0].cpuSec);
}

static void zombie_CountsWithItsPast(void)
{
    begin("zombie_CountsWithItsPast");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&(process){
        .pid = 50, .session = 50, .cpu = (long)ticks(1), .pages = 256, .max = 10, .fds = 1});
    put(&(process){
        .pid = 51, .parent = 50, .session = 50, .state = 'Z', .cpu = (long)ticks(3), .score = 100});
    readAt(110);
    testOk1(got[0].procs == 1 && got[0].threads == 1 && is(got[0].cpuSec, 4));
    testOk1(got[0].oomScore == 0 && got[0].fds == 1);
}

static void ioForbidden_OnlyIfOfAll(void)
{
    process leader = {.pid = 50, .session = 50, .hasRead = 5000};
    process kid = {.pid = 51, .parent = 50, .session = 50, .hasRead = -1};

    begin("ioForbidden_OnlyIfOfAll");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&leader);
    put(&kid);
    readAt(110);
    testOk1(got[0].ioError == 0 && is(got[0].readKBs, 0.5));
    leader.hasRead = -1;
    put(&leader);
    readAt(120);
    testOk1(got[0].error == 0 && got[0].ioError == EBADMSG);
    leader.hasRead = 15000;
    put(&leader);
    readAt(130);
    testOk(got[0].ioError == 0 && is(got[0].readKBs, 1), "goes on from what was known");
}

static void descriptorsForbidden_IsSaid(void)
{
    begin("descriptorsForbidden_IsSaid");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&(process){.pid = 50, .session = 50, .max = 10});
    psProcRootWrite(&root, "50", "limits", "nothing\n");
    readAt(110);
    testOk1(got[0].error == 0 && got[0].fdError == EBADMSG && got[0].procs == 1);
}

static void tooShort_NoRate(void)
{
    process leader = {.pid = 50, .session = 50, .cpu = (long)ticks(0.1)};

    begin("tooShort_NoRate");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&leader);
    readAt(100.05);
    testOk(is(got[0].cpuSec, 0.1) && got[0].cpuPercent == 0, "%g %%", got[0].cpuPercent);
    readAt(100.5);
    testOk1(is(got[0].cpuPercent, 20));
}

static void procfsIsMissing_IsSaid_AndComesBack(void)
{
    begin("procfsIsMissing_IsSaid_AndComesBack");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    put(&(process){.pid = 50, .session = 50, .max = 10});
    psProcRootRemove(&root, "self");
    testOk1(readAt(110) == -ENOTSUP);
    testOk1(got[0].error == ENOTSUP && got[1].error == 0 && !self.known);
    psProcRootClose(&root);
    testOk1(readAt(120) == -ENOENT);
    testOk1(got[0].error == ENOENT && got[1].error == 0);
    begin("... and comes back");
    targets[0] = (psUsageTarget){.pid = 50, .startMono = 100};
    testOk(readAt(110) == 0 && got[0].error == ESRCH, "a process that is hidden");
    put(&(process){.pid = 50, .session = 50, .max = 10});
    testOk1(readAt(120) == 0 && got[0].error == 0 && got[0].procs == 1);
}

static void ourOwnSession_Works(void)
{
    begin("ourOwnSession_Works");
    psUsageFree(usage);
    usage = psUsageCreate(NULL);
    if (getsid(0) <= 0) {
        testSkip(2, "our session's leader is outside of our pid namespace");
        return;
    }
    targets[0] = (psUsageTarget){.pid = getsid(0), .startMono = 0};
    testOk1(readAt(1e6) == 0 && self.known && self.fds > 2 && self.rssMiB > 0.5);
    testOk1(got[0].error == 0 && got[0].procs >= 1 && got[0].rssMiB > 0.5);
}

MAIN(psUsageTest)
{
    (void)argc;
    (void)argv;
    testPlan(35);
    psProcRootOpen(&root);
    session_IsSummedUp();
    processEnds_NothingIsLostOrCountedTwice();
    nobodyWaits_NothingIsLost();
    waitedDuringThePass_IsNotCountedTwice();
    numberIsUsedAgain_AllOfTheNewOneCounts();
    zombie_CountsWithItsPast();
    ioForbidden_OnlyIfOfAll();
    descriptorsForbidden_IsSaid();
    tooShort_NoRate();
    procfsIsMissing_IsSaid_AndComesBack();
    ourOwnSession_Works();
    psUsageFree(usage);
    psProcRootClose(&root);
    return testDone();
}
