/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psVerb.h"

static void facts_OfEachVerb(void)
{
    bool named = true;

    for (int i = 0; i < psVerbCount; i++) {
        psRange range = psVerbRange((psVerb)i);

        named = named && strcmp(psVerbName((psVerb)i), "?") != 0 && range.low <= range.high;
    }
    testOk(named, "each has a name and a range");
    testOk1(strcmp(psVerbName(psVerbSignal), "SignalNum") == 0);
    testOk1(strcmp(psVerbName(psVerbMode), "AutoRestart") == 0);
    testOk1(strcmp(psVerbName(psVerbCount), "?") == 0);
    testOk1(psVerbRange(psVerbSignal).low == 1 && psVerbRange(psVerbSignal).high == 64);
    testOk1(psVerbRange(psVerbRestartWindow).low == 1);
    testOk1(psVerbRange(psVerbMode).high == psModeCount - 1);
    testOk1(psVerbRange(psVerbStop).high == 0 && psVerbRange((psVerb)-1).high == 0);
    testOk1(psVerbTakesValue(psVerbGrace) && psVerbTakesValue(psVerbSignal));
    testOk1(!psVerbTakesValue(psVerbRestart) && !psVerbTakesValue(psVerbCount));
}

static void words_OfTheShell(void)
{
    testOk1(psVerbParse("restart") == psVerbRestart);
    testOk1(psVerbParse("rotatelog") == psVerbRotateLog);
    testOk1(psVerbParse("Restart") == psVerbNone);
    testOk1(psVerbParse("None") == psVerbNone && psVerbParse("") == psVerbNone);
    testOk(psVerbParse("holdoff") == psVerbNone, "a setting is no word");
}

static void values_AreChecked(void)
{
    static const struct {
        psVerb verb;
        double value;
        int status;
    } cases[] = {
        {psVerbNone, 0, -EINVAL},
        {psVerbCount, 0, -EINVAL},
        {(psVerb)-1, 0, -EINVAL},
        {psVerbStart, 0, 0},
        {psVerbStart, 1, 0},
        {psVerbSignal, 0, -EINVAL},
        {psVerbSignal, 1, 0},
        {psVerbSignal, 65, -EINVAL},
        {psVerbHoldoff, 0, 0},
        {psVerbHoldoff, -0.1, -EINVAL},
        {psVerbHoldoff, NAN, -EINVAL},
        {psVerbMode, psModeOnFailure, 0},
        {psVerbMode, psModeCount, -EINVAL},
        {psVerbRestartWindow, 0, -EINVAL},
        {psVerbIn, 0, 0},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++)
        testOk(psVerbCheck(cases[i].verb, cases[i].value) == cases[i].status, "%s %g: %d",
               psVerbName(cases[i].verb), cases[i].value, cases[i].status);
}

static void texts_AreChecked(void)
{
    char text[PS_COMMAND_TEXT_BYTES + 1];

    memset(text, 'a', sizeof(text));
    text[PS_COMMAND_TEXT_BYTES] = '\0';
    testOk(psVerbCheckText(psVerbIn, text) == -EINVAL, "too long");
    testOk(psVerbCheckText(psVerbIn, text + 1) == 0, "as long as it may be");
    testOk(psVerbCheckText(psVerbIn, "") == 0, "empty");
    testOk(psVerbCheckText(psVerbIn, "a\tgr\303\274n") == 0, "TAB and UTF-8");
    testOk(psVerbCheckText(psVerbIn, "dbl\nexit") == -EINVAL, "two lines");
    testOk(psVerbCheckText(psVerbIn, "\003") == -EINVAL, "a key");
    testOk(psVerbCheckText(psVerbIn, "a\177") == -EINVAL, "DEL");
    testOk(psVerbCheckText(psVerbIn, NULL) == -EINVAL, "none, where one is needed");
    testOk(psVerbCheckText(psVerbStop, "x") == -EINVAL, "one, where none is taken");
    testOk(psVerbCheckText(psVerbStop, NULL) == 0, "none, where none is taken");
}

MAIN(psVerbTest)
{
    testPlan(40);
    facts_OfEachVerb();
    words_OfTheShell();
    values_AreChecked();
    texts_AreChecked();
    return testDone();
}
