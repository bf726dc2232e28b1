/* SPDX-License-Identifier: EPICS */
/* The console ring against a model: the byte at an offset is a function of the offset, so any
 * byte that a reader gets shows whether it stands where it should. */

#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psRing.h"

static uint32_t seed = 12345;

static uint32_t randomBelow(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

/* Lines of 61 bytes. */
static char byteAt(uint64_t offset)
{
    return offset % 61 == 60 ? '\n' : (char)('a' + (offset * 7 + offset / 61) % 26);
}

static void writeModel(psRing *ring, size_t len)
{
    char bytes[4096];

    while (len > 0) {
        size_t part = len < sizeof(bytes) ? len : sizeof(bytes);

        for (size_t i = 0; i < part; i++)
            bytes[i] = byteAt(ring->head + i);
        psRingWrite(ring, bytes, part);
        len -= part;
    }
}

/* Is every byte held the one that was written there? */
static bool holds(const psRing *ring)
{
    for (uint64_t offset = ring->tail; offset < ring->head;) {
        const char *bytes;
        size_t len = psRingPeek(ring, offset, &bytes);

        if (len == 0)
            return false;
        for (size_t i = 0; i < len; i++)
            if (bytes[i] != byteAt(offset + i))
                return false;
        offset += len;
    }
    return true;
}

static void write_AnyLength_KeepsNewestBytes(void)
{
    psRing ring;

    testOk1(psRingInit(&ring, 64, 256) == 0);
    writeModel(&ring, 64);
    testOk(ring.tail == 0 && ring.head == 64 && holds(&ring), "a full ring holds all");
    writeModel(&ring, 1);
    testOk(ring.tail == 1 && holds(&ring), "one byte more drops the oldest");
    writeModel(&ring, 1000);
    testOk(ring.head == 1065 && ring.tail == 1065 - 64 && holds(&ring),
           "a write longer than the ring keeps its end");
    psRingClear(&ring);
    psRingClear(&ring);
    testOk(ring.data == NULL, "clear is idempotent");
}

static void reserve_AtAnyHead_IsNeverEmptyAndLosesAtCommit(void)
{
    psRing ring;
    char *to;
    bool never = true;

    testOk1(psRingInit(&ring, 64, 64) == 0);
    for (int i = 0; i < 300; i++) {
        uint64_t tail = ring.tail;
        size_t len = psRingReserve(&ring, &to);

        never = never && len > 0 && len <= 64 && ring.tail == tail;
        *to = byteAt(ring.head);
        psRingCommit(&ring, 1);
    }
    testOk(never, "reserve gives room and loses nothing");
    testOk(ring.head == 300 && ring.tail == 236 && holds(&ring), "commit drops the oldest");
    psRingClear(&ring);
}

static void growShrink_RandomWrites_KeepContentAndOffsets(void)
{
    psRing ring;
    bool good = true;

    testOk1(psRingInit(&ring, 128, 2048) == 0);
    for (int i = 0; i < 20000 && good; i++) {
        uint64_t head = ring.head, tail = ring.tail;
        uint32_t what = randomBelow(20);

        if (what == 0) {
            psRingGrow(&ring);
            good = ring.head == head && ring.tail == tail && ring.size <= 2048;
        } else if (what == 1) {
            psRingShrink(&ring);
            good = ring.head == head && ring.size == 128 &&
                   ring.tail == (head - tail > 128 ? head - 128 : tail);
        } else {
            writeModel(&ring, randomBelow(200));
        }
        good = good && holds(&ring);
    }
    testOk(good, "content and offsets survive growing and shrinking");
    while (psRingGrow(&ring))
        ;
    testOk(ring.size == 2048, "it grows up to its limit");
    psRingClear(&ring);
}

static void reader_KeepingUp_GetsAll(void)
{
    psRing ring;
    psRingReader reader;
    bool good = true;

    testOk1(psRingInit(&ring, 256, 256) == 0);
    writeModel(&ring, 77);
    psRingReaderInit(&reader, &ring);
    uint64_t expected = reader.offset;
    testOk(expected == 77, "a reader begins at the head");
    for (int i = 0; i < 5000 && good; i++) {
        const char *bytes;
        size_t len;

        writeModel(&ring, randomBelow(100));
        good = psRingReaderRepair(&reader, &ring) == 0;
        while (good && (len = psRingReaderPeek(&reader, &ring, &bytes)) > 0) {
            size_t part = 1 + randomBelow((uint32_t)len);

            for (size_t k = 0; k < part; k++)
                good = good && bytes[k] == byteAt(expected + k);
            psRingReaderAccept(&reader, part, i * 0.001);
            expected += part;
        }
    }
    testOk(good && reader.offset == ring.head && reader.lost == 0, "every byte, in order");
    psRingClear(&ring);
}

static void repair_WhenOverrun_ResumesBehindLineFeed(void)
{
    psRing ring;
    psRingReader reader;

    testOk1(psRingInit(&ring, 256, 256) == 0);
    psRingReaderInit(&reader, &ring);
    writeModel(&ring, 256);
    testOk(psRingReaderRepair(&reader, &ring) == 0 && reader.offset == 0,
           "a reader exactly one ring behind lost nothing");
    writeModel(&ring, 100); /* tail is 100: line feeds at 121, 182, ... */
    testOk(psRingReaderLost(&reader, &ring) == 100,
           "what is overwritten is lost before the repair");
    uint64_t told = psRingReaderRepair(&reader, &ring);
    testOk(psRingReaderLost(&reader, &ring) == 122, "and what is skipped after it");
    testOk(told == 122 && reader.offset == 122, "reported %u, resumed at %u", (unsigned)told,
           (unsigned)reader.offset);
    testOk(reader.lost == 122 && !reader.skipping, "all bytes not delivered count");
    testOk(psRingReaderRepair(&reader, &ring) == 0, "they are reported once");
    psRingReaderAccept(&reader, 10, 0);
    writeModel(&ring, 300); /* head 656, tail 400: line feed at 426 */
    told = psRingReaderRepair(&reader, &ring);
    testOk(reader.offset == 427 && told == 427 - 132 && reader.lost == told + 122,
           "a second loss is reported by itself: %u", (unsigned)told);
    psRingClear(&ring);
}

static void repair_WithoutLineFeed_SkipsUntilOneComes(void)
{
    psRing ring;
    psRingReader reader;
    uint64_t first, second, told;

    testOk1(psRingInit(&ring, 64, 64) == 0);
    psRingReaderInit(&reader, &ring);
    for (int i = 0; i < 100; i++)
        psRingWrite(&ring, "x", 1);
    first = psRingReaderRepair(&reader, &ring);
    testOk(first == 0 && reader.skipping && reader.offset == ring.head, "it waits at the head");
    psRingWrite(&ring, "yy", 2);
    second = psRingReaderRepair(&reader, &ring);
    testOk(second == 0 && reader.lost == 102, "and goes on skipping");
    psRingWrite(&ring, "z\nHello", 7);
    told = psRingReaderRepair(&reader, &ring);
    testOk(told == 104 && reader.offset == 104, "reported %u once it resumes", (unsigned)told);
    psRingClear(&ring);
}

static void repair_WhenChildPrintsNoLines_ResumesInTheEnd(void)
{
    psRing ring;
    psRingReader reader;
    uint64_t told = 0, written = 0;

    testOk1(psRingInit(&ring, 1024, 1024) == 0);
    psRingReaderInit(&reader, &ring);
    while (told == 0 && written < 2 * PS_READER_SKIP_BYTES) {
        for (int i = 0; i < 2000; i++)
            psRingWrite(&ring, "x", 1);
        written += 2000;
        told = psRingReaderRepair(&reader, &ring);
    }
    testOk(told == written && written >= PS_READER_SKIP_BYTES && !reader.skipping,
           "resumed after %u bytes", (unsigned)written);
    psRingClear(&ring);
}

static void room_FallsAsTheReaderLags(void)
{
    psRing ring;
    psRingReader reader;

    testOk1(psRingInit(&ring, 256, 512) == 0);
    psRingReaderInit(&reader, &ring);
    testOk1(psRingReaderRoom(&reader, &ring) == 256);
    writeModel(&ring, 200);
    testOk1(psRingReaderRoom(&reader, &ring) == 56);
    writeModel(&ring, 56);
    testOk1(psRingReaderRoom(&reader, &ring) == 0);
    testOk(psRingGrow(&ring) && psRingReaderRoom(&reader, &ring) == 256, "growing makes room");
    writeModel(&ring, 1000);
    testOk(psRingReaderRoom(&reader, &ring) == 0, "an overrun reader has none");
    psRingClear(&ring);
}

static void steady_ByBytesOfTheLastWindow(void)
{
    psRing ring;
    psRingReader reader;
    double now = 1000.0;

    testOk1(psRingInit(&ring, 64, 64) == 0);
    psRingReaderInit(&reader, &ring);
    testOk(!psRingReaderSteady(&reader, now), "not before it accepted anything");
    psRingReaderAccept(&reader, PS_READER_STEADY_BYTES - 1, now);
    testOk(!psRingReaderSteady(&reader, now), "one byte too few");
    psRingReaderAccept(&reader, 1, now + 0.001);
    testOk(psRingReaderSteady(&reader, now + 0.002), "enough");
    testOk(psRingReaderSteady(&reader, now + 0.085), "within the window");
    testOk(!psRingReaderSteady(&reader, now + 0.101), "the window is over");
    psRingReaderAccept(&reader, 5, now + 5);
    testOk(!psRingReaderSteady(&reader, now + 5), "old bytes are forgotten");
    for (int i = 0; i < 40; i++)
        psRingReaderAccept(&reader, 11200, now + 6 + i * 0.01);
    testOk(psRingReaderSteady(&reader, now + 6.39), "1.1 MB/s in small steps");
    for (int i = 0; i < 40; i++)
        psRingReaderAccept(&reader, 9000, now + 7 + i * 0.01);
    testOk(!psRingReaderSteady(&reader, now + 7.39), "0.9 MB/s is too slow");
    psRingClear(&ring);
}

/* What a new console is shown, of @p text in a ring of 64 bytes. */
static const char *back(const char *text, uint64_t from, int lines)
{
    static char shown[128];
    psRing ring;

    if (psRingInit(&ring, 64, 64) != 0)
        testAbort("no ring");
    psRingWrite(&ring, text, strlen(text));
    size_t len = 0;
    for (uint64_t at = psRingLinesBack(&ring, from, lines); at < ring.head;) {
        const char *bytes;
        size_t part = psRingPeek(&ring, at, &bytes);

        memcpy(shown + len, bytes, part);
        len += part;
        at += part;
    }
    shown[len] = '\0';
    psRingClear(&ring);
    return shown;
}

static void linesBack_WholeLinesOnly(void)
{
    static const struct {
        const char *text;
        uint64_t from;
        int lines;
        const char *shown;
    } cases[] = {
        {"", 0, 5, ""},
        {"a\nb\nc\n", 0, 0, ""},
        {"a\nb\nc\n", 0, 2, "b\nc\n"},
        {"a\nb\nc\n", 0, 5, "a\nb\nc\n"},
        {"a\nb\nc> ", 0, 2, "b\nc> "},
        {"a\nb\nc\n", 2, 5, "b\nc\n"},
        {"a\nb\nc\n", 6, 5, ""},
        {"\n\n\n", 0, 2, "\n\n"},
        /* what the ring holds begins in the middle of the first line */
        {"0123456789012345678901234567890123456789\nx0123456789012345678901234567890123456789\n", 0,
         5, "x0123456789012345678901234567890123456789\n"},
        /* or of the only one, and of a character */
        {"0\xe2\x82\xac"
         "23456789012345678901234567890123456789012345678901234567890123",
         0, 5, "23456789012345678901234567890123456789012345678901234567890123"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *shown = back(cases[i].text, cases[i].from, cases[i].lines);

        testOk(strcmp(shown, cases[i].shown) == 0, "%u: '%s'", (unsigned)i, shown);
    }
}

MAIN(psRingTest)
{
    testPlan(53);
    linesBack_WholeLinesOnly();
    write_AnyLength_KeepsNewestBytes();
    reserve_AtAnyHead_IsNeverEmptyAndLosesAtCommit();
    growShrink_RandomWrites_KeepContentAndOffsets();
    reader_KeepingUp_GetsAll();
    repair_WhenOverrun_ResumesBehindLineFeed();
    repair_WithoutLineFeed_SkipsUntilOneComes();
    repair_WhenChildPrintsNoLines_ResumesInTheEnd();
    room_FallsAsTheReaderLags();
    steady_ByBytesOfTheLastWindow();
    return testDone();
}
