/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psQuote.h"

static void words_AsAShellReadsThem(void)
{
    static const struct {
        const char *word, *quoted;
    } cases[] = {
        {"plain-word_1.0:/@%+=,", "plain-word_1.0:/@%+=,"},
        {"", "''"},
        {"a b", "'a b'"},
        {"$HOME", "'$HOME'"},
        {"it's", "'it'\\''s'"},
        {"back\\slash", "'back\\slash'"},
        {"tab\tand'\\", "$'tab\\011and\\'\\\\'"},
        {"\x7f", "$'\\177'"},
        {"\xc3\xa4", "'\xc3\xa4'"},
    };
    psText text = PS_TEXT_INIT;

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        psTextReset(&text);
        psQuoteWord(&text, cases[i].word);
        testOk(strcmp(text.data, cases[i].quoted) == 0, "%s", text.data);
    }
    psTextClear(&text);
}

MAIN(psQuoteTest)
{
    testPlan(9);
    words_AsAShellReadsThem();
    return testDone();
}
