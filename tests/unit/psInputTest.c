/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psInput.h"

/* A pair that takes little, in place of a terminal nobody reads. */
static void openPair(int fds[2])
{
    int size = 4096;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        testAbort("socketpair: %s", strerror(errno));
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void closePair(int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

/* All that is there now. */
static size_t take(int fd, char *out, size_t size)
{
    size_t len = 0;
    ssize_t n;

    while (len < size && (n = read(fd, out + len, size - len)) > 0)
        len += (size_t)n;
    return len;
}

static void write_WhatIsTyped_ArrivesAndFreesTheBuffer(void)
{
    psInput input = PS_INPUT_INIT;
    char got[32];
    int fds[2];
    size_t taken, len;

    openPair(fds);
    taken = psInputPut(&input, "dbl\r", 4, 0.0);
    taken += psInputPut(&input, "exit\n", 5, 0.0);
    bool all = psInputWrite(&input, fds[0], 0.0);
    len = take(fds[1], got, sizeof(got));
    testOk(taken == 9 && all && len == 9 && memcmp(got, "dbl\rexit\n", 9) == 0,
           "what is typed arrives, in order");
    testOk(input.data == NULL && input.len == 0, "no memory is held while nothing waits");
    testOk(psInputWrite(&input, fds[0], 0.0), "writing nothing is fine");
    psInputClear(&input);
    closePair(fds);
}

/* A reader that takes what is there whenever the queue is full: nothing may be lost or
 * disordered, although the buffer wraps many times. */
static void write_SlowReader_GetsEveryByteInOrder(void)
{
    enum { total = 3000000 };
    psInput input = PS_INPUT_INIT;
    char *sent = malloc(total);
    char *got = malloc(total);
    size_t put = 0, len = 0;
    int rounds = 0;
    int fds[2];

    if (!sent || !got)
        testAbort("out of memory");
    for (size_t i = 0; i < total; i++)
        sent[i] = (char)(i % 251);
    openPair(fds);
    while (len < total && ++rounds < 100000) {
        size_t piece = total - put < 70000 ? total - put : 70000;

        put += psInputPut(&input, sent + put, piece, 0.0);
        psInputWrite(&input, fds[0], 0.0);
        if (input.len + 70000 > PS_INPUT_BYTES || put == total)
            len += take(fds[1], got + len, total - len < 30001 ? total - len : 30001);
    }
    testOk(len == total && memcmp(sent, got, total) == 0, "%u of %u bytes, all in order",
           (unsigned)len, (unsigned)total);
    testOk(psInputWrite(&input, fds[0], 0.0) && input.data == NULL, "then nothing is left");
    psInputClear(&input);
    closePair(fds);
    free(sent);
    free(got);
}

static void put_WhenFull_TakesWhatFits(void)
{
    psInput input = PS_INPUT_INIT;
    static char many[PS_INPUT_BYTES];
    size_t first, second, third;

    memset(many, 'x', sizeof(many));
    first = psInputPut(&input, many, sizeof(many) - 10, 0.0);
    second = psInputPut(&input, many, 100, 0.0);
    third = psInputPut(&input, many, 1, 0.0);
    testOk(first == PS_INPUT_BYTES - 10 && second == 10 && third == 0,
           "a full queue takes what fits, then nothing");
    psInputClear(&input);
    psInputClear(&input);
    testOk(input.data == NULL && input.len == 0 && input.lineLen == 0, "cleared, twice");
}

static void put_TakesAsMuchMemoryAsItNeeds(void)
{
    psInput input = PS_INPUT_INIT;
    static char many[100000];

    psInputPut(&input, "x", 1, 0.0);
    size_t small = input.size;
    psInputPut(&input, many, sizeof(many), 0.0);
    testOk(small <= 4096 && input.size > sizeof(many) && input.size < PS_INPUT_BYTES,
           "%u bytes for one, %u for 100001", (unsigned)small, (unsigned)input.size);
    testOk(psInputRoom(&input) == PS_INPUT_BYTES - 100001, "and room for the rest");
    psInputClear(&input);
}

/* What counts is how long the child has not read, not how much waits. */
static void stalled_WhenNothingWasWrittenFor5s(void)
{
    psInput input = PS_INPUT_INIT;
    static char many[200000];
    int fds[2];

    openPair(fds);
    testOk(!psInputStalled(&input, 1e6), "nothing waits: not stalled");
    psInputPut(&input, many, sizeof(many), 100.0);
    psInputWrite(&input, fds[0], 103.0);
    testOk(!psInputStalled(&input, 107.9) && psInputStalled(&input, 108.1),
           "stalled 5 s after the last byte was written");
    char sink[5000];
    take(fds[1], sink, sizeof(sink));
    psInputWrite(&input, fds[0], 109.0);
    testOk(!psInputStalled(&input, 110.0), "and not any more once some more could be written");
    psInputClear(&input);
    closePair(fds);
}

static void put_Lines_AreMeasured(void)
{
    psInput input = PS_INPUT_INIT;
    static char line[PS_CANONICAL_BYTES + 1];
    size_t before, after;

    memset(line, 'x', sizeof(line));
    psInputPut(&input, line, sizeof(line), 0.0);
    before = input.lineLen;
    input.tooLongReported = true;
    psInputPut(&input, "\rab", 3, 0.0);
    after = input.lineLen;
    testOk(before > PS_CANONICAL_BYTES && after == 2 && !input.tooLongReported,
           "a line end begins a new line, which may be reported anew");
    psInputClear(&input);
}

static void putFirst_GoesBeforeWhatWaits(void)
{
    psInput input = PS_INPUT_INIT;
    char got[64];
    int fds[2];

    openPair(fds);
    psInputPut(&input, "half a li", 9, 0.0);
    bool taken = psInputPutFirst(&input, "\025exit\r", 6);
    psInputWrite(&input, fds[0], 0.0);
    size_t len = take(fds[1], got, sizeof(got));
    testOk(taken && len == 15 && memcmp(got, "\025exit\rhalf a li", 15) == 0,
           "the stop input overtakes typing");
    closePair(fds);
}

/* Whoever filled the queue cannot keep the stop input out. */
static void putFirst_WhenFull_DropsTheLastTyped(void)
{
    psInput input = PS_INPUT_INIT;
    static char many[PS_INPUT_BYTES];
    bool taken, tooMuch;

    memset(many, 'x', sizeof(many));
    many[0] = 'a';
    psInputPut(&input, many, sizeof(many), 0.0);
    taken = psInputPutFirst(&input, "exit\r", 5);
    testOk(taken && input.len == PS_INPUT_BYTES && input.first == 0 &&
               memcmp(input.data, "exit\rax", 7) == 0,
           "a full queue makes room");
    tooMuch = psInputPutFirst(&input, many, sizeof(many) + 1);
    testOk(!tooMuch && memcmp(input.data, "exit\r", 5) == 0, "more than fits is refused whole");
    psInputClear(&input);
}

static void write_Broken_ForgetsWhatWaits(void)
{
    psInput input = PS_INPUT_INIT;
    int fds[2];

    openPair(fds);
    close(fds[1]);
    psInputPut(&input, "x", 1, 0.0);
    bool nothingLeft = psInputWrite(&input, fds[0], 0.0); /* EPIPE */
    testOk(nothingLeft && input.data == NULL, "what is typed at a terminal that is gone is gone");
    close(fds[0]);
}

MAIN(psInputTest)
{
    signal(SIGPIPE, SIG_IGN); /* a terminal raises none */
    testPlan(17);
    write_WhatIsTyped_ArrivesAndFreesTheBuffer();
    write_SlowReader_GetsEveryByteInOrder();
    put_WhenFull_TakesWhatFits();
    put_TakesAsMuchMemoryAsItNeeds();
    stalled_WhenNothingWasWrittenFor5s();
    put_Lines_AreMeasured();
    putFirst_GoesBeforeWhatWaits();
    putFirst_WhenFull_DropsTheLastTyped();
    write_Broken_ForgetsWhatWaits();
    return testDone();
}
