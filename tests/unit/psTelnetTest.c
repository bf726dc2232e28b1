/* SPDX-License-Identifier: EPICS */
/* The telnet parser by golden streams, each cut at every position, and by a random stream
 * against a model that shares nothing with it.
 *
 * What the parser does is written down as text: data as it is (\xHH where not printable),
 * answers as <WILL 1>, window sizes as {80x24}. */
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psTelnet.h"
#include "base/psText.h"

static void onData(void *ctx, const uint8_t *bytes, size_t len)
{
    psTextAppendSafe(ctx, bytes, len);
}

static void onReply(void *ctx, const uint8_t *bytes, size_t len)
{
    static const char *const verbs[] = {"WILL", "WONT", "DO", "DONT"};

    for (size_t i = 0; i + 3 <= len; i += 3)
        if (bytes[i] == 255 && bytes[i + 1] >= 251 && bytes[i + 1] <= 254)
            psTextPrintf(ctx, "<%s %u>", verbs[bytes[i + 1] - 251], bytes[i + 2]);
        else
            psTextPrintf(ctx, "<?>");
    if (len % 3 != 0)
        psTextPrintf(ctx, "<cut>");
}

static void onSize(void *ctx, unsigned cols, unsigned rows)
{
    psTextPrintf(ctx, "{%ux%u}", cols, rows);
}

static psTelnetSink sinkOf(psText *text)
{
    return (psTelnetSink){onData, onReply, onSize, text};
}

/* Bytes of one golden stream: a string literal may hold NULs. */
#define GOLDEN(name, in, out)                                                                      \
    {                                                                                              \
        name, in, sizeof(in) - 1, out                                                              \
    }
static const struct {
    const char *name;
    const char *in;
    size_t len;
    const char *out;
} golden[] = {
    GOLDEN("plain bytes", "help\x1b[A\x03", "help\\x1B[A\\x03"),
    GOLDEN("inetutils telnet at connect",
           "\xff\xfd\x01\xff\xfd\x03\xff\xfb\x22\xff\xfa\x22\x03\x01\x00\x00\x03"
           "b\x03\x04\x02\x0f\x05\x00\x00\x07"
           "b\x1c\x08\x02\x04\x09"
           "B\x1a\x0a\x02\x7f\x0b\x02\x15\x0c\x02\x17\x0d\x02\x12\x0e\x02\x16\x0f\x02\x11\x10"
           "\x02\x13\x11\x00\x00\x12\x00\x00\xff\xf0h",
           "<DO 31><WILL 3><DO 3>h"),
    GOLDEN("inetutils telnet answers DO NAWS", "\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
           "<DO 31><WILL 3><DO 3>{80x24}"),
    GOLDEN("procServ's answers, in its order",
           "\xff\xfd\x01"  /* DO ECHO */
           "a\xff\xfd\x01" /* again */
           "b\xff\xfc\x22" /* WONT LINEMODE */
           "c\xff\xfb\x22" /* WILL LINEMODE */
           "d\xff\xfd\x05" /* DO STATUS */
           "e\xff\xfb\x05" /* WILL STATUS */
           "f\xff\xfb\x18" /* WILL TTYPE */
           "g\xff\xfd\x00" /* DO BINARY */
           "h\xff\xfb\x00" /* WILL BINARY */
           "i\xff\xfb\x27" /* WILL NEW-ENVIRON */
           "j\xff\xfd\x06" /* DO TIMING-MARK */
           "k\xff\xf6"     /* AYT */
           "l\xff\xf4"     /* IP */
           "m\xff\xf3"     /* BRK */
           "n\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"
           "o\xff\xf7\xff\xf8\xff\xf1" /* EC EL NOP */
           "p\xff\xfe\x01"             /* DONT ECHO */
           "q",
           "<DO 31><WILL 3><DO 3>abc<DO 34>d<WONT 5>e<DONT 5>f<DONT 24>g<WONT 0>h<DONT 0>i<DONT "
           "39>j<WONT 6>"
           "klmnop<WONT 1>q"),
    GOLDEN("SGA as PuTTY asks for it, and no answer to its answers",
           "\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03x",
           "<DO 31><WILL 3><DO 3><DONT 32><DONT 24><DONT 39>x"),
    GOLDEN("SGA given up and taken up again, both ways",
           "\xff\xfd\x03\xff\xfb\x03\xff\xfe\x03\xff\xfc\x03\xff\xfd\x03\xff\xfb\x03",
           "<DO 31><WILL 3><DO 3><WONT 3><DONT 3><WILL 3><DO 3>"),
    GOLDEN("SGA refused", "\xff\xfe\x03\xff\xfc\x03\xff\xfe\x03", "<DO 31><WILL 3><DO 3>"),
    GOLDEN("no change, no answer",
           "\xff\xfe\x01\xff\xfe\x01\xff\xfc\x22\xff\xfc\x22\xff\xfc\x1f\xff\xfc\x1f",
           "<DO 31><WILL 3><DO 3>"),
    GOLDEN("ECHO off, on, off", "\xff\xfd\x01\xff\xfe\x01\xff\xfd\x01\xff\xfe\x01",
           "<DO 31><WILL 3><DO 3><WONT 1><WILL 1><WONT 1>"),
    GOLDEN("LINEMODE given up", "\xff\xfb\x22\xff\xfc\x22\xff\xfc\x22",
           "<DO 31><WILL 3><DO 3><DONT 34>"),
    GOLDEN("NAWS given up",
           "\xff\xfb\x1f\xff\xfc\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0\xff\xfb\x1f",
           "<DO 31><WILL 3><DO 3><DONT 31><DO 31>"),
    GOLDEN("options of the other side are refused", "\xff\xfb\x01\xff\xfd\x22\xff\xfd\x1f",
           "<DO 31><WILL 3><DO 3><DONT 1><WONT 34><WONT 31>"),
    GOLDEN("a refusal is not repeated",
           "\xff\xfd\x05\xff\xfd\x05\xff\xfb\x18\xff\xfb\x18\xff\xfd\xff\xff\xfd\xff",
           "<DO 31><WILL 3><DO 3><WONT 5><DONT 24><WONT 255>"),
    GOLDEN("but to a new request",
           "\xff\xfd\x05\xff\xfe\x05\xff\xfd\x05\xff\xfb\x18\xff\xfc\x18"
           "\xff\xfb\x18",
           "<DO 31><WILL 3><DO 3><WONT 5><WONT 5><DONT 24><DONT 24>"),
    GOLDEN("each timing mark is answered", "\xff\xfd\x06\xff\xf4\xff\xfd\x06",
           "<DO 31><WILL 3><DO 3><WONT 6><WONT 6>"),
    GOLDEN("asked once, with the first command only",
           "a\xff\xf1"
           "b\xff\xf1",
           "a<DO 31><WILL 3><DO 3>b"),
    GOLDEN("an escaped 0xFF is no command",
           "a\xff\xff"
           "b",
           "a\\xFFb"),
    GOLDEN("window sizes",
           "\xff\xfb\x1f"
           "\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0"             /* 255x24 */
           "\xff\xfa\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xf0" /* 65535x65535 */
           "\xff\xfa\x1f\x01\x02\x03\x04\xff\xf0",
           "<DO 31><WILL 3><DO 3>{255x24}{65535x65535}{258x772}"),
    GOLDEN("window sizes that are none",
           "\xff\xfb\x1f"
           "\xff\xfa\x1f\x00\x00\x00\x00\xff\xf0"
           "\xff\xfa\x1f\x00\x50\x00\x00\xff\xf0"
           "\xff\xfa\x1f\x00\x50\x00\xff\xf0"
           "\xff\xfa\x1f\x00\x50\x00\x18\x00\xff\xf0"
           "\xff\xfa\x1f\xff\xf0"
           "\xff\xfa\x1f\x00\x50\xff\x01\x00\x18\xff\xf0"
           "\xff\xfa\x20\x00\x50\x00\x18\xff\xf0x",
           "<DO 31><WILL 3><DO 3>x"),
    GOLDEN("a window size that nobody announced", "\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
           "<DO 31><WILL 3><DO 3>"),
    GOLDEN("a command within a suboption does not end it",
           "a\xff\xfa\x18\x18\xff\xfb\x18\x18\xff\xfa\x18\xff\xff\x18\xff\xf0"
           "b",
           "a<DO 31><WILL 3><DO 3>b"),
    GOLDEN("a suboption without an option",
           "\xff\xfa\xff\xf0"
           "a\xff\xfa\xff\xff\x18\xff\xf0"
           "b",
           "<DO 31><WILL 3><DO 3>ab"),
    GOLDEN("a suboption that never ends hides all", "a\xff\xfa\x18\x18\x18quit\r\n\xff\xff",
           "a<DO 31><WILL 3><DO 3>"),
    GOLDEN("SE without SB is eaten",
           "a\xff\xf0"
           "b",
           "a<DO 31><WILL 3><DO 3>b"),
    GOLDEN("an unknown command is eaten with its byte",
           "a\xff\x18"
           "b\xff\x00"
           "c",
           "a<DO 31><WILL 3><DO 3>bc"),
    GOLDEN("line ends", "a\r\0b\r\nc\nd\r\re\r\n\nf\r",
           "a\\x0Db\\x0Dc\\x0Ad\\x0D\\x0De\\x0D\\x0Af"
           "\\x0D"),
    GOLDEN("a command between CR and LF", "a\r\xff\xf1\nb", "a\\x0D<DO 31><WILL 3><DO 3>b"),
    GOLDEN("0xFF between CR and LF", "\r\xff\xff\n", "\\x0D\\xFF\\x0A"),
    GOLDEN("NUL alone is dropped", "a\0\0b\0\n", "ab\\x0A"),
};

/* Feed @p in, cut before @p cut and, if @p step, into pieces of so many bytes. */
static void feed(psText *text, const char *in, size_t len, size_t cut, size_t step)
{
    psTelnet telnet;
    psTelnetSink sink = sinkOf(text);
    size_t at = 0;

    psTextReset(text);
    psTelnetInit(&telnet);
    psTelnetReceive(&telnet, in, cut, &sink);
    for (at = cut; at < len;) {
        size_t part = step && step < len - at ? step : len - at;

        psTelnetReceive(&telnet, in + at, part, &sink);
        at += part;
    }
}

static void golden_CutAtEveryPosition_GivesTheSame(void)
{
    psText text = PS_TEXT_INIT;

    for (size_t i = 0; i < NELEMENTS(golden); i++) {
        bool good = true;

        for (size_t cut = 0; cut <= golden[i].len && good; cut++) {
            feed(&text, golden[i].in, golden[i].len, cut, 0);
            good = text.data && strcmp(text.data, golden[i].out) == 0;
            if (!good)
                testDiag("cut at %u: %s, expected %s", (unsigned)cut, text.data, golden[i].out);
        }
        feed(&text, golden[i].in, golden[i].len, 0, 1);
        testOk(good && strcmp(text.data, golden[i].out) == 0, "%s", golden[i].name);
    }
    psTextClear(&text);
}

/* An oversize suboption full of kill keys, as long as any buffer that a parser might have. */
static void oversizeSuboption_WithHiddenKey_IsNoData(void)
{
    static char in[200000];
    psText text = PS_TEXT_INIT;

    memset(in, 0x18, sizeof(in));
    memcpy(in, "\xff\xfa\x1f", 3);
    memcpy(in + sizeof(in) - 3, "\xff\xf0.", 3);
    feed(&text, in, sizeof(in), 0, 1000);
    testOk(strcmp(text.data, "<DO 31><WILL 3><DO 3>.") == 0,
           "200 kB of ^X in a suboption are skipped");
    memcpy(in, "\xff\xfa\x56\xff\xf0\xff\xfa\x56", 8); /* COMPRESS2, unasked for */
    feed(&text, in, sizeof(in), 0, 1000);
    testOk(strcmp(text.data, "<DO 31><WILL 3><DO 3>.") == 0, "and so are those of COMPRESS2");
    psTextClear(&text);
}

/* ---- random ---- */

#define FUZZ_BYTES 200000

static uint32_t seed = 4711;

static uint32_t randomBelow(uint32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % limit;
}

/* Offset after the suboption that begins at @p at (after IAC SB); len if it never ends. */
static size_t modelSub(const uint8_t *in, size_t len, size_t at)
{
    while (at + 1 < len)
        if (in[at] != 255)
            at++;
        else if (in[at + 1] == 240)
            return at + 2;
        else
            at += 2;
    return len;
}

/* What of the whole stream is data: first telnet is taken out, then line ends are mended. */
static size_t modelData(const uint8_t *in, size_t len, uint8_t *out)
{
    size_t n = 0, kept = 0;
    uint8_t previous = 0;

    for (size_t at = 0; at < len;) {
        if (in[at] != 255) {
            out[n++] = in[at++];
        } else if (at + 1 == len) {
            break;
        } else if (in[at + 1] == 255) {
            out[n++] = 255;
            at += 2;
        } else if (in[at + 1] == 250) {
            at = modelSub(in, len, at + 2);
        } else {
            at += in[at + 1] >= 251 ? 3 : 2;
        }
    }
    for (size_t i = 0; i < n; i++) {
        bool drop = out[i] == 0 || (out[i] == '\n' && previous == '\r');

        previous = out[i];
        if (!drop)
            out[kept++] = out[i];
    }
    return kept;
}

typedef struct fuzz {
    uint8_t data[FUZZ_BYTES];
    size_t dataLen;
    size_t replyLen;
    bool badReply;
} fuzz;

static void fuzzData(void *ctx, const uint8_t *bytes, size_t len)
{
    fuzz *self = ctx;

    if (len > sizeof(self->data) - self->dataLen)
        len = sizeof(self->data) - self->dataLen;
    memcpy(self->data + self->dataLen, bytes, len);
    self->dataLen += len;
}

static void fuzzReply(void *ctx, const uint8_t *bytes, size_t len)
{
    fuzz *self = ctx;

    self->replyLen += len;
    self->badReply |= len != 3 || bytes[0] != 255 || bytes[1] < 251 || bytes[1] == 255;
}

static void fuzzSize(void *ctx, unsigned cols, unsigned rows)
{
    fuzz *self = ctx;

    self->badReply |= cols == 0 || rows == 0 || cols > 65535 || rows > 65535;
}

/* Mostly what makes telnet: a uniform stream would hardly hold a suboption. */
static uint8_t randomByte(void)
{
    static const uint8_t common[] = {255, 255, 255, 240, 240, 250, 251, 252,  253, 254, 0,
                                     10,  13,  13,  1,   31,  34,  6,   0x18, 'a', 'b'};

    return randomBelow(8) == 0 ? (uint8_t)randomBelow(256) : common[randomBelow(sizeof(common))];
}

static void runFuzz(fuzz *self, const uint8_t *in, size_t len)
{
    psTelnet telnet;
    psTelnetSink sink = {fuzzData, fuzzReply, fuzzSize, self};

    *self = (fuzz){.dataLen = 0};
    psTelnetInit(&telnet);
    for (size_t at = 0; at < len;) {
        size_t part = 1 + randomBelow(50);

        if (part > len - at)
            part = len - at;
        psTelnetReceive(&telnet, in + at, part, &sink);
        at += part;
    }
}

static void randomStream_AgreesWithModel(void)
{
    static uint8_t in[FUZZ_BYTES], expected[FUZZ_BYTES];
    static fuzz got;

    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = randomByte();
    size_t expectedLen = modelData(in, sizeof(in), expected);
    runFuzz(&got, in, sizeof(in));
    bool same = got.dataLen == expectedLen && memcmp(got.data, expected, expectedLen) == 0;
    testOk(same, "%u bytes of data, the model has %u", (unsigned)got.dataLen,
           (unsigned)expectedLen);
    testOk(expectedLen > sizeof(in) / 20, "enough of it is data");
    testOk(!got.badReply && got.replyLen <= sizeof(in) + 9,
           "answers are well-formed and no longer than the requests");
}

/* The property itself, without a model: ^X occurs in suboptions only. */
static void randomSuboptions_AreNeverData(void)
{
    static uint8_t in[FUZZ_BYTES];
    static fuzz got;
    size_t n = 0;

    while (n + 200 < sizeof(in)) {
        uint32_t body = randomBelow(100);

        in[n++] = 'a';
        in[n++] = 255;
        in[n++] = 250;
        for (uint32_t i = 0; i < body; i++) {
            uint8_t byte = randomBelow(3) ? 0x18 : randomByte();

            in[n++] = byte;
            if (byte == 255)
                in[n++] = randomBelow(2) ? 255 : 0x18;
        }
        in[n++] = 255;
        in[n++] = 240;
    }
    runFuzz(&got, in, n);
    testOk(got.dataLen > 0 && memchr(got.data, 0x18, got.dataLen) == NULL,
           "no byte between IAC SB and IAC SE is data");
    testOk(memchr(got.data, 'b', got.dataLen) == NULL, "of no kind");
}

MAIN(psTelnetTest)
{
    testPlan((int)NELEMENTS(golden) + 7);
    golden_CutAtEveryPosition_GivesTheSame();
    oversizeSuboption_WithHiddenKey_IsNoData();
    randomStream_AgreesWithModel();
    randomSuboptions_AreNeverData();
    return testDone();
}
