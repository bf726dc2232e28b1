/* SPDX-License-Identifier: EPICS */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psAddresses.h"

static bool isSorted(const struct in_addr *list, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (memcmp(&list[i - 1], &list[i], sizeof(*list)) >= 0)
            return false;
    return true;
}

static void testList(void)
{
    struct in_addr *list = NULL;
    size_t count = 0;
    bool loopback = false;

    testOk(!psAddressesGet(&list, &count), "this host has %lu addresses", (unsigned long)count);
    testOk(isSorted(list, count), "each once, in order");
    for (size_t i = 0; i < count; i++)
        loopback = loopback || list[i].s_addr == htonl(INADDR_LOOPBACK);
    testOk(loopback, "127.0.0.1 is one of them");
    free(list);
}

/* What changes is tested with the whole program, in a network of its own (addresses.plt). */
static void testQuiet(void)
{
    int fd = psAddressesOpen();
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    testOk(fd >= 0, "the kernel reports changes");
    testOk(!psAddressesDrain(fd), "to take what is not there does not wait");
    testOk(poll(&ready, 1, 0) <= 0, "and nothing is left");
    close(fd);
    testOk(psAddressesDrain(fd) < 0, "a descriptor that is closed is reported");
}

MAIN(psAddressesTest)
{
    testPlan(7);
    testList();
    testQuiet();
    return testDone();
}
