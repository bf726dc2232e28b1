/* SPDX-License-Identifier: EPICS */
/* psListener on port 0 and on sockets in a directory of its own. */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psListener.h"
#include "base/psClock.h"

#define DEADLINE_SEC 20.0
#define MANY 300

static char dir[64];

typedef struct receiver {
    int fd[MANY];
    char peer[80]; /* of the last */
    int count;
    bool closeListener;
} receiver;

static void onAccept(void *ctx, psListener *listener, int fd, const char *peer)
{
    receiver *r = ctx;

    r->fd[r->count++] = fd;
    epicsSnprintf(r->peer, sizeof(r->peer), "%s", peer);
    if (r->closeListener)
        psListenerClose(listener);
}

static void hangUp(receiver *r)
{
    while (r->count > 0)
        close(r->fd[--r->count]);
}

static psLoop *makeLoop(void)
{
    psLoop *loop = psLoopCreate(psClockSystem());

    if (!loop)
        testAbort("no loop");
    psLoopRound(loop, 0.0);
    return loop;
}

static bool waitCount(psLoop *loop, const receiver *r, int count)
{
    double end = psClockMono(psClockSystem()) + DEADLINE_SEC;

    while (r->count < count) {
        if (psClockMono(psClockSystem()) > end) {
            testDiag("waited %g s for connection %d, have %d", DEADLINE_SEC, count, r->count);
            return false;
        }
        psLoopRound(loop, 0.05);
    }
    return true;
}

static int fdCount(void)
{
    DIR *d = opendir("/proc/self/fd");
    int count = 0;

    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count;
}

static psEndpoint tcp(uint16_t port)
{
    return (psEndpoint){.kind = psEndpointTcp, .address = INADDR_LOOPBACK, .port = port};
}

static psEndpoint unixSocket(const char *name, mode_t mode)
{
    psEndpoint e = {.kind = psEndpointUnix, .uid = (uid_t)-1, .gid = (gid_t)-1, .mode = mode};

    epicsSnprintf(e.path, sizeof(e.path), "%s/%s", dir, name);
    return e;
}

static int dial(const psEndpoint *e)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    bool isTcp = e->kind == psEndpointTcp;
    size_t at = e->kind == psEndpointAbstract ? 1 : 0;
    socklen_t unLen = (socklen_t)(sizeof(un) - sizeof(un.sun_path) + at + strlen(e->path));
    int fd = socket(isTcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    in.sin_addr.s_addr = htonl(e->address);
    in.sin_port = htons(e->port);
    memcpy(un.sun_path + at, e->path, strlen(e->path));
    if (connect(fd, isTcp ? (struct sockaddr *)&in : (struct sockaddr *)&un,
                isTcp ? sizeof(in) : unLen) < 0) {
        int err = errno;

        close(fd);
        return -err;
    }
    return fd;
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    getsockopt(fd, level, name, &value, &len);
    return value;
}

/* ---- tests ---- */

static void tcp_OnPortZero_LearnsItsPortAndAccepts(void)
{
    psLoop *loop = makeLoop();
    psListener listener;
    receiver r = {.count = 0};
    psEndpoint any = tcp(0);
    struct sockaddr_in me;
    socklen_t len = sizeof(me);
    char expect[40];

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&listener, &any, true) == 0);
    testOk(listener.endpoint.port != 0 && listener.readOnly, "port %u", listener.endpoint.port);
    testOk1(psListenerStart(&listener, loop, onAccept, &r) == 0);
    int fd = dial(&listener.endpoint);
    testOk(fd >= 0 && waitCount(loop, &r, 1), "a connection is handed over");
    getsockname(fd, (struct sockaddr *)&me, &len);
    snprintf(expect, sizeof(expect), "127.0.0.1:%u", ntohs(me.sin_port));
    testOk(strcmp(r.peer, expect) == 0, "peer '%s', expected '%s'", r.peer, expect);
    testOk(fcntl(r.fd[0], F_GETFL) & O_NONBLOCK, "non-blocking");
    testOk(fcntl(r.fd[0], F_GETFD) & FD_CLOEXEC, "close-on-exec");
    testOk1(option(r.fd[0], SOL_SOCKET, SO_KEEPALIVE) == 1);
    testOk1(option(r.fd[0], IPPROTO_TCP, TCP_KEEPIDLE) == 60);
    testOk1(option(r.fd[0], IPPROTO_TCP, TCP_KEEPINTVL) == 15);
    testOk1(option(r.fd[0], IPPROTO_TCP, TCP_KEEPCNT) == 4);
    testOk1(option(r.fd[0], IPPROTO_TCP, TCP_NODELAY) == 1);
    close(fd);
    hangUp(&r);
    psListenerClose(&listener);
    psListenerClose(&listener);
    fd = dial(&listener.endpoint);
    testOk(fd == -ECONNREFUSED, "closed: %s", strerror(-fd));
    psLoopFree(loop);
}

static void tcp_WhenPortIsTaken_FailsWithEaddrinuse(void)
{
    psListener first, second;
    psEndpoint any = tcp(0), same, foreign = tcp(0);

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&first, &any, false) == 0);
    same = first.endpoint;
    testOk1(psListenerCheck(&same) == -EADDRINUSE);
    testOk1(psListenerOpen(&second, &same, false) == -EADDRINUSE);
    psListenerClose(&second);
    psListenerClose(&first);
    testOk(psListenerCheck(&same) == 0, "free again");
    foreign.address = 0x01020304;
    testOk1(psListenerCheck(&foreign) == -EADDRNOTAVAIL);
}

static mode_t modeOf(const char *path)
{
    struct stat st;

    return lstat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

static void unix_Socket_HasTheModeAskedForWhateverTheUmask(void)
{
    psLoop *loop = makeLoop();
    psListener listener;
    receiver r = {.count = 0};
    psEndpoint e = unixSocket("mode", 0666);
    char expect[80];
    mode_t umaskBefore = umask(077);

    testDiag("%s", __func__);
    testOk1(psListenerCheck(&e) == 0);
    testOk(access(e.path, F_OK) < 0, "a check leaves no file");
    testOk1(psListenerOpen(&listener, &e, false) == 0);
    testOk(modeOf(e.path) == 0666, "mode %o", (unsigned)modeOf(e.path));
    psListenerStart(&listener, loop, onAccept, &r);
    int fd = dial(&e);
    testOk(fd >= 0 && waitCount(loop, &r, 1), "accepts");
    snprintf(expect, sizeof(expect), "unix uid %u pid %d", (unsigned)getuid(), (int)getpid());
    testOk(strcmp(r.peer, expect) == 0, "peer '%s'", r.peer);
    close(fd);
    hangUp(&r);
    psListenerClose(&listener);
    testOk(access(e.path, F_OK) < 0, "unlinked at close");
    e.mode = 0600;
    umask(0);
    testOk1(psListenerOpen(&listener, &e, false) == 0);
    testOk(modeOf(e.path) == 0600, "mode %o", (unsigned)modeOf(e.path));
    psListenerClose(&listener);
    umask(umaskBefore);
    psLoopFree(loop);
}

static void unix_Owner_IsSetOrTheFailureTold(void)
{
    psListener listener;
    psEndpoint e = unixSocket("owner", 0660);
    struct stat st;

    testDiag("%s", __func__);
    if (geteuid() == 0) {
        e.uid = 12345;
        e.gid = 23456;
        testOk1(psListenerOpen(&listener, &e, false) == 0);
        testOk(lstat(e.path, &st) == 0 && st.st_uid == 12345 && st.st_gid == 23456, "owned");
        psListenerClose(&listener);
        /* The rest as a user who may not give files away. */
        if (chmod(dir, 0777) < 0 || seteuid(12345) < 0)
            testAbort("seteuid: %s", strerror(errno));
    } else {
        testSkip(2, "not root");
    }
    e.uid = 1;
    testOk1(psListenerOpen(&listener, &e, false) == -EPERM);
    testOk(access(e.path, F_OK) < 0, "and no socket is left");
    testOk1(seteuid(getuid()) == 0);
}

static void unix_PathOfALiveSocket_IsLeftAlone(void)
{
    psListener first, second;
    psEndpoint e = unixSocket("live", 0666);

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&first, &e, false) == 0);
    testOk1(psListenerCheck(&e) == -EADDRINUSE);
    testOk1(psListenerOpen(&second, &e, false) == -EADDRINUSE);
    psListenerClose(&second);
    int fd = dial(&e);
    testOk(fd >= 0, "the first still answers");
    close(fd);
    psListenerClose(&first);
}

static void unix_PathOfADeadSocket_IsReplaced(void)
{
    psListener listener;
    psEndpoint e = unixSocket("dead", 0666);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    testDiag("%s", __func__);
    memcpy(un.sun_path, e.path, strlen(e.path));
    if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        testAbort("bind: %s", strerror(errno));
    close(fd);
    testOk1(psListenerCheck(&e) == 0);
    testOk(access(e.path, F_OK) == 0, "a check does not remove it");
    testOk1(psListenerOpen(&listener, &e, false) == 0);
    fd = dial(&e);
    testOk(fd >= 0, "the new one answers");
    close(fd);
    psListenerClose(&listener);
}

static void unix_PathOfAnotherFile_IsNeverTouched(void)
{
    psListener listener;
    psEndpoint e = unixSocket("file", 0666), link = unixSocket("link", 0666);
    psEndpoint nowhere = unixSocket("no/such/dir", 0666);
    FILE *file = fopen(e.path, "w");

    testDiag("%s", __func__);
    fputs("precious", file);
    fclose(file);
    testOk1(psListenerOpen(&listener, &e, false) == -EEXIST);
    testOk1(psListenerCheck(&e) == -EEXIST);
    testOk1(symlink(e.path, link.path) == 0);
    testOk1(psListenerOpen(&listener, &link, false) == -EEXIST);
    testOk(access(e.path, F_OK) == 0 && access(link.path, F_OK) == 0, "both are there still");
    testOk1(psListenerOpen(&listener, &nowhere, false) == -ENOENT);
    unlink(link.path);
    unlink(e.path);
}

static void unix_SocketOfASuccessor_IsNotUnlinked(void)
{
    psListener first, second;
    psEndpoint e = unixSocket("successor", 0666);

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&first, &e, false) == 0);
    unlink(e.path); /* somebody cleaned up */
    testOk1(psListenerOpen(&second, &e, false) == 0);
    psListenerClose(&first);
    testOk(access(e.path, F_OK) == 0, "the successor's socket stays");
    psListenerClose(&second);
    testOk(access(e.path, F_OK) < 0, "until its owner closes");
}

static void abstract_Name_IsTakenOnce(void)
{
    psListener first, second;
    psEndpoint e = {.kind = psEndpointAbstract, .uid = (uid_t)-1, .gid = (gid_t)-1};

    testDiag("%s", __func__);
    epicsSnprintf(e.path, sizeof(e.path), "psListenerTest-%d", (int)getpid());
    testOk1(psListenerOpen(&first, &e, false) == 0);
    testOk1(psListenerOpen(&second, &e, false) == -EADDRINUSE);
    psListenerClose(&second);
    int fd = dial(&e);
    testOk(fd >= 0, "answers by its exact name");
    close(fd);
    psListenerClose(&first);
}

static void accept_InABurst_TakesThemAll(void)
{
    psLoop *loop = makeLoop();
    psListener listener;
    receiver r = {.count = 0};
    psEndpoint e = unixSocket("burst", 0666);
    int fd[100], i, made = 0;

    testDiag("%s", __func__);
    psListenerOpen(&listener, &e, false);
    psListenerStart(&listener, loop, onAccept, &r);
    for (i = 0; i < 100; i++) {
        fd[i] = dial(&e);
        made += fd[i] >= 0;
    }
    testOk(made == 100, "%d fit into the backlog", made);
    psLoopRound(loop, 1.0);
    testOk(r.count > 0 && r.count < 100, "a bounded number (%d) in one round", r.count);
    testOk(waitCount(loop, &r, 100), "all of them in a few");
    for (i = 0; i < 100; i++)
        close(fd[i]);
    hangUp(&r);
    psListenerClose(&listener);
    psLoopFree(loop);
}

static void accept_WhenTheReceiverClosesTheListener_Stops(void)
{
    psLoop *loop = makeLoop();
    psListener listener;
    receiver r = {.closeListener = true};
    psEndpoint any = tcp(0);
    int one, two;

    testDiag("%s", __func__);
    psListenerOpen(&listener, &any, false);
    psListenerStart(&listener, loop, onAccept, &r);
    one = dial(&listener.endpoint);
    two = dial(&listener.endpoint);
    testOk(waitCount(loop, &r, 1), "the first is handed over");
    psLoopRound(loop, 0.0);
    testOk(r.count == 1, "no second one");
    close(one);
    close(two);
    hangUp(&r);
    psLoopFree(loop);
}

/* Open descriptors until there are none; returns how many. */
static int exhaust(int *fds, int max)
{
    int count = 0;

    while (count < max && (fds[count] = dup(0)) >= 0)
        count++;
    return count;
}

static bool reads(psLoop *loop, int fd, char *out, size_t size)
{
    double end = psClockMono(psClockSystem()) + DEADLINE_SEC;
    size_t len = 0;

    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (psClockMono(psClockSystem()) < end) {
        ssize_t n = read(fd, out + len, size - 1 - len);

        if (n == 0) {
            out[len] = 0;
            return true;
        }
        if (n > 0) {
            len += (size_t)n;
        } else if (errno != EAGAIN) {
            testDiag("read: %s", strerror(errno));
            return false;
        }
        psLoopRound(loop, 0.01);
    }
    testDiag("waited %g s for the end of the connection", DEADLINE_SEC);
    return false;
}

static void accept_WithoutDescriptors_TellsAndClosesAndDoesNotSpin(void)
{
    psLoop *loop = makeLoop();
    psListener listener;
    receiver r = {.count = 0};
    psEndpoint any = tcp(0);
    struct rlimit limit, low;
    int filler[256], fillers, fd[3], late, spare, rounds = 0;
    char text[200] = "";

    testDiag("%s", __func__);
    psListenerOpen(&listener, &any, false);
    listener.fullLine = "@@@ full\r\n";
    psListenerStart(&listener, loop, onAccept, &r);
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = 128;
    setrlimit(RLIMIT_NOFILE, &low);
    fd[0] = dial(&listener.endpoint);
    fd[1] = dial(&listener.endpoint);
    testOk1(write(fd[0], "typed", 5) == 5);
    fillers = exhaust(filler, 256);
    testOk(reads(loop, fd[0], text, sizeof(text)), "the first is ended");
    testOk(strcmp(text, "@@@ full\r\n") == 0, "and gets the line: %s", text);
    testOk(reads(loop, fd[1], text, sizeof(text)), "so is the second");
    testOk(r.count == 0 && listener.spareFd >= 0, "none handed over, the spare is back");

    /* Now without a spare descriptor. */
    close(filler[--fillers]);
    fd[2] = dial(&listener.endpoint);
    spare = listener.spareFd;
    listener.spareFd = -1;
    double start = psClockMono(psClockSystem());
    while (psClockMono(psClockSystem()) < start + 0.35 && rounds < 1000) {
        psLoopRound(loop, 0.4);
        rounds++;
    }
    testOk(rounds < 20, "no spinning: %d rounds in 0.35 s", rounds);
    close(spare);
    while (fillers > 0)
        close(filler[--fillers]);
    testOk(waitCount(loop, &r, 1), "accepted when descriptors are back");
    testOk(listener.spareFd >= 0, "with a new spare");
    late = dial(&listener.endpoint);
    testOk(late >= 0 && waitCount(loop, &r, 2), "and so is a new one");
    setrlimit(RLIMIT_NOFILE, &limit);
    close(late);
    close(fd[0]);
    close(fd[1]);
    close(fd[2]);
    hangUp(&r);
    psListenerClose(&listener);
    psLoopFree(loop);
}

static void close_OfOneNeverOpened_DoesNothing(void)
{
    psListener listener;
    int before = fdCount();

    testDiag("%s", __func__);
    memset(&listener, 0, sizeof(listener));
    psListenerClose(&listener);
    testOk(fdCount() == before, "no descriptor of others is closed");
}

MAIN(psListenerTest)
{
    (void)argc;
    (void)argv;
    testPlan(70);
    epicsSnprintf(dir, sizeof(dir), "/tmp/psListenerTest-XXXXXX");
    if (!mkdtemp(dir))
        testAbort("mkdtemp: %s", strerror(errno));
    int before = fdCount();
    tcp_OnPortZero_LearnsItsPortAndAccepts();
    tcp_WhenPortIsTaken_FailsWithEaddrinuse();
    unix_Socket_HasTheModeAskedForWhateverTheUmask();
    unix_Owner_IsSetOrTheFailureTold();
    unix_PathOfALiveSocket_IsLeftAlone();
    unix_PathOfADeadSocket_IsReplaced();
    unix_PathOfAnotherFile_IsNeverTouched();
    unix_SocketOfASuccessor_IsNotUnlinked();
    abstract_Name_IsTakenOnce();
    accept_InABurst_TakesThemAll();
    accept_WhenTheReceiverClosesTheListener_Stops();
    accept_WithoutDescriptors_TellsAndClosesAndDoesNotSpin();
    close_OfOneNeverOpened_DoesNothing();
    testOk(fdCount() == before, "no descriptor is left open");
    testOk(rmdir(dir) == 0, "nothing is left in the directory");
    return testDone();
}
