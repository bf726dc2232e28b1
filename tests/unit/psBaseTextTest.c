/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psBaseText.h"

static void expect(const char *text, const char *wanted)
{
    char out[40] = "before";
    size_t len = psBaseLine(text, out, sizeof(out));

    testOk(strcmp(out, wanted) == 0 && len == strlen(wanted), "<%s> gives <%s>", text, out);
}

MAIN(psBaseTextTest)
{
    testPlan(0);
    expect("", "");
    expect(" \r\n\t\n", "");
    expect("syntax error at line 5\nmore\n", "syntax error at line 5");
    expect("\n  second line \r\nthird", "second line");
    expect("\033[31;1mERROR\033[0m failed to load 'x.db'\n", "ERROR failed to load 'x.db'");
    expect("cut \033[31", "cut");
    expect("cut \033[", "cut");
    expect("filename=\"../dbLexRoutines.c\" line number=277dbRead opening file x.db\n",
           "dbRead opening file x.db");
    expect("filename=\"x\" is a field", "filename=\"x\" is a field");
    expect("123456789012345678901234567890123456789012345",
           "123456789012345678901234567890123456789");
    testOk1(
        psBaseIsPortRemark("2026-11-25T18:05:48.082 Using dynamically assigned TCP port 52509."));
    testOk1(!psBaseIsPortRemark("Using dynamically assigned TCP port"));
    testOk1(!psBaseIsPortRemark("Using dynamically assigned TCP port 1. Failed"));
    testOk1(
        psBaseIsPortRemark("cas \033[33mWARNING\033[0m: Configured TCP port was unavailable.\n"));
    testOk1(!psBaseIsPortRemark("cas ERROR: no port"));
    return testDone();
}
