/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psPrefix.h"

/* @p wanted: NULL if it is refused. */
static void expect(const char *given, const char *name, const char *wanted)
{
    char out[100], msg[200] = "";
    int status = psPrefixMake(given, name, out, sizeof(out), msg, sizeof(msg));

    testOk(wanted ? !status && strcmp(out, wanted) == 0 : status && msg[0], "prefix %s of %s is %s",
           given ? given : "none", name, status ? msg : out);
}

static void expectId(const char *name, const char *wanted)
{
    char out[16];

    psPrefixId(name, out, sizeof(out));
    testOk(strcmp(out, wanted) == 0, "%s is called %s", name, out);
}

MAIN(psPrefixTest)
{
    testPlan(13);
    expect(NULL, "ioc1", "ioc1:PS:");
    expect(NULL, "/opt/my ioc.sh", "my_ioc_sh:PS:");
    expect("X", "ioc1", "X");
    expect("X", "it's", "X");
    expect("X", "a\"b", NULL);
    expect("X", "a$(b)", NULL);
    expect("X", "a\\", NULL);
    expect("1234567890123456789012345678901234567890123", "i",
           "1234567890123456789012345678901234567890123");
    expect("12345678901234567890123456789012345678901234", "i", NULL);
    expect(NULL, "12345678901234567890123456789012345678901", NULL);
    expectId("ioc1", "ioc1");
    expectId("/opt/my-ioc.sh", "my_ioc_sh");
    expectId("a name that is too long", "a_name_that_is_");
    return testDone();
}
