/* SPDX-License-Identifier: EPICS */
/* psClient against a socket pair: the test is the peer and the owner. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <netinet/in.h>
#include <termios.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psClient.h"
#include "psTestUtil.h"

#define DEADLINE_SEC 20.0

/* One client with its owner's view of it. */
typedef struct fixture {
    psLoop *loop;
    psRing ring;
    psClient *client;
    int peer;     /* our end; -1: closed */
    bool eof;     /* the client's end is closed */
    psText got;   /* what the peer read */
    psText typed; /* what ops->input brought */
    int closed, progress, sizes;
    unsigned cols, rows;
    bool closeOnInput;
    size_t want;  /* bytes typed that isTyped waits for */
    bool answers; /* what it types is answered */
    size_t room;  /* ops->room() answers this */
    const char *protocol;
    int left;
    psClock clock;
    double ahead; /* of the machine's clock, s */
} fixture;

/* Stands in front of libc's: the kernel takes as few bytes as it may, where a test asks for it. */
static bool shortSends;

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
    struct iovec part[1024];
    struct msghdr cut = *msg;
    size_t most = 1 + (size_t)random() % 20, i;

    if (shortSends) {
        memcpy(part, msg->msg_iov, msg->msg_iovlen * sizeof(part[0]));
        cut.msg_iov = part;
        for (i = 0; i < msg->msg_iovlen && most > 0; i++) {
            if (part[i].iov_len > most)
                part[i].iov_len = most;
            most -= part[i].iov_len;
        }
        cut.msg_iovlen = i;
    }
    return syscall(SYS_sendmsg, fd, &cut, flags);
}

static void onInput(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    fixture *f = ctx;

    psTextAppend(&f->typed, bytes, len);
    client->answered = f->answers;
    if (f->closeOnInput)
        psClientClose(client, false);
}

static void onSize(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    fixture *f = ctx;

    (void)client;
    f->sizes++;
    f->cols = cols;
    f->rows = rows;
}

static void onClosed(void *ctx, psClient *client)
{
    (void)client;
    ((fixture *)ctx)->closed++;
}

static void onProgress(void *ctx, psClient *client)
{
    (void)client;
    ((fixture *)ctx)->progress++;
}

static size_t onRoom(void *ctx, psClient *client)
{
    (void)client;
    return ((fixture *)ctx)->room;
}

static void onForeign(void *ctx, psClient *client, const char *protocol)
{
    (void)client;
    ((fixture *)ctx)->protocol = protocol;
}

static void onLeft(void *ctx, psClient *client)
{
    (void)client;
    ((fixture *)ctx)->left++;
}

static const psClientOps ops = {
    .room = onRoom,
    .input = onInput,
    .size = onSize,
    .foreign = onForeign,
    .left = onLeft,
    .closed = onClosed,
    .progress = onProgress,
};

static double aheadMono(void *ctx)
{
    return psClockMono(psClockSystem()) + ((fixture *)ctx)->ahead;
}

static void wall(void *ctx, epicsTimeStamp *out)
{
    (void)ctx;
    psClockWall(psClockSystem(), out);
}

static void setUpFd(fixture *f, int fd, int peer, psClientKind kind, bool readOnly, size_t ringSize)
{
    memset(f, 0, sizeof(*f));
    f->room = SIZE_MAX;
    f->clock = (psClock){.mono = aheadMono, .wall = wall, .ctx = f};
    f->loop = psLoopCreate(&f->clock);
    if (!f->loop || psRingInit(&f->ring, ringSize, ringSize) < 0)
        testAbort("no loop or ring");
    psLoopRound(f->loop, 0.0); /* makes this the loop thread */
    fcntl(peer, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    f->peer = peer;
    f->client = psClientCreate(f->loop, fd, kind, readOnly, "peer", &f->ring, &ops, f);
    if (!f->client)
        testAbort("no client");
}

static void setUp(fixture *f, bool readOnly, size_t ringSize)
{
    int pair[2], small = 4096;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        testAbort("socketpair: %s", strerror(errno));
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    setUpFd(f, pair[0], pair[1], psClientSocket, readOnly, ringSize);
}

static void tearDown(fixture *f)
{
    psClientFree(f->client);
    if (f->peer >= 0)
        close(f->peer);
    psLoopFree(f->loop);
    psRingClear(&f->ring);
    psTextClear(&f->got);
    psTextClear(&f->typed);
}

/* The peer reads up to @p max bytes, if there are any. */
static void slurp(fixture *f, size_t max)
{
    char buf[8192];
    ssize_t len = read(f->peer, buf, max < sizeof(buf) ? max : sizeof(buf));

    if (len > 0)
        psTextAppend(&f->got, buf, (size_t)len);
    else if (len == 0 || errno != EAGAIN)
        f->eof = true;
}

/* Rounds, with the peer reading, until @p cond of f holds. */
static bool waitFor(fixture *f, bool (*cond)(fixture *f), const char *what)
{
    double end = psClockMono(psClockSystem()) + DEADLINE_SEC;

    while (!cond(f)) {
        if (psClockMono(psClockSystem()) > end) {
            testDiag("waited %g s for: %s", DEADLINE_SEC, what);
            return false;
        }
        psLoopRound(f->loop, 0.001);
        if (f->peer >= 0)
            slurp(f, SIZE_MAX);
    }
    return true;
}

static bool isDrained(fixture *f)
{
    return psClientDrained(f->client);
}

static bool hasLeft(fixture *f)
{
    return f->left > 0;
}

static bool isClosed(fixture *f)
{
    return f->closed > 0;
}

static bool isEof(fixture *f)
{
    return f->eof;
}

static bool isTyped(fixture *f)
{
    return f->typed.len >= f->want;
}

static void waitTyped(fixture *f, size_t want)
{
    f->want = want;
    waitFor(f, isTyped, "typed bytes");
}

static void slurpAll(fixture *f)
{
    size_t before;

    do {
        before = f->got.len;
        slurp(f, SIZE_MAX);
    } while (f->got.len > before && !f->eof);
}

/* The peer sends; it never blocks. */
static size_t type(fixture *f, const void *bytes, size_t len)
{
    ssize_t sent = send(f->peer, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    return sent < 0 ? 0 : (size_t)sent;
}

static void say(fixture *f, const void *bytes, size_t len)
{
    psRingWrite(&f->ring, bytes, len);
    if (f->client->fd >= 0)
        psClientPump(f->client, psClockMono(psClockSystem()));
}

static bool equals(const psText *text, const void *bytes, size_t len)
{
    return text->len == len && (len == 0 || memcmp(text->data, bytes, len) == 0);
}

/* ---- tests ---- */

static void create_StartsAtRingsHead_SendsPrivateBytesFirst(void)
{
    fixture f;
    const char expect[] = "banner\r\n" PS_TELNET_GREETING "new\r\n";

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    testOk(psClientDrained(f.client), "a new client has nothing to send");
    testOk(strcmp(f.client->peer, "peer") == 0, "peer is kept");
    psClientSend(f.client, "banner\r\n", 8);
    psClientGreet(f.client);
    testOk(!psClientDrained(f.client), "private bytes are to be sent");
    psRingWrite(&f.ring, "new\r\n", 5);
    testOk(waitFor(&f, isDrained, "everything sent"), "sent without a further call");
    slurpAll(&f);
    testOk(equals(&f.got, expect, sizeof(expect) - 1), "private bytes, then the ring's");
    testOk(f.client->watch.events == EPOLLIN, "no interest in EPOLLOUT when all is sent");
    testOk(f.progress == 1, "progress reported once (%d)", f.progress);
    tearDown(&f);
}

static void free_ClosesTheDescriptor(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    psClientSend(f.client, "queued", 6);
    psClientFree(f.client);
    psLoopRound(f.loop, 0.0);
    slurp(&f, 1);
    testOk(f.eof, "the peer sees the end, the queued job is taken back");
    f.client = NULL;
    tearDown(&f);
}

static void create_OnUnwatchableFd_ClosesItAndFails(void)
{
    fixture f;
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    psClient *client = psClientCreate(f.loop, file, psClientSocket, false, "x", &f.ring, &ops, &f);
    testOk(client == NULL, "refused");
    testOk(fcntl(file, F_GETFD) < 0 && errno == EBADF, "the descriptor is closed");
    tearDown(&f);
}

/* Undo the doubling; counts IAC NOP, which the test puts into the private bytes. */
static bool decode(const psText *in, psText *out, int *nops)
{
    *nops = 0;
    for (size_t i = 0; i < in->len; i++) {
        uint8_t c = (uint8_t)in->data[i];

        if (c != 0xff) {
            psTextAppend(out, &in->data[i], 1);
            continue;
        }
        if (++i == in->len)
            return false;
        c = (uint8_t)in->data[i];
        if (c == 0xff)
            psTextAppend(out, &in->data[i], 1);
        else if (c == 0xf1)
            ++*nops;
        else
            return false;
    }
    return true;
}

/* Bytes with many 0xff, through a small socket buffer and a peer that reads in odd sizes, with
 * private bytes queued at any moment: no 0xff without its twin, nothing torn or lost. */
static void pump_WithRandomPartialSends_DoublesEveryIac(unsigned seed, int oneIn)
{
    fixture f;
    psText sent = PS_TEXT_INIT, plain = PS_TEXT_INIT;
    int nops = 0, nopsGot = 0, i, owed = 0;

    testDiag("%s seed %u", __func__, seed);
    srandom(seed);
    shortSends = true;
    setUp(&f, false, 8192);
    for (i = 0; i < 6000; i++) {
        size_t room = psRingReaderRoom(&f.client->sender.reader, &f.ring);
        char bytes[60];
        size_t len = (size_t)random() % sizeof(bytes), n;

        if (len > room)
            len = room;
        for (n = 0; n < len; n++)
            bytes[n] = random() % oneIn == 0 ? (char)0xff : (char)(random() % 255);
        psTextAppend(&sent, bytes, len);
        say(&f, bytes, len);
        owed += f.client->sender.iacOwed;
        if (random() % 5 == 0) {
            psClientSend(f.client, "\xff\xf1", 2);
            nops++;
        }
        slurp(&f, 1 + (size_t)random() % 1500);
        if (random() % 3 == 0)
            psLoopRound(f.loop, 0.0);
    }
    testOk(waitFor(&f, isDrained, "everything sent"), "everything is sent");
    slurpAll(&f);
    bool good = decode(&f.got, &plain, &nopsGot);
    testOk(good, "each 0xff is doubled or begins the test's own command");
    testOk(nopsGot == nops, "private bytes complete: %d of %d", nopsGot, nops);
    testOk(equals(&plain, sent.data, sent.len), "%lu ring bytes arrive, %lu were written",
           (unsigned long)plain.len, (unsigned long)sent.len);
    testOk(f.client->sender.reader.lost == 0, "nothing lost");
    testOk(owed > 0, "a second IAC was owed %d times", owed);
    shortSends = false;
    psTextClear(&sent);
    psTextClear(&plain);
    tearDown(&f);
}

static void pump_WhenIacIsOwed_SendsItBeforePrivateBytes(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    f.client->sender.iacOwed = true; /* as if the kernel had taken one byte of a pair */
    psClientSend(f.client, "note", 4);
    testOk(!psClientDrained(f.client), "an owed IAC is something to send");
    say(&f, "x", 1);
    slurpAll(&f);
    testOk(equals(&f.got, "\xffnotex", 6), "IAC, private bytes, ring");
    tearDown(&f);
}

static void pump_WhenPeerStopsReading_WaitsForEpollout(void)
{
    fixture f;
    static char block[65536];
    int rounds = 0;

    testDiag("%s", __func__);
    memset(block, 'b', sizeof(block));
    setUp(&f, false, sizeof(block));
    say(&f, block, sizeof(block));
    testOk(f.client->sender.blocked && f.client->watch.events == (EPOLLIN | EPOLLOUT),
           "blocked, with interest in EPOLLOUT");
    while (rounds < 20) {
        psLoopRound(f.loop, 0.0);
        rounds++;
    }
    testOk(f.client->sender.blocked, "still blocked after some rounds: EPOLLOUT is not reported");
    testOk(waitFor(&f, isDrained, "everything sent"), "goes on when the peer reads");
    testOk(!f.client->sender.blocked && f.client->watch.events == EPOLLIN, "interest taken back");
    slurpAll(&f);
    testOk(equals(&f.got, block, sizeof(block)), "all of it arrived");
    testOk(f.progress > 1, "progress was reported (%d)", f.progress);
    tearDown(&f);
}

/* Lines numbered 0, 1, 2...; returns the length written. */
static size_t sayLines(fixture *f, int from, int to)
{
    size_t total = 0;
    char line[64];

    for (int i = from; i < to; i++) {
        int len = snprintf(line, sizeof(line), "line %06d 0123456789\r\n", i);

        say(f, line, (size_t)len);
        total += (size_t)len;
    }
    return total;
}

/* Sum of what the notices report; checks that each is a line of its own and that a whole line
 * follows. */
static unsigned long long sumOfLost(const char *text, int *notices, bool *clean)
{
    unsigned long long sum = 0;
    const char *at = text;

    *notices = 0;
    *clean = true;
    while ((at = strstr(at, "@@@ ")) != NULL) {
        char *end;

        sum += strtoull(at + 4, &end, 10);
        ++*notices;
        if (strncmp(end, " bytes lost\r\n", 13) != 0 || at < text + 2 || at[-1] != '\n' ||
            strncmp(end + 13, "line ", 5) != 0)
            *clean = false;
        at = end;
    }
    return sum;
}

static void pump_WhenOverrun_TellsHowMuchAndResumesAtALine(void)
{
    fixture f;
    int notices;
    bool clean, drained;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    size_t total = sayLines(&f, 0, 20000);
    drained = waitFor(&f, isDrained, "everything sent");
    testOk(drained, "everything held is sent");
    slurpAll(&f);
    unsigned long long lost = sumOfLost(f.got.data, &notices, &clean);
    testOk(notices > 0 && clean, "%d notices, each between two lines", notices);
    testOk(lost == f.client->sender.reader.lost, "%llu bytes reported, %llu lost", lost,
           (unsigned long long)f.client->sender.reader.lost);
    testOk(strstr(f.got.data, "line 019999 0123456789\r\n") != NULL, "the newest line is there");
    testOk(lost < total && lost > total / 2, "%llu of %lu", lost, (unsigned long)total);
    tearDown(&f);
}

static void pump_WhenOverrunInMidLine_BeginsNoticeOnANewLine(void)
{
    fixture f;
    static char filler[8192];

    testDiag("%s", __func__);
    memset(filler, 'f', sizeof(filler));
    memcpy(filler + sizeof(filler) - 10, "\nline end\n", 10);
    setUp(&f, false, 4096);
    say(&f, "half a li", 9);
    slurpAll(&f);
    testOk(equals(&f.got, "half a li", 9), "the half line arrived");
    psRingWrite(&f.ring, filler, sizeof(filler));
    psClientPump(f.client, psClockMono(psClockSystem()));
    testOk(waitFor(&f, isDrained, "everything sent"), "sent");
    slurpAll(&f);
    const char *notice = strstr(f.got.data, "half a li\r\n@@@ ");
    testOk(notice != NULL, "CR LF before the notice: %.40s", f.got.data);
    tearDown(&f);
}

static void send_BeyondTheBound_ClosesTheClientAtTheEndOfTheRound(void)
{
    fixture f;
    static char block[4096];
    int sends = 0;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    while (f.client->fd >= 0 && sends < 100) {
        psClientSend(f.client, block, sizeof(block));
        sends++;
    }
    testOk(sends == PS_SENDER_PRIVATE_BYTES / 4096 + 1, "refused after %d bytes", sends * 4096);
    testOk(f.closed == 0, "closed is not called from within psClientSend()");
    psClientSend(f.client, "x", 1);
    psClientPump(f.client, 0.0);
    testOk(waitFor(&f, isClosed, "ops->closed"), "but at the end of the round");
    psLoopRound(f.loop, 0.0);
    testOk(f.closed == 1, "once");
    tearDown(&f);
}

static void receive_OptionFloodOfANonReader_IsBounded(void)
{
    fixture f;
    char flood[3 * 1000];
    size_t i, most = 0, typed = 0;

    testDiag("%s", __func__);
    for (i = 0; i < sizeof(flood); i += 3) {
        memcpy(flood + i, "\xff\xfd\x37", 3); /* DO 55, to be refused each time, if at all */
        flood[i + 2] = (char)(40 + i / 3 % 200);
    }
    setUp(&f, false, 4096);
    for (i = 0; i < 2000 && f.closed == 0; i++) {
        typed += type(&f, flood, sizeof(flood));
        psLoopRound(f.loop, 0.0);
        if (f.client->sender.out.len - f.client->sender.outDone > most)
            most = f.client->sender.out.len - f.client->sender.outDone;
    }
    testDiag("%lu bytes typed, at most %lu queued", (unsigned long)typed, (unsigned long)most);
    testOk(most <= PS_SENDER_PRIVATE_BYTES, "never more than the bound is queued");
    testOk(f.closed == 1 || typed > 1000000, "closed, or all of it was read and not answered");
    tearDown(&f);
}

static void receive_Telnet_IsParsed(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    type(&f, "\r", 1);
    waitTyped(&f, 1); /* it is text: what follows may hold any byte */
    type(&f,
         "\xff\xff"
         "b\xff\xfa\x1f\0\x50\0\x18\xff\xf0"
         "c",
         13);
    waitTyped(&f, 4);
    testOk(equals(&f.typed,
                  "\r\xff"
                  "bc",
                  4),
           "data without telnet");
    testOk(f.client->typedMono > 0, "time of typing noted");
    tearDown(&f);
}

static void receive_WindowSize_IsTold(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    /* The first IAC makes us ask; then the peer agrees and reports. */
    type(&f, "\xff\xfd\x01\xff\xfb\x1f", 6);
    psLoopRound(f.loop, 1.0);
    type(&f, "\xff\xfa\x1f\0\x64\0\x28\xff\xf0.", 10);
    waitTyped(&f, 1);
    testOk(f.sizes == 1 && f.cols == 100 && f.rows == 40, "%ux%u reported %d times", f.cols, f.rows,
           f.sizes);
    testOk(f.client->cols == 100 && f.client->rows == 40, "and kept");
    tearDown(&f);
}

static void receive_InputBeforeEof_IsDeliveredFirst(void)
{
    fixture f;
    static char input[50000];

    testDiag("%s", __func__);
    memset(input, 'i', sizeof(input));
    setUp(&f, false, 4096);
    f.answers = true;
    size_t sent = type(&f, input, sizeof(input));
    shutdown(f.peer, SHUT_WR); /* half closed, as by nc -N */
    testOk(waitFor(&f, hasLeft, "ops->left"), "a half-closed client has left");
    testOk(equals(&f.typed, input, sent), "%lu of %lu bytes delivered before",
           (unsigned long)f.typed.len, (unsigned long)sent);
    say(&f, "the answer", 10);
    slurpAll(&f);
    testOk(f.closed == 0 && equals(&f.got, "the answer", 10), "it gets the answer");
    f.ahead = PS_CLIENT_LINGER_SEC - 1;
    psLoopRound(f.loop, 0);
    testOk(f.closed == 0, "for 5 s");
    f.ahead = PS_CLIENT_LINGER_SEC + 1;
    testOk(waitFor(&f, isClosed, "ops->closed"), "then it is closed");
    testOk(waitFor(&f, isEof, "end of file"), "the peer sees the end");
    testOk(f.left == 1 && f.closed == 1, "each reported once");
    tearDown(&f);
}

static void receive_EofOfWhoGetsNoAnswer_EndsAtOnce(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    psClientSend(f.client, "banner", 6);
    type(&f, "\x18", 1); /* a key only */
    shutdown(f.peer, SHUT_WR);
    testOk(waitFor(&f, isClosed, "ops->closed"), "closed, without waiting");
    slurpAll(&f);
    testOk(equals(&f.got, "banner", 6), "after what was there to be sent");
    tearDown(&f);
}

/* A script that sends a key and closes at once: nothing can be sent to it, but the key is there. */
static void receive_WhenNothingCanBeSent_StillReads(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    type(&f, "\x18", 1);
    close(f.peer);
    f.peer = -1;
    psClientSend(f.client, "banner", 6);
    psClientPump(f.client, psLoopNow(f.loop));
    testOk(waitFor(&f, isClosed, "ops->closed"), "closed");
    testOk(equals(&f.typed, "\x18", 1), "and what it typed was delivered before");
    tearDown(&f);
}

static void room_None_HoldsTheTypist(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    f.room = 3;
    type(&f, "abcdef", 6);
    psLoopRound(f.loop, 1.0);
    testOk(equals(&f.typed, "abc", 3), "no more is read than there is room for");
    f.room = 0;
    psLoopRound(f.loop, 0);
    testOk(f.client->held && f.client->watch.events == 0,
           "then nothing, and no event is asked for");
    close(f.peer);
    f.peer = -1;
    psLoopRound(f.loop, 0);
    testOk(f.closed == 0, "not even when the peer closes");
    f.room = SIZE_MAX;
    psClientResume(f.client);
    testOk(waitFor(&f, isClosed, "ops->closed") && equals(&f.typed, "abcdef", 6),
           "resumed: what it had typed before is delivered first");
    tearDown(&f);
}

static void receive_ForeignProtocol_IsNoInput(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    type(&f, "GET / HTTP/1.1\r\n\x18", 17);
    testOk(waitFor(&f, isClosed, "ops->closed"), "closed");
    testOk(f.protocol && strcmp(f.protocol, "HTTP") == 0 && f.typed.len == 0,
           "reported as %s, nothing of it delivered", f.protocol);
    tearDown(&f);
}

/* As setUp(), over TCP. */
static void setUpTcp(fixture *f)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(addr);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = -1;

    if (bind(server, (struct sockaddr *)&addr, len) < 0 || listen(server, 1) < 0 ||
        getsockname(server, (struct sockaddr *)&addr, &len) < 0 ||
        connect(peer, (struct sockaddr *)&addr, len) < 0 || (fd = accept(server, NULL, NULL)) < 0)
        testAbort("tcp pair: %s", strerror(errno));
    close(server);
    setUpFd(f, fd, peer, psClientSocket, false, 4096);
}

static void receive_Synch_TypesNothing(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUpTcp(&f);
    type(&f, "ab", 2);
    send(f.peer, "\xff\xf2", 2, MSG_OOB); /* IAC, and DM as urgent data */
    type(&f, "cd", 2);
    waitTyped(&f, 4);
    testOk(equals(&f.typed, "abcd", 4), "nothing but what was typed");
    tearDown(&f);
}

static void receive_OfALogClient_IsDropped(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, true, 4096);
    type(&f, "\x18typed\xff\xfd\x03", 9);
    shutdown(f.peer, SHUT_WR);
    testOk(waitFor(&f, isClosed, "ops->closed"), "closed at EOF");
    testOk(f.typed.len == 0 && f.got.len == 0, "nothing delivered, nothing answered");
    tearDown(&f);
}

static void receive_WhenOwnerClosesInIt_DeliversNoMore(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    f.closeOnInput = true;
    type(&f,
         "one\xff\xf1"
         "two",
         8);
    testOk(waitFor(&f, isClosed, "ops->closed"), "closed from within input");
    psLoopRound(f.loop, 0.0);
    testOk(f.closed == 1 && f.typed.len == 3, "reported once, nothing after it");
    tearDown(&f);
}

static void close_AfterSending_SendsWhatThereWas(void)
{
    fixture f;
    static char block[32768];

    testDiag("%s", __func__);
    memset(block, 'c', sizeof(block));
    setUp(&f, false, 65536);
    say(&f, block, sizeof(block));
    psClientSend(f.client, "bye", 3);
    psClientClose(f.client, true);
    testOk(f.closed == 0, "not closed yet");
    say(&f, "later", 5);
    psClientSend(f.client, "later", 5);
    type(&f, "typed", 5);
    testOk(waitFor(&f, isEof, "end of file"), "closed in the end");
    testOk(f.closed == 1 && f.typed.len == 0, "reported once, and what it typed is dropped");
    testOk(f.got.len == sizeof(block) + 3 && memchr(f.got.data, 'l', f.got.len) == NULL,
           "all up to the close arrived, %lu bytes, nothing later", (unsigned long)f.got.len);
    tearDown(&f);

    setUp(&f, false, 4096);
    psClientClose(f.client, true);
    testOk(f.closed == 1, "with nothing to send it is closed at once");
    psClientClose(f.client, false);
    testOk(f.closed == 1, "a second close does nothing");
    tearDown(&f);
}

static void close_AtOnce_TellsBeforeItReturns(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUp(&f, false, 4096);
    psClientSend(f.client, "x", 1);
    psClientClose(f.client, false);
    testOk(f.closed == 1 && f.client->fd == -1, "closed");
    psLoopRound(f.loop, 0.0);
    testOk(f.closed == 1, "the job of the pending send does nothing");
    tearDown(&f);
}

/* The last words must not be lost to a reset because the peer had typed something unread. */
static void close_WithUnreadInput_StillDeliversTheLastWords(void)
{
    fixture f;

    testDiag("%s", __func__);
    setUpTcp(&f);
    type(&f, "unread", 6);
    psClientSend(f.client, "last words", 10);
    psClientPump(f.client, 1.0);
    psClientClose(f.client, true);
    testOk(waitFor(&f, isEof, "end of file"), "closed");
    testOk(equals(&f.got, "last words", 10), "arrived");
    tearDown(&f);
}

static void peerGone_WhilePumping_IsToldOnceWithoutSigpipe(void)
{
    fixture f;
    static char block[4096];

    testDiag("%s", __func__);
    signal(SIGPIPE, SIG_DFL);
    setUp(&f, false, 4096);
    close(f.peer);
    f.peer = -1;
    say(&f, block, sizeof(block));
    testOk(f.closed == 0, "closed is not called from within psClientPump()");
    testOk(waitFor(&f, isClosed, "ops->closed"), "but later");
    psLoopRound(f.loop, 0.0);
    testOk(f.closed == 1, "once");
    testOk(f.client->fd == -1, "descriptor closed");
    tearDown(&f);
}

static void terminal_SendsAndReceivesRawBytes(void)
{
    fixture f;
    struct termios raw;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    int slave = -1;

    testDiag("%s", __func__);
    if (master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0)
        slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || tcgetattr(slave, &raw) < 0)
        testAbort("no pty: %s", strerror(errno));
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    setUpFd(&f, slave, master, psClientTerminal, false, 4096);
    say(&f,
        "a\xff"
        "b",
        3);
    if (write(master, "k\xff\xfd\x01", 4) != 4)
        testAbort("write: %s", strerror(errno));
    waitTyped(&f, 4);
    testOk(equals(&f.typed, "k\xff\xfd\x01", 4), "what is typed is not parsed");
    slurpAll(&f);
    testOk(equals(&f.got,
                  "a\xff"
                  "b",
                  3),
           "0xff as it is, no answer");
    close(f.peer);
    f.peer = -1;
    testOk(waitFor(&f, isClosed, "ops->closed"), "closed when the terminal goes away");
    tearDown(&f);
}

MAIN(psClientTest)
{
    (void)argc;
    (void)argv;
    testPlan(94);
    int before = psTestDescriptors();
    create_StartsAtRingsHead_SendsPrivateBytesFirst();
    free_ClosesTheDescriptor();
    create_OnUnwatchableFd_ClosesItAndFails();
    pump_WithRandomPartialSends_DoublesEveryIac(1, 3);
    pump_WithRandomPartialSends_DoublesEveryIac(2, 50);
    pump_WithRandomPartialSends_DoublesEveryIac(3, 1);
    pump_WhenIacIsOwed_SendsItBeforePrivateBytes();
    pump_WhenPeerStopsReading_WaitsForEpollout();
    pump_WhenOverrun_TellsHowMuchAndResumesAtALine();
    pump_WhenOverrunInMidLine_BeginsNoticeOnANewLine();
    send_BeyondTheBound_ClosesTheClientAtTheEndOfTheRound();
    receive_OptionFloodOfANonReader_IsBounded();
    receive_Telnet_IsParsed();
    receive_WindowSize_IsTold();
    receive_InputBeforeEof_IsDeliveredFirst();
    receive_EofOfWhoGetsNoAnswer_EndsAtOnce();
    receive_WhenNothingCanBeSent_StillReads();
    room_None_HoldsTheTypist();
    receive_ForeignProtocol_IsNoInput();
    receive_Synch_TypesNothing();
    receive_OfALogClient_IsDropped();
    receive_WhenOwnerClosesInIt_DeliversNoMore();
    close_AfterSending_SendsWhatThereWas();
    close_AtOnce_TellsBeforeItReturns();
    close_WithUnreadInput_StillDeliversTheLastWords();
    peerGone_WhilePumping_IsToldOnceWithoutSigpipe();
    terminal_SendsAndReceivesRawBytes();
    testOk(psTestDescriptors() == before, "no descriptor is left open");
    return testDone();
}
