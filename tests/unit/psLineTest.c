/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psText.h"
#include "console/psLine.h"

/* Lines are collected as "a|b|"; what is not complete does not show. */
#define CASE(name, in, out)                                                                        \
    {                                                                                              \
        name, in, sizeof(in) - 1, out                                                              \
    }
static const struct {
    const char *name;
    const char *in;
    size_t len;
    const char *out;
} cases[] = {
    CASE("lines with CR LF and LF", "one\r\ntwo\n\r\n\nthree", "one|two|||"),
    CASE("CR within a line", "50%\r100%\r\n", "50%100%|"),
    CASE("tab and UTF-8 are kept", "a\tb \xc3\xa9 \xe2\x82\xac\n", "a\tb \xc3\xa9 \xe2\x82\xac|"),
    CASE("other control bytes are shown", "a\0b\x07\x7f\x18\n", "a\\x00b\\x07\\x7F\\x18|"),
    CASE("colours", "\x1b[31;1mred\x1b[0m\x1b[Kx\n", "redx|"),
    CASE("CSI with ? and intermediates", "\x1b[?25l\x1b[0 qa\n", "a|"),
    CASE("OSC ended by BEL", "\x1b]0;title\x07prompt\n", "prompt|"),
    CASE("OSC ended by ST", "\x1b]0;title\x1b\\prompt\n", "prompt|"),
    CASE("DCS, SOS, PM, APC", "\x1bPq\x1b\\a\x1bXq\x1b\\b\x1b^q\x1b\\c\x1b_q\x1b\\d\n", "abcd|"),
    CASE("ESC pairs",
         "\x1b"
         "7a\x1b(Bb\x1b#8c\x1b=\n",
         "abc|"),
    CASE("ESC ESC", "\x1b\x1b[1ma\n", "a|"),
    CASE("a sequence broken by another", "\x1b[3\x1b[31ma\x1b]0;x\x1b[0mb\n", "ab|"),
    CASE("a line feed ends every sequence", "a\x1b[3\nb\x1b]0;never\nc\x1b\nd\n", "a|b|c|d|"),
    CASE("CAN ends a sequence",
         "\x1b]0;x\x18"
         "a\n",
         "a|"),
};

static void collect(void *ctx, const char *line, size_t len)
{
    psTextAppend(ctx, line, len);
    psTextAppend(ctx, "|", line[len] == 0 ? 1 : 0);
}

static void feed_CutAtEveryPosition_GivesTheSameLines(void)
{
    psText got = PS_TEXT_INIT;

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        bool good = true;

        for (size_t cut = 0; cut <= cases[i].len && good; cut++) {
            psLine line;

            psTextReset(&got);
            psLineInit(&line);
            psLineFeed(&line, cases[i].in, cut, collect, &got);
            psLineFeed(&line, cases[i].in + cut, cases[i].len - cut, collect, &got);
            good = got.data && strcmp(got.data, cases[i].out) == 0;
            if (!good)
                testDiag("cut at %u: %s", (unsigned)cut, got.data);
        }
        testOk(good, "%s", cases[i].name);
    }
    psTextClear(&got);
}

static void feed_LongLine_IsCut(void)
{
    psText got = PS_TEXT_INIT;
    psLine line;

    psLineInit(&line);
    for (int i = 0; i < PS_LINE_BYTES - 2; i++)
        psLineFeed(&line, "x", 1, collect, &got);
    testOk(line.len == PS_LINE_BYTES - 2 && !line.cut, "up to its length");
    psLineFeed(&line, "\x01y", 2, collect, &got);
    testOk(line.len == PS_LINE_BYTES - 2 && line.cut, "nothing is cut in its middle");
    for (int i = 0; i < 10000; i++)
        psLineFeed(&line, "xyz", 3, collect, &got);
    psLineFeed(&line, "\nnext\n", 6, collect, &got);
    testOk(got.len == PS_LINE_BYTES - 2 + 6 && strcmp(got.data + PS_LINE_BYTES - 2, "|next|") == 0,
           "the rest is dropped, the next line is whole");
    psTextClear(&got);
}

MAIN(psLineTest)
{
    testPlan((int)NELEMENTS(cases) + 3);
    feed_CutAtEveryPosition_GivesTheSameLines();
    feed_LongLine_IsCut();
    return testDone();
}
