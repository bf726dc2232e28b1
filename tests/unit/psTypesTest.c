/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psTypes.h"

/* The numbers and names are a promise to clients (docs/reference/records.md). */
static void names_ByNumber_AreThePromisedOnes(void)
{
    static const char *const states[] = {"Stopped", "Waiting", "Starting",  "Running", "Stopping",
                                         "Killing", "Holdoff", "CrashLoop", "Unknown", "?"};
    static const char *const modes[] = {"Never", "Always", "OneShot", "OnFailure", "?"};
    static const char *const words[] = {"OFF", "ON", "ONESHOT", "ON", "?"};
    static const char *const classes[] = {"None",    "Clean",    "Error", "Signal", "Killed",
                                          "Timeout", "ExecFail", "Lost",  "?"};

    for (size_t i = 0; i < NELEMENTS(states); i++)
        testOk(strcmp(psStateName((psState)i), states[i]) == 0, "state %s", states[i]);
    for (size_t i = 0; i < NELEMENTS(modes); i++) {
        testOk(strcmp(psModeName((psMode)i), modes[i]) == 0, "mode %s", modes[i]);
        testOk(strcmp(psModeConsoleName((psMode)i), words[i]) == 0, "which is %s", words[i]);
    }
    for (size_t i = 0; i < NELEMENTS(classes); i++)
        testOk(strcmp(psExitClassName((psExitClass)i), classes[i]) == 0, "class %s", classes[i]);
    testOk1(strcmp(psStateName((psState)-1), "?") == 0);
}

static void signals_ByNameAndNumber(void)
{
    static const struct {
        const char *text;
        int signo;
    } cases[] = {
        {"TERM", SIGTERM},
        {"SIGTERM", SIGTERM},
        {"sigterm", SIGTERM},
        {"hup", SIGHUP},
        {"9", 9},
        {"64", 64},
        {"IOT", SIGABRT},
        {"SIG34", 34},
        {"WINCH", SIGWINCH},
        {"", -EINVAL},
        {"SIG", -EINVAL},
        {"0", -EINVAL},
        {"65", -EINVAL},
        {"-9", -EINVAL},
        {"9x", -EINVAL},
        {"TERMINATE", -EINVAL},
        {"99999999999", -EINVAL},
    };
    bool same = true;

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        int signo = psSignalParse(cases[i].text);

        testOk(signo == cases[i].signo, "'%s' is %d", cases[i].text, signo);
    }
    for (int signo = 1; signo <= 64; signo++)
        same = same && psSignalParse(psSignalName(signo)) == signo;
    testOk(same, "each name leads back to its number");
    testOk1(strcmp(psSignalName(SIGSEGV), "SIGSEGV") == 0);
    testOk1(strcmp(psSignalName(SIGABRT), "SIGABRT") == 0);
    testOk1(strcmp(psSignalName(34), "SIG34") == 0);
    testOk1(strcmp(psSignalName(0), "?") == 0 && strcmp(psSignalName(65), "?") == 0);
}

MAIN(psTypesTest)
{
    testPlan(52);
    names_ByNumber_AreThePromisedOnes();
    signals_ByNameAndNumber();
    return testDone();
}
