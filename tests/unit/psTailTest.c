/* SPDX-License-Identifier: EPICS */
/* The last lines of a ring as plain text. */
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psLine.h"
#include "console/psRing.h"
#include "console/psTail.h"

#define RING_BYTES 65536

static psRing ring;

static void begin(void)
{
    psRingClear(&ring);
    if (psRingInit(&ring, RING_BYTES, RING_BYTES))
        testAbort("out of memory");
}

static void printBytes(const char *bytes, size_t len)
{
    psRingWrite(&ring, bytes, len);
}

static void print(const char *text)
{
    printBytes(text, strlen(text));
}

static psText tail(uint64_t from, unsigned lines, size_t bytes, bool withPartial)
{
    psTailRequest request = {.from = from, .to = ring.head, .lines = lines, .bytes = bytes};
    psText out = PS_TEXT_INIT;
    const char *last;

    while (!withPartial && request.to > ring.tail && psRingPeek(&ring, request.to - 1, &last) > 0 &&
           *last != '\n')
        request.to--;

    psTailRead(&ring, &request, &out);
    if (out.failed)
        testAbort("out of memory");
    return out;
}

static bool is(psText *text, const char *wanted)
{
    bool same = text->len == strlen(wanted) &&
                (text->len == 0 || memcmp(text->data, wanted, text->len) == 0);

    if (!same)
        testDiag("got \"%.200s\", not \"%.200s\"", text->len ? text->data : "", wanted);
    psTextClear(text);
    return same;
}

/* All of a ring that holds just this. */
static void expect(const char *bytes, size_t len, const char *wanted, const char *what)
{
    begin();
    printBytes(bytes, len);
    psText got = tail(0, 100, 8191, false);

    testOk(is(&got, wanted), "%s", what);
}

#define EXPECT(bytes, wanted, what) expect(bytes, sizeof(bytes) - 1, wanted, what)

static void testLines(void)
{
    EXPECT("", "", "nothing was printed");
    EXPECT("abc", "", "no line is complete");
    EXPECT("one\r\ntwo\r\n", "one\ntwo", "CR LF");
    EXPECT("one\n\n\n", "one\n\n", "empty lines");
    EXPECT("\n", "", "one empty line");
    EXPECT("one\ntwo\nthr", "one\ntwo", "whole lines only");
    EXPECT("10%\r20%\r100%\n", "10%20%100%", "CR alone is left out");
    begin();
    print("one\ntwo\nthr");
    psText got = tail(0, 2, 100, true);
    testOk(is(&got, "two\nthr"), "the last two with an incomplete one");
    got = tail(0, 1, 100, false);
    testOk(is(&got, "two"), "the last complete one");
    got = tail(0, 5, 7, false);
    testOk(is(&got, "one\ntwo"), "exactly as many bytes as there may be");
    got = tail(0, 5, 6, false);
    testOk(is(&got, "two"), "one byte fewer: a line fewer");
    got = tail(0, 5, 2, false);
    testOk(is(&got, "tw"), "a line that does not fit is cut if it is the only one");
    got = tail(4, 5, 100, false);
    testOk(is(&got, "two"), "nothing before where it is to begin");
    got = tail(8, 5, 100, false);
    testOk(is(&got, ""), "nothing is complete from there on");
    got = tail(8, 5, 100, true);
    testOk(is(&got, "thr"), "but for the incomplete line");
    got = tail(0, 0, 100, true);
    testOk(is(&got, ""), "no line is asked for");
}

static void testCharacters(void)
{
    EXPECT("a\0b\n", "a\\x00b", "NUL");
    EXPECT("a\tb\a\n", "a\tb\\x07", "TAB stays, BEL is shown");
    EXPECT("\033[31mred\033[0m\n", "red", "colours are left out");
    EXPECT("\033]0;title\007text\n", "text", "so is a title");
    EXPECT("\033]0;never ended\nnext\n", "\nnext", "a line feed ends a broken sequence");
    EXPECT("\033[31", "", "a sequence without an end");
    EXPECT("gr\303\274n\n", "gr\303\274n", "UTF-8");
    EXPECT("\377\376\n", "\\xFF\\xFE", "what is no UTF-8");
    EXPECT("\302\2331m\n", "\\xC2\\x9B1m", "the CSI of C1, as UTF-8");
    EXPECT("\2331m\n", "\\x9B1m", "the CSI of C1, as a byte");
    EXPECT("\355\240\200\n", "\\xED\\xA0\\x80", "a surrogate");
    EXPECT("\303\n\274\n", "\\xC3\n\\xBC", "a character with a line feed in it");
}

/* The text may begin or be cut in the middle of any character. */
static void testEveryByte(void)
{
    static const char pattern[] = "\303\274\342\202\254\360\237\231\202x";
    char line[PS_LINE_BYTES * 2], wanted[16];
    size_t broken = 0;

    for (size_t pad = 0; pad < 16; pad++) {
        size_t len = 0;

        begin();
        memset(line, 'p', pad);
        len = pad;
        while (len + sizeof(pattern) < sizeof(line)) {
            memcpy(line + len, pattern, sizeof(pattern) - 1);
            len += sizeof(pattern) - 1;
        }
        printBytes(line, len);
        print("\n");
        psText got = tail(0, 1, 8191, false);
        broken += !got.len || strstr(got.data, "\\x") != NULL;
        psTextClear(&got);
        got = tail(0, 1, 100 + pad, false);
        broken += !got.len || got.len > 100 + pad || (got.data[got.len - 1] & 0xc0) == 0xc0;
        psTextClear(&got);
    }
    testOk(broken == 0, "cut at every byte, none is in the middle of a character");
    broken = 0;
    for (size_t cut = 1; cut < sizeof(pattern) - 1; cut++) {
        begin();
        printBytes(pattern + cut, sizeof(pattern) - 1 - cut);
        print("\n");
        psText got = tail(0, 1, 100, false);
        epicsSnprintf(wanted, sizeof(wanted), "x");
        broken += !got.len || strcmp(got.data + got.len - 1, wanted) != 0;
        psTextClear(&got);
    }
    testOk(broken == 0, "what is left of a character does no harm to the rest");
}

/* More than the ring holds, and lines longer than a window, a line or the ring. */
static void testLong(void)
{
    char line[64], *text = malloc(2 * RING_BYTES);

    if (!text)
        testAbort("out of memory");
    begin();
    for (int i = 0; i < 20000; i++) {
        epicsSnprintf(line, sizeof(line), "line %05d\r\n", i);
        print(line);
    }
    psText got = tail(0, 100000, 8191, false);
    testOk(got.len == 8183 && strncmp(got.data, "line 19256\n", 11) == 0 &&
               strcmp(got.data + got.len - 10, "line 19999") == 0,
           "the last whole lines that fit: %lu bytes from \"%.10s\"", (unsigned long)got.len,
           got.len ? got.data : "");
    psTextClear(&got);
    got = tail(0, 50, 100000, false);
    testOk(got.len == 50 * 11 - 1 && strncmp(got.data, "line 19950\n", 11) == 0, "the last 50");
    psTextClear(&got);
    got = tail(0, 100000, 1000000, false);
    testOk(got.len > RING_BYTES * 8 / 10 && strncmp(got.data, "line ", 5) == 0,
           "all of the ring, from a whole line on");
    psTextClear(&got);

    begin();
    memset(text, 'x', 2 * RING_BYTES);
    printBytes(text, 2 * RING_BYTES);
    print("end\n");
    got = tail(0, 10, 8191, false);
    testOk(got.len == PS_LINE_BYTES && got.data[0] == 'x', "a line larger than the ring (%lu)",
           (unsigned long)got.len);
    psTextClear(&got);
    print("next\n");
    got = tail(0, 10, 8191, false);
    testOk(is(&got, "next"), "only whole lines, as there is one");

    begin();
    for (int i = 0; i < 300; i++)
        print("\033[2J\033[H\033[31m\033[1m\033[0m\033[2J\033[H\033[31m\033[1m\033[0m.\n");
    got = tail(0, 1000, 400, false);
    testOk(got.len == 399, "what is mostly control sequences: %lu bytes", (unsigned long)got.len);
    psTextClear(&got);

    begin();
    for (int i = 0; i < 8191; i++)
        text[i] = i % 64 == 63 ? '\n' : 'y';
    printBytes(text, 8191);
    print("\n");
    got = tail(0, 1000, 8191, false);
    testOk(got.len == 8191, "exactly as much as fits (%lu)", (unsigned long)got.len);
    psTextClear(&got);
    print("\n");
    got = tail(0, 1000, 8191, false);
    testOk(got.len == 8191 - 63, "and a byte more (%lu)", (unsigned long)got.len);
    psTextClear(&got);
    free(text);
}

static void testLost(void)
{
    psText got = PS_TEXT_INIT;

    begin();
    print("one\ntwo\n");
    psTailRequest request = {.to = ring.head, .lines = 10, .bytes = 100};
    psTailRead(&ring, &request, &got);
    testOk(is(&got, "one\ntwo"), "before it is lost");
    for (int i = 0; i < RING_BYTES / 8; i++)
        print("\r%  100  ");
    psTailRead(&ring, &request, &got);
    testOk(is(&got, ""), "nothing is given of what the ring has lost");
}

MAIN(psTailTest)
{
    testPlan(0);
    testLines();
    testCharacters();
    testEveryByte();
    testLong();
    testLost();
    psRingClear(&ring);
    return testDone();
}
