/* SPDX-License-Identifier: EPICS */
/* What is taken for a foreign protocol, and what must never be. */
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psForeign.h"

static void drop(void *ctx, const uint8_t *bytes, size_t len)
{
    (void)ctx;
    (void)bytes;
    (void)len;
}

static void dropSize(void *ctx, unsigned cols, unsigned rows)
{
    (void)ctx;
    (void)cols;
    (void)rows;
}

/* A stream in chunks: what each looks like, until one is foreign. */
typedef struct stream {
    psForeign foreign;
    psTelnet telnet;
} stream;

static void streamInit(stream *self)
{
    self->foreign = (psForeign){.seen = 0};
    psTelnetInit(&self->telnet);
}

static const char *streamLook(stream *self, const char *bytes, size_t len)
{
    const psTelnetSink sink = {.data = drop, .reply = drop, .size = dropSize};
    const char *what = psForeignLook(&self->foreign, &self->telnet, bytes, len);

    psTelnetReceive(&self->telnet, bytes, len, &sink);
    return what;
}

#define CASE(name, in, what)                                                                       \
    {                                                                                              \
        name, in, sizeof(in) - 1, what                                                             \
    }
static const struct {
    const char *name;
    const char *in;
    size_t len;
    const char *what;
} cases[] = {
    CASE("TLS 1.2", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x18\x14\x11", "TLS"),
    CASE("SSL 2", "\x80\x9e\x01\x03\x01\x00\x75", "binary data"),
    CASE("HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP"),
    CASE("HTTP proxy", "CONNECT a:443 HTTP/1.0\r\n\r\n", "HTTP"),
    CASE("RTSP", "OPTIONS / RTSP/1.0\r\n\r\n", "RTSP"),
    CASE("SIP", "OPTIONS sip:nm SIP/2.0\r\n", "SIP"),
    CASE("PROXY of a load balancer", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "PROXY"),
    CASE("PROXY 2", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", "binary data"),
    CASE("SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", "SSH"),
    CASE("SMB", "\x00\x00\x00\x85\xff\x53\x4d\x42\x72", "binary data"),
    CASE("RDP", "\x03\x00\x00\x13\x0e\xe0\x00\x00", "binary data"),
    CASE("PostgreSQL", "\x00\x00\x00\x08\x04\xd2\x16\x2f", "binary data"),
    CASE("SQL Server", "\x12\x01\x00\x34\x00\x00\x00\x00", "binary data"),
    CASE("MQTT", "\x10\x10\x00\x04MQTT\x04\x02", "binary data"),
    CASE("LDAP", "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00", "binary data"),
    CASE("DNS", "\x00\x1e\x00\x06\x01\x00\x00\x01", "binary data"),
    CASE("SOCKS 5", "\x05\x02\x00\x02", "binary data"),
    CASE("an IAC that begins no command", "\xff\x18\x18", "binary data"),

    CASE("a line", "dbl\r\n", NULL),
    CASE("a kill key", "\x18", NULL),
    CASE("a toggle key and a kill key", "\x14\x18", NULL),
    CASE("every control character but NUL",
         "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18"
         "\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f",
         NULL),
    CASE("Enter from telnet", "dbl\r\0", NULL),
    CASE("UTF-8", "gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80\r", NULL),
    CASE("Latin-1", "gr\xfc\xdf\xe9\r", NULL),
    CASE("half a UTF-8 character", "\xe2\x82", NULL),
    CASE("a keep-alive of a terminal server", "\0", NULL),
    CASE("inetutils telnet",
         "\xff\xfd\x01\xff\xfb\x22\xff\xfa\x22\x03\x01\x00\x00\x03"
         "b\x03\x04\x02\x0f\xff\xf0",
         NULL),
    CASE("a window size", "\xff\xfb\x1f\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0", NULL),
    CASE("a window size 255 wide", "\xff\xfb\x1f\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0", NULL),
    CASE("PuTTY",
         "\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03",
         NULL),
    CASE("telnet's AYT, BRK, IP and synch", "\xff\xf6\xff\xf3\xff\xf4\xff\xf2", NULL),
    CASE("a web address in a second line", "dbl\rGET / HTTP/1.1\r", NULL),
    CASE("a path that looks like it", "cd /HTTP/1.1\r", NULL),
    CASE("ssh in a line", "system \"SSH-2.0\"\r", NULL),
    CASE("terminal escape sequences", "\x1b[A\x1b[1;5C\x1b]0;x\x07", NULL),
};

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void inOneChunk(void)
{
    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        stream self;

        streamInit(&self);
        const char *what = streamLook(&self, cases[i].in, cases[i].len);
        testOk(same(what, cases[i].what), "%s: %s", cases[i].name, what ? what : "text");
    }
}

/* Split anywhere text stays text.  What is foreign is found all the same, although what it is
 * called may differ, if its first packet is no shorter than any that a network makes. */
static void inTwoChunks(void)
{
    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        size_t wrong = 0;

        for (size_t cut = cases[i].what ? 4 : 1; cut < cases[i].len; cut++) {
            stream self;

            streamInit(&self);
            const char *what = streamLook(&self, cases[i].in, cut);
            if (!what)
                what = streamLook(&self, cases[i].in + cut, cases[i].len - cut);
            wrong += (what != NULL) != (cases[i].what != NULL);
        }
        testOk(wrong == 0, "%s, cut anywhere (%u wrong)", cases[i].name, (unsigned)wrong);
    }
}

/* A first line of text proves nothing: a load balancer's comes before TLS. */
static void afterALine_BinaryIsFoundToo(void)
{
    stream self;
    static char line[1024];

    streamInit(&self);
    testOk1(streamLook(&self, "dbl\r", 4) == NULL);
    testOk(streamLook(&self, "\x16\x03\x01\x18", 4) != NULL, "TLS in the second packet");
    streamInit(&self);
    memset(line, 'x', sizeof(line));
    testOk1(streamLook(&self, line, sizeof(line)) == NULL);
    testOk(streamLook(&self, "\xe9\0\x18", 3) == NULL, "after 1024 bytes, bytes of any kind");
}

/* As typed, a key at a time, with Latin-1. */
static void keyByKey_IsText(void)
{
    static const char keys[] = "\xfc\x18x\b\x7f\x03\xe9\x14\r";
    stream self;
    unsigned wrong = 0;

    streamInit(&self);
    for (size_t i = 0; i < sizeof(keys) - 1; i++)
        wrong += streamLook(&self, &keys[i], 1) != NULL;
    testOk(wrong == 0, "%u keys are taken for a protocol", wrong);
    streamInit(&self);
    testOk(streamLook(&self, "gr\xfc\xdf\b\x7f\x1b[A\r", 10) == NULL,
           "nor is a line with Backspace");
}

MAIN(psForeignTest)
{
    testPlan((int)NELEMENTS(cases) * 2 + 6);
    inOneChunk();
    inTwoChunks();
    afterALine_BinaryIsFoundToo();
    keyByKey_IsText();
    return testDone();
}
