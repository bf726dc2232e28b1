/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psText.h"

static void append_AnyLength_Grows(void)
{
    psText text = PS_TEXT_INIT;
    char piece[997];
    bool good = true;

    memset(piece, 'p', sizeof(piece));
    for (int i = 0; i < 1000; i++)
        psTextAppend(&text, piece, sizeof(piece));
    testOk(!text.failed && text.len == 997000 && strlen(text.data) == 997000, "1000 pieces");
    for (size_t i = 0; i < text.len; i++)
        good = good && text.data[i] == 'p';
    testOk(good, "all of them are there");
    psTextReset(&text);
    testOk(text.len == 0 && text.data[0] == 0 && text.cap >= 997000, "reset keeps the memory");
    psTextAppend(&text, "a\0b", 3);
    testOk(text.len == 3 && memcmp(text.data, "a\0b", 4) == 0, "a NUL within, a NUL after");
    psTextClear(&text);
    psTextClear(&text);
    testOk(!text.data && text.len == 0 && text.cap == 0, "clear is idempotent");
    psTextAppend(&text, "", 0);
    testOk(text.data && text.data[0] == 0, "an empty text is a string");
    psTextClear(&text);
}

static void printf_AnyLength_IsComplete(void)
{
    psText text = PS_TEXT_INIT;
    static char name[5001];

    memset(name, 'n', sizeof(name) - 1);
    psTextPrintf(&text, "<%s|%d>", name, 42);
    psTextPrintf(&text, "%s", "");
    psTextPrintf(&text, "!");
    testOk(text.len == 5000 + 6 && strcmp(text.data + 5001, "|42>!") == 0, "5000 bytes of name");
    psTextClear(&text);
}

static void safeAndName_ShowWhatIsNotPrintable(void)
{
    static const char in[] = "a\\b\x1b\xc3\xbc\x7f";
    psText text = PS_TEXT_INIT;

    psTextAppendSafe(&text, in, sizeof(in));
    testOk(strcmp(text.data, "a\\\\b\\x1B\\xC3\\xBC\\x7F\\x00") == 0, "safe: %s", text.data);
    psTextReset(&text);
    psTextAppendName(&text, in, sizeof(in));
    testOk(strcmp(text.data, "a\\b\\x1B\xc3\xbc\\x7F\\x00") == 0, "name: %s", text.data);
    psTextClear(&text);
}

/* What a failed text holds is incomplete, so it must not go on as if nothing was missing. */
static void append_ToFailedText_DoesNothing(void)
{
    psText text = PS_TEXT_INIT;

    psTextAppend(&text, "a", 1);
    text.failed = true;
    psTextAppend(&text, "b", 1);
    psTextPrintf(&text, "c");
    testOk(text.failed && strcmp(text.data, "a") == 0, "nothing is appended");
    psTextReset(&text);
    psTextAppend(&text, "d", 1);
    testOk(!text.failed && strcmp(text.data, "d") == 0, "but after a reset");
    psTextClear(&text);
}

/* @p in, cut to @p size bytes, must end as @p want. */
static void cutTo(size_t size, const char *in, const char *want)
{
    char text[16];

    snprintf(text, size, "%s", in);
    psTextEndWhole(text, size);
    testOk(strcmp(text, want) == 0, "cut to %d: '%s'", (int)size, text);
}

static void endWhole_OfACutText_DropsTheBrokenCharacter(void)
{
    cutTo(5, "abc\xc3\xa4", "abc");
    cutTo(6, "abc\xc3\xa4", "abc\xc3\xa4");
    cutTo(6, "ab\xe2\x82\xac\xe2\x82\xac", "ab\xe2\x82\xac");
    cutTo(5, "ab\xe2\x82\xac", "ab");
    cutTo(5, "a\xf0\x9f\x98\x80", "a");
    cutTo(16, "ab\xc3", "ab\xc3"); /* not cut: somebody else's */
    cutTo(4, "abcdef", "abc");
    cutTo(3, "\xa4\xa4\xa4", "\xa4\xa4");
    cutTo(2, "\xc3\xa4", "");
    cutTo(1, "x", "");
}

MAIN(psTextTest)
{
    testPlan(21);
    append_AnyLength_Grows();
    printf_AnyLength_IsComplete();
    safeAndName_ShowWhatIsNotPrintable();
    append_ToFailedText_DoesNothing();
    endWhole_OfACutText_DropsTheBrokenCharacter();
    return testDone();
}
