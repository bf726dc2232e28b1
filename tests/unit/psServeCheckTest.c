/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psServeCheck.h"

/* @p wanted: NULL if it is good, else a part of what is said. */
static void list(const char *variable, const char *value, const char *wanted)
{
    char msg[200] = "";
    bool right;

    setenv(variable, value, 1);
    if (psCheckInterfaces(msg, sizeof(msg)))
        right = wanted && strstr(msg, wanted) && strstr(msg, variable);
    else
        right = !wanted;
    testOk(right, "%s=\"%s\" %s %s", variable, value, msg[0] ? "gives" : "is good", msg);
    unsetenv(variable);
}

static void interfaces(void)
{
    static const char ca[] = "EPICS_CAS_INTF_ADDR_LIST", pva[] = "EPICS_PVAS_INTF_ADDR_LIST";
    static const char *const both[] = {ca, pva};

    for (int i = 0; i < 2; i++) {
        list(both[i], "", NULL);
        list(both[i], "  \t", NULL);
        list(both[i], "0.0.0.0", NULL);
        list(both[i], " 127.0.0.1:5064 ", NULL);
        list(both[i], "203.0.113.77", "203.0.113.77 is no address of this host");
        list(both[i], "localhost", "localhost is no numeric");
        list(both[i], "127.0.0", "127.0.0 is no numeric");
        list(both[i], "::1", "::1 is no numeric");
        list(both[i], "127.0.0.1:99999", "127.0.0.1:99999 is no numeric");
        list(both[i], "127.0.0.1:", "127.0.0.1: is no numeric");
        list(both[i], "127.0.0.1:x", "127.0.0.1:x is no numeric");
    }
    list(ca, "127.0.0.2 127.0.0.1", NULL);
    list(ca, "127.0.0.1 224.0.0.200", NULL);
    list(ca, "127.0.0.1 nothing", "nothing is no numeric");
    /* Base throws for these */
    list(pva, "127.0.0.2", "127.0.0.2 is no address");
    list(pva, "224.0.0.200", "224.0.0.200 is no address");
    list(pva, "127.0.0.1 127.0.0.1", "one too many");
}

static void prefix(const char *given, const char *name, const char *wanted)
{
    char out[100], msg[200] = "";
    int status = psMakePrefix(given, name, out, sizeof(out), msg, sizeof(msg));

    testOk(wanted ? !status && strcmp(out, wanted) == 0 : status && msg[0], "prefix %s of %s is %s",
           given ? given : "none", name, status ? msg : out);
}

MAIN(psServeCheckTest)
{
    testPlan(0);
    unsetenv("EPICS_CAS_INTF_ADDR_LIST");
    unsetenv("EPICS_PVAS_INTF_ADDR_LIST");
    interfaces();
    prefix(NULL, "ioc1", "ioc1:PS:");
    prefix(NULL, "/opt/my ioc.sh", "my_ioc_sh:PS:");
    prefix("X", "ioc1", "X");
    prefix("X", "it's", "X");
    prefix("X", "a\"b", NULL);
    prefix("X", "a$(b)", NULL);
    prefix("X", "a\\", NULL);
    prefix("1234567890123456789012345678901234567890123", "i",
           "1234567890123456789012345678901234567890123");
    prefix("12345678901234567890123456789012345678901234", "i", NULL);
    prefix(NULL, "12345678901234567890123456789012345678901", NULL);
    return testDone();
}
