/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psAcf.h"

static const char *const users[] = {"root", "o@ps", NULL};
static const char *const hosts[] = {"127.0.0.1", NULL};

static void expect(const char *text, const char *wanted)
{
    char *got = psAcfExpand(text, users, hosts);

    testOk(got && strcmp(got, wanted) == 0, "<%s> gives <%s>", text, got ? got : "nothing");
    free(got);
}

MAIN(psAcfTest)
{
    char msg[200] = "";

    testPlan(0);
    expect("", "");
    expect("UAG(u) {$(PS_USERS)}", "UAG(u) {\"root\",\n    \"o@ps\"}");
    expect("${PS_HOSTS}", "\"127.0.0.1\"");
    expect("$(PS_USER) $(PS_USERSX) $ $( $PS_USERS", "$(PS_USER) $(PS_USERSX) $ $( $PS_USERS");
    expect("$(PS_HOSTS}", "$(PS_HOSTS}");
    testOk(psAcfUse("/nowhere/at/all", msg, sizeof(msg)) < 0 && strstr(msg, "/nowhere/at/all"),
           "a missing file is named: %s", msg);
    testOk(psAcfUse("/", msg, sizeof(msg)) < 0, "a folder is refused: %s", msg);
    testOk(!psAcfUseClosed(), "the closed rules can always be used");
    return testDone();
}
