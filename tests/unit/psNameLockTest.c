/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psNameLock.h"

static void lock_HasOneOwnerUntilItIsClosed(void)
{
    psNameLockOwner owner = {.pid = 0};
    char name[64];

    testDiag("%s", __func__);
    epicsSnprintf(name, sizeof(name), "psNameLockTest/%ld", (long)getpid());
    testOk1(psNameLockConnect(name, &owner) == -ECONNREFUSED);
    int fd = psNameLockTake(name, 1);
    testOk1(fd >= 0);
    testOk1(psNameLockTake(name, 1) == -EADDRINUSE);
    int other = psNameLockConnect(name, &owner);
    testOk(other >= 0 && owner.pid == getpid() && owner.uid == geteuid(), "its owner is known");
    struct pollfd ready = {.fd = other, .events = POLLIN};
    testOk(poll(&ready, 1, 0) == 0, "who waits for its end waits");
    close(fd);
    testOk(poll(&ready, 1, 10000) == 1 && (ready.revents & POLLHUP), "its end is noticed");
    close(other);
    fd = psNameLockTake(name, 1);
    testOk(fd >= 0, "it can be taken again");
    close(fd);
}

static void lock_OfALongName_IsTaken(void)
{
    char name[300];

    testDiag("%s", __func__);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    epicsSnprintf(name, 32, "psNameLockTest/%ld/", (long)getpid());
    name[strlen(name)] = 'x';
    int fd = psNameLockTake(name, 1);
    testOk1(fd >= 0);
    testOk1(psNameLockTake(name, 1) == -EADDRINUSE);
    close(fd);
}

MAIN(psNameLockTest)
{
    testPlan(9);
    lock_HasOneOwnerUntilItIsClosed();
    lock_OfALongName_IsTaken();
    return testDone();
}
