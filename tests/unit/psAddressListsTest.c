/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psAddressLists.h"

static const char ca[] = "EPICS_CAS_INTF_ADDR_LIST";
static const char pva[] = "EPICS_PVAS_INTF_ADDR_LIST";

static char said[500];
static int count;

static void report(void *ctx, bool bad, const char *line)
{
    (void)ctx;
    testOk(!bad, "a warning: %s", line);
    if (!count++)
        epicsSnprintf(said, sizeof(said), "%s", line);
}

/* The list becomes @p wanted; @p why is a part of the first warning, NULL for none. */
static void becomes(const char *variable, const char *value, const char *wanted, const char *why)
{
    char msg[200] = "";

    said[0] = '\0';
    count = 0;
    setenv(variable, value, 1);
    int status = psAddressListsFix(report, NULL, msg, sizeof(msg));
    const char *now = getenv(variable);
    testOk(!status && now && strcmp(now, wanted) == 0, "%s=\"%s\" becomes \"%s\" %s", variable,
           value, now ? now : "", msg);
    testOk(why ? strstr(said, why) && strstr(said, variable) : !count, "with %s",
           why ? why : "no warning");
    count = 0;
    testOk(!psAddressListsFix(report, NULL, msg, sizeof(msg)) && !count,
           "a second look finds nothing");
    unsetenv(variable);
}

/* Nothing of it can be used: it stays, and the reason names it. */
static void isRefused(const char *variable, const char *value)
{
    char msg[200] = "";

    setenv(variable, value, 1);
    count = 0;
    int status = psAddressListsFix(report, NULL, msg, sizeof(msg));
    testOk(status && !count && strstr(msg, variable) && strstr(msg, value),
           "%s=\"%s\" is refused: %s", variable, value, msg);
    testOk(strcmp(getenv(variable), value) == 0, "and stays");
    unsetenv(variable);
}

static void bothServers(void)
{
    static const char *const both[] = {ca, pva};

    for (int i = 0; i < 2; i++) {
        becomes(both[i], "", "", NULL);
        becomes(both[i], "  \t", "  \t", NULL);
        becomes(both[i], "0.0.0.0", "0.0.0.0", NULL);
        becomes(both[i], " 127.0.0.1:5064 ", " 127.0.0.1:5064 ", NULL);
        becomes(both[i], "localhost", "127.0.0.1", NULL);
        becomes(both[i], "localhost:6000", "127.0.0.1:6000", NULL);
        becomes(both[i], "203.0.113.77 127.0.0.1", "127.0.0.1",
                "203.0.113.77 is not an address of this host: ignored");
        becomes(both[i], "no.such.host.invalid 127.0.0.1", "127.0.0.1",
                "no.such.host.invalid is neither an address nor the name of a host: ignored");
        isRefused(both[i], "203.0.113.77");
        isRefused(both[i], "no.such.host.invalid");
        isRefused(both[i], "::1");
        isRefused(both[i], "300.0.0.1");
        isRefused(both[i], "127.0.0.1:99999");
        isRefused(both[i], "127.0.0.1:x");
    }
}

static void ofCa(void)
{
    becomes(ca, "127.0.0.2 127.0.0.1", "127.0.0.2 127.0.0.1", NULL);
    becomes(ca, "127.0.0.1 224.0.0.200", "127.0.0.1 224.0.0.200", NULL);
    becomes(ca, "224.0.0.200", "224.0.0.200", NULL);
    becomes(ca, "127.0.0.1\n127.0.0.2\r", "127.0.0.1\n127.0.0.2\r", NULL);
    /* Base looks for a port for ever */
    becomes(ca, "127.0.0.1:7001 127.0.0.1:7002", "127.0.0.1:7001", "127.0.0.1:7002 appears twice");
    becomes(ca, "127.0.0.1 localhost", "127.0.0.1", "localhost appears twice");
    /* Base suspends its caller */
    becomes(ca, "0.0.0.0 127.0.0.1", "0.0.0.0", "127.0.0.1 is one of all");
    becomes(ca, "127.0.0.1 0.0.0.0", "127.0.0.1", "0.0.0.0 stands for all");
    becomes(ca, "0.0.0.0 224.0.0.200", "0.0.0.0 224.0.0.200", NULL);
}

/* Base throws for these */
static void ofPva(void)
{
    isRefused(pva, "127.0.0.2");
    isRefused(pva, "224.0.0.200");
    becomes(pva, "127.0.0.1 127.0.0.1", "127.0.0.1",
            "127.0.0.1 is not the first, and PVA accepts only one");
    becomes(pva, "127.0.0.2 127.0.0.1", "127.0.0.1", "127.0.0.2 is not an address of this host");
}

/* Where beacons go, and who is ignored: any address. */
static void others(void)
{
    static const char *const variables[] = {
        "EPICS_CAS_BEACON_ADDR_LIST", "EPICS_CAS_IGNORE_ADDR_LIST", "EPICS_PVAS_BEACON_ADDR_LIST"};

    for (int i = 0; i < 3; i++) {
        becomes(variables[i], "203.0.113.77 127.0.0.1:5", "203.0.113.77 127.0.0.1:5", NULL);
        becomes(variables[i], "localhost", "localhost", NULL);
        becomes(variables[i], "junk:x 127.0.0.1", "127.0.0.1", "junk:x is neither an address");
        becomes(variables[i], "junk:x", "", "junk:x is neither an address");
    }
}

MAIN(psAddressListsTest)
{
    static const char *const all[] = {ca, pva, "EPICS_CAS_BEACON_ADDR_LIST",
                                      "EPICS_CAS_IGNORE_ADDR_LIST", "EPICS_PVAS_BEACON_ADDR_LIST"};

    testPlan(0);
    for (int i = 0; i < 5; i++)
        unsetenv(all[i]);
    bothServers();
    ofCa();
    ofPva();
    others();
    return testDone();
}
