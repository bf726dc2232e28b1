/* SPDX-License-Identifier: EPICS */
/*
 * A console with its readers, in the test's own loop under the test's own time.  A pipe stands
 * in for the pty; readers are the far ends of socket pairs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psConsole.h"

#define ROUNDS 20000 /* more than anything here needs */

typedef struct psRig {
    psClock clock;
    double now;
    psLoop *loop;
    psConfig *cfg;
    psConsole console;
    char dir[64];
    int pty[2]; /* we write [1]; the console reads [0] */
    psText typed;
    int limit;   /* admit() answers this */
    size_t room; /* room() answers this */
    int counted, resumed, ended;
    unsigned cols, rows;
} psRig;

/* One reader's far end. */
typedef struct psFar {
    psClient *client;
    int fd;
    psText got;
    bool ended;
} psFar;

static double fakeMono(void *ctx)
{
    return ((psRig *)ctx)->now;
}

static void fakeWall(void *ctx, epicsTimeStamp *out)
{
    (void)ctx;
    out->secPastEpoch = 1000000000;
    out->nsec = 0;
}

static size_t room(void *ctx, psClient *client)
{
    (void)client;
    return ((psRig *)ctx)->room;
}

static void typed(void *ctx, psClient *client, const uint8_t *bytes, size_t len)
{
    (void)client;
    psTextAppend(&((psRig *)ctx)->typed, bytes, len);
}

static void sized(void *ctx, psClient *client, unsigned cols, unsigned rows)
{
    psRig *rig = ctx;

    (void)client;
    rig->cols = cols;
    rig->rows = rows;
}

static void banner(void *ctx, psText *out, bool readOnly)
{
    (void)ctx;
    psTextPrintf(out, "%s banner\r\n", readOnly ? "logger" : "user");
}

static int admit(void *ctx)
{
    return ((psRig *)ctx)->limit;
}

static void printed(void *ctx)
{
    (void)ctx;
}

static void counted(void *ctx)
{
    ((psRig *)ctx)->counted++;
}

static void resume(void *ctx)
{
    ((psRig *)ctx)->resumed++;
}

static void ended(void *ctx)
{
    ((psRig *)ctx)->ended++;
}

static const psConsoleOps ops = {.room = room,
                                 .typed = typed,
                                 .size = sized,
                                 .banner = banner,
                                 .admit = admit,
                                 .counted = counted,
                                 .printed = printed,
                                 .logNews = printed,
                                 .resume = resume,
                                 .ended = ended};

static void set(psRig *rig, const char *option, const char *value)
{
    char msg[256];

    if (psConfigSet(rig->cfg, option, value, msg, sizeof(msg)) != 0)
        testAbort("%s: %s", option, msg);
}

static void prepare(psRig *rig)
{
    const char *const argv[] = {"child"};
    const char *tmp = getenv("TMPDIR");

    memset(rig, 0, sizeof(*rig));
    rig->now = 5000.0;
    rig->room = SIZE_MAX;
    rig->clock.mono = fakeMono;
    rig->clock.wall = fakeWall;
    rig->clock.ctx = rig;
    snprintf(rig->dir, sizeof(rig->dir), "%.40s/psTestXXXXXX", tmp ? tmp : "/tmp");
    rig->loop = psLoopCreate(&rig->clock);
    rig->cfg = psConfigCreate();
    if (!mkdtemp(rig->dir) || !rig->loop || !rig->cfg ||
        psConfigSetCommand(rig->cfg, 1, argv) != 0 || pipe2(rig->pty, O_NONBLOCK | O_CLOEXEC) != 0)
        testAbort("cannot prepare: %s", strerror(errno));
}

static void openConsole(psRig *rig)
{
    char msg[256];

    psLoopRound(rig->loop, 0); /* makes this the loop's thread */
    if (psConsoleInit(&rig->console, rig->loop, rig->cfg, &ops, rig) != 0 ||
        psConsoleOpen(&rig->console, "argv0", msg, sizeof(msg)) != 0)
        testAbort("cannot open: %s", msg);
    psConsoleStart(&rig->console);
}

static void setUp(psRig *rig)
{
    prepare(rig);
    openConsole(rig);
}

static void tearDown(psRig *rig)
{
    char path[128];

    psConsoleClear(&rig->console, 5.0);
    psConsoleClear(&rig->console, 0.0); /* idempotent */
    psLoopFree(rig->loop);
    psConfigFree(rig->cfg);
    psTextClear(&rig->typed);
    close(rig->pty[0]);
    close(rig->pty[1]);
    snprintf(path, sizeof(path), "%s/log", rig->dir);
    unlink(path);
    rmdir(rig->dir);
}

static void farOpen(psFar *far, psRig *rig, bool readOnly)
{
    int small = 4096;
    int pair[2];

    memset(far, 0, sizeof(*far));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        testAbort("socketpair: %s", strerror(errno));
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    far->fd = pair[1];
    far->client =
        psConsoleAddClient(&rig->console, pair[0], psClientSocket, readOnly, "127.0.0.1:1");
    if (!far->client)
        testAbort("no client");
}

static void farClose(psFar *far)
{
    close(far->fd);
    psTextClear(&far->got);
}

/* @return bytes taken */
static size_t farRead(psFar *far)
{
    char bytes[65536];
    ssize_t n = read(far->fd, bytes, sizeof(bytes));

    if (n == 0)
        far->ended = true;
    if (n <= 0)
        return 0;
    psTextAppend(&far->got, bytes, (size_t)n);
    return (size_t)n;
}

/* Let the loop work and the readers read until nothing moves. */
static void settle(psRig *rig, psFar *fars, size_t count)
{
    int idle = 0;

    for (int i = 0; i < ROUNDS && idle < 3; i++) {
        size_t moved = 0;

        psLoopRound(rig->loop, 0);
        for (size_t k = 0; k < count; k++)
            moved += farRead(&fars[k]);
        idle = moved ? 0 : idle + 1;
    }
}

static bool has(const psText *text, const char *part)
{
    return text->data && memmem(text->data, text->len, part, strlen(part)) != NULL;
}

/* ---- readers ---- */

static void write_ReachesEveryReader(void)
{
    psRig rig;
    psFar fars[3];
    int users, loggers;

    setUp(&rig);
    for (size_t i = 0; i < NELEMENTS(fars); i++)
        farOpen(&fars[i], &rig, i == 2);
    users = rig.console.clients.users;
    loggers = rig.console.clients.loggers;
    testOk(users == 2 && loggers == 1 && rig.counted == 3, "2 users, 1 logger, each counted");
    psConsoleWrite(&rig.console, "hello\r\n", 7);
    if (write(rig.pty[1], "from the child\r\n", 16) != 16)
        testAbort("write");
    psConsoleReadFrom(&rig.console, rig.pty[0], 65536);
    settle(&rig, fars, NELEMENTS(fars));
    testOk(has(&fars[0].got, "user banner\r\n") && has(&fars[2].got, "logger banner\r\n"),
           "each has its banner");
    testOk(has(&fars[0].got, "hello\r\nfrom the child\r\n") &&
               has(&fars[1].got, "hello\r\nfrom the child\r\n") &&
               has(&fars[2].got, "hello\r\nfrom the child\r\n"),
           "and everything printed, in order");
    close(fars[0].fd);
    settle(&rig, &fars[1], 2);
    testOk(rig.console.clients.users == 1 && rig.console.clients.loggers == 1 && rig.counted == 4,
           "one that leaves is counted off");
    for (size_t i = 1; i < NELEMENTS(fars); i++)
        close(fars[i].fd);
    for (size_t i = 0; i < NELEMENTS(fars); i++)
        psTextClear(&fars[i].got);
    tearDown(&rig);
}

static void type_OnlyUsersAreHeard(void)
{
    psRig rig;
    psFar user, logger;

    setUp(&rig);
    farOpen(&user, &rig, false);
    farOpen(&logger, &rig, true);
    if (write(logger.fd, "no", 2) != 2 || write(user.fd,
                                                "\xff\xfb\x1f"
                                                "yes"
                                                "\xff\xfa\x1f\0\x64\0\x32\xff\xf0",
                                                15) != 15)
        testAbort("write");
    rig.now += 1;
    settle(&rig, &user, 1);
    bool stampIsSet = user.client->typedMono == rig.now;
    testOk(rig.typed.len == 3 && memcmp(rig.typed.data, "yes", 3) == 0 && stampIsSet,
           "a log client is not heard");
    testOk(rig.cols == 100 && rig.rows == 50, "a window size is reported: %u x %u", rig.cols,
           rig.rows);
    farClose(&user);
    farClose(&logger);
    tearDown(&rig);
}

/* ---- who is waited for ---- */

static void printLines(psRig *rig, size_t bytes)
{
    static unsigned long number;

    for (size_t done = 0; done < bytes; done += 64) {
        char line[80];

        snprintf(line, sizeof(line), "%010lu %051d\r\n", number++, 0);
        psConsoleWrite(&rig->console, line, 64);
    }
}

static void neverReader_IsNotWaitedForAndLearnsWhatItLost(void)
{
    psRig rig;
    psFar far;
    bool may = true;
    const char *resumed;

    setUp(&rig);
    farOpen(&far, &rig, false);
    for (int i = 0; i < 64; i++) { /* 4 MiB; the ring keeps 1 */
        may = psConsoleMayRead(&rig.console) && may;
        printLines(&rig, 65536);
        psLoopRound(rig.loop, 0);
        rig.now += 0.2;
    }
    testOk(may && rig.resumed == 0, "a reader that takes nothing delays nobody");
    uint64_t early = psClientsLost(&rig.console.clients);
    testOk(early > 3000000 && early < 4194304, "%lu bytes lost, known while it is stuck",
           (unsigned long)early);
    settle(&rig, &far, 1);
    const char *lost = far.got.data ? strstr(far.got.data, " bytes lost\r\n") : NULL;
    resumed = lost ? lost + strlen(" bytes lost\r\n") : "";
    testOk(lost && resumed[10] == ' ' && resumed[0] == '0',
           "the loss is reported, and it resumes with a whole line");
    while (lost && lost > far.got.data && lost[-1] != ' ')
        lost--;
    unsigned long long bytes = lost ? strtoull(lost, NULL, 10) : 0;
    testOk(bytes > 3000000 && bytes < 4194304 && far.client->sender.reader.lost == bytes,
           "%llu bytes lost", bytes);
    testOk(psClientsLost(&rig.console.clients) == bytes && bytes - early < 100,
           "of them the rest of a line was skipped");
    farClose(&far);
    tearDown(&rig);
}

/* It took 100 kB within the last 100 ms: the pty waits for it, for as long as that is so. */
static void steadyReader_IsWaitedForATenthOfASecond(void)
{
    psRig rig;
    psFar far;
    int printed = 0;
    bool may;

    setUp(&rig);
    farOpen(&far, &rig, false);
    for (int i = 0; i < 4; i++) {
        printLines(&rig, 65536);
        settle(&rig, &far, 1);
    }
    testOk(psConsoleMayRead(&rig.console), "while it reads there is nothing to wait for");
    while ((may = psConsoleMayRead(&rig.console)) && printed < 100) {
        printLines(&rig, 65536);
        psLoopRound(rig.loop, 0);
        printed++;
    }
    testOk(!may && rig.console.output.waiting && printed >= 12 &&
               rig.console.output.plain.ring.size == PS_RING_MAX_BYTES,
           "it pauses: the ring grew, and %d times 64 KiB later the pty waits", printed);
    rig.resumed = 0;
    psLoopRound(rig.loop, 0);
    testOk(rig.resumed == 0, "nothing moves, nothing happens");
    farRead(&far);
    for (int i = 0; i < 200 && rig.resumed == 0; i++) {
        psLoopRound(rig.loop, 0);
        farRead(&far);
    }
    testOk(rig.resumed > 0 && far.client->sender.reader.lost == 0, "it reads on: so does the pty");
    while (psConsoleMayRead(&rig.console) && printed < 200) {
        printLines(&rig, 65536);
        psLoopRound(rig.loop, 0);
        printed++;
    }
    rig.resumed = 0;
    rig.now += PS_READER_WINDOW_SEC + 0.02;
    for (int i = 0; i < 5 && rig.resumed == 0; i++)
        psLoopRound(rig.loop, 0);
    testOk(rig.resumed > 0 && psConsoleMayRead(&rig.console),
           "it stays away: it is not waited for");
    farClose(&far);
    tearDown(&rig);
}

static void ring_WhenDrained_Shrinks(void)
{
    psRig rig;
    psFar far;

    setUp(&rig);
    farOpen(&far, &rig, false);
    for (int i = 0; i < 8; i++) {
        psConsoleMayRead(&rig.console);
        printLines(&rig, 65536);
        psLoopRound(rig.loop, 0);
    }
    size_t grown = rig.console.output.plain.ring.size;
    rig.now += 1.1;
    psLoopRound(rig.loop, 0);
    testOk(grown > PS_RING_MIN_BYTES && rig.console.output.plain.ring.size == grown,
           "grown to %u, kept while somebody lags", (unsigned)grown);
    settle(&rig, &far, 1);
    rig.now += 100;
    for (int i = 0; i < 5; i++)
        psLoopRound(rig.loop, 0);
    testOk(rig.console.output.plain.ring.size == PS_RING_MIN_BYTES, "back to %d",
           PS_RING_MIN_BYTES);
    farClose(&far);
    tearDown(&rig);
}

static void mostStalled_IsTheOneBlockedLongest(void)
{
    psRig rig;
    psFar fars[2];
    double since = 0;
    const psClient *stalled, *early;

    setUp(&rig);
    farOpen(&fars[0], &rig, false);
    rig.now += 3;
    farOpen(&fars[1], &rig, false);
    printLines(&rig, 300000);
    psLoopRound(rig.loop, 0);
    rig.now += 5;
    early = psClientsMostStalled(&rig.console.clients, &since);
    farRead(&fars[0]);
    psLoopRound(rig.loop, 0); /* the first has moved */
    rig.now += 8;
    psLoopRound(rig.loop, 0);
    stalled = psClientsMostStalled(&rig.console.clients, &since);
    testOk(!early && stalled == fars[1].client && since > 0,
           "not before 10 s, then the silent one");
    farClose(&fars[0]);
    farClose(&fars[1]);
    tearDown(&rig);
}

/* ---- log, endpoints, end ---- */

/* The log has a thread of its own: wait for it. */
static void waitForLog(psRig *rig)
{
    for (int i = 0; i < 3000 && !psConsoleIdle(&rig->console); i++)
        psLoopRound(rig->loop, 0.01);
    if (!psConsoleIdle(&rig->console))
        testAbort("waited 30 s for the log to be written");
}

static psText readLog(const psRig *rig)
{
    psText text = PS_TEXT_INIT;
    char path[128], bytes[4096];
    size_t n;

    snprintf(path, sizeof(path), "%s/log", rig->dir);
    FILE *file = fopen(path, "re");
    if (!file)
        testAbort("%s: %s", path, strerror(errno));
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        psTextAppend(&text, bytes, n);
    fclose(file);
    return text;
}

static void log_WithStamps_StampsLogAndLoggersOnly(void)
{
    psRig rig;
    psFar user, logger;
    char path[128];

    prepare(&rig);
    snprintf(path, sizeof(path), "%s/log", rig.dir);
    set(&rig, "logfile", path);
    set(&rig, "logstamp", "[stamp] ");
    openConsole(&rig);
    farOpen(&user, &rig, false);
    farOpen(&logger, &rig, true);
    psConsoleWrite(&rig.console, "one\r\ntw", 7);
    psConsoleWrite(&rig.console, "o\r\n", 3);
    settle(&rig, &user, 1);
    settle(&rig, &logger, 1);
    testOk(has(&user.got, "one\r\ntwo\r\n") && !has(&user.got, "stamp"), "a user sees no stamps");
    testOk(has(&logger.got, "[stamp] one\r\n[stamp] two\r\n"), "a log client does");
    psConsoleEnd(&rig.console);
    settle(&rig, &user, 1);
    settle(&rig, &logger, 1);
    waitForLog(&rig);
    psText log = readLog(&rig);
    testOk(log.len == 26 && memcmp(log.data, "[stamp] one\r\n[stamp] two\r\n", 26) == 0,
           "and so does the log");
    psTextClear(&log);
    farClose(&user);
    farClose(&logger);
    tearDown(&rig);
}

static void end_SendsWhatWasPrintedThenCloses(void)
{
    psRig rig;
    psFar far;
    bool before, idle;
    size_t len;

    setUp(&rig);
    farOpen(&far, &rig, false);
    printLines(&rig, 60000);
    psConsoleEnd(&rig.console);
    psLoopRound(rig.loop, 0);
    before = psConsoleIdle(&rig.console);
    for (int i = 0; i < ROUNDS && !far.ended; i++) {
        psLoopRound(rig.loop, 0);
        farRead(&far);
    }
    idle = psConsoleIdle(&rig.console);
    len = far.got.len;
    testOk(!before && idle && far.ended && len >= 60000, "%u bytes, then the end", (unsigned)len);
    farClose(&far);
    tearDown(&rig);
}

static int connectTo(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        testAbort("connect %s: %s", path, strerror(errno));
    return fd;
}

static void endpoints_AcceptTellAndRefuse(void)
{
    psRig rig;
    char path[96], control[128], log[128], msg[512];
    psFar user = {0}, refused = {0};
    psText info = PS_TEXT_INIT, file = PS_TEXT_INIT;
    psConsole second;

    prepare(&rig);
    snprintf(path, sizeof(path), "%s/control", rig.dir);
    snprintf(control, sizeof(control), "unix:%s", path);
    snprintf(log, sizeof(log), "unix:%s/logger", rig.dir);
    set(&rig, "logport", log);
    set(&rig, "port", control);
    openConsole(&rig);
    user.fd = connectTo(path);
    fcntl(user.fd, F_SETFL, O_NONBLOCK);
    settle(&rig, &user, 1);
    testOk(rig.console.clients.users == 1 && has(&user.got, "user banner"), "accepted");
    rig.limit = 1;
    refused.fd = connectTo(path);
    fcntl(refused.fd, F_SETFL, O_NONBLOCK);
    settle(&rig, &refused, 1);
    testOk(rig.console.clients.users == 1 && refused.ended &&
               has(&refused.got, "@@@ All 1 console connections are in use"),
           "one too many gets the reason, and is closed");
    psConsoleInfo(&rig.console, false, &info);
    snprintf(msg, sizeof(msg), ";LOG=%s;CTL=%s", log, control);
    testOk(info.data && strcmp(info.data, msg) == 0, "%s", info.data);
    psConsoleInfo(&rig.console, true, &file);
    snprintf(msg, sizeof(msg), "%s\n%s\n", log, control);
    testOk(file.data && strcmp(file.data, msg) == 0, "as an info file: log endpoints first");
    int status = psConsoleInit(&second, rig.loop, rig.cfg, &ops, &rig);
    if (status == 0)
        status = psConsoleOpen(&second, "argv0", msg, sizeof(msg));
    testOk(status == -EADDRINUSE && strstr(msg, "control endpoint"), "a second one fails: %s", msg);
    psConsoleClear(&second, 0);
    psTextClear(&info);
    psTextClear(&file);
    farClose(&user);
    farClose(&refused);
    tearDown(&rig);
    testOk(access(path, F_OK) != 0 && errno == ENOENT, "the socket is gone");
}

MAIN(psConsoleTest)
{
    testPlan(29);
    write_ReachesEveryReader();
    type_OnlyUsersAreHeard();
    neverReader_IsNotWaitedForAndLearnsWhatItLost();
    steadyReader_IsWaitedForATenthOfASecond();
    ring_WhenDrained_Shrinks();
    mostStalled_IsTheOneBlockedLongest();
    log_WithStamps_StampsLogAndLoggersOnly();
    end_SendsWhatWasPrintedThenCloses();
    endpoints_AcceptTellAndRefuse();
    return testDone();
}
