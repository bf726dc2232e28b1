/* SPDX-License-Identifier: EPICS */
/* psListener on port 0 and on sockets in a directory of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
#include "psTestUtil.h"

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

static psEndpoint tcp(uint16_t port)
{
    return (psEndpoint){.kind = psEndpointTcp, .address = INADDR_LOOPBACK, .port = port};
}

/* psListenerCheck(), and what it opened is closed again. */
static int checkOnly(const psEndpoint *endpoint)
{
    psListener listener;
    int status = psListenerCheck(&listener, endpoint);

    if (status == 0)
        psListenerClose(&listener);
    return status;
}

static psEndpoint tcp6(struct in6_addr address, uint16_t port)
{
    return (psEndpoint){.kind = psEndpointTcp6, .address6 = address, .port = port};
}

/* Can this machine be asked for its own address of IPv6? */
static bool hasIpv6(void)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool can = fd >= 0 && bind(fd, (struct sockaddr *)&in6, sizeof(in6)) == 0;

    if (fd >= 0)
        close(fd);
    return can;
}

static psEndpoint unixSocket(const char *name, mode_t mode)
{
    psEndpoint e = {.kind = psEndpointUnix, .uid = (uid_t)-1, .gid = (gid_t)-1, .mode = mode};

    epicsSnprintf(e.path, sizeof(e.path), "%s/%s", dir, name);
    return e;
}

static int dialAddress(const void *address, size_t len)
{
    int fd = socket(((const struct sockaddr *)address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, address, (socklen_t)len) < 0) {
        int err = errno;

        close(fd);
        return -err;
    }
    return fd;
}

static int dial(const psEndpoint *e)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = e->address6};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t at = e->kind == psEndpointAbstract ? 1 : 0;

    if (e->kind == psEndpointTcp6) {
        in6.sin6_port = htons(e->port);
        in6.sin6_scope_id = if_nametoindex(e->interface);
        return dialAddress(&in6, sizeof(in6));
    }
    if (e->kind == psEndpointTcp) {
        in.sin_addr.s_addr = htonl(e->address);
        in.sin_port = htons(e->port);
        return dialAddress(&in, sizeof(in));
    }
    memcpy(un.sun_path + at, e->path, strlen(e->path));
    return dialAddress(&un, sizeof(un) - sizeof(un.sun_path) + at + strlen(e->path));
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
    testOk1(checkOnly(&same) == -EADDRINUSE);
    testOk1(psListenerOpen(&second, &same, false) == -EADDRINUSE);
    psListenerClose(&second);
    psListenerClose(&first);
    testOk(checkOnly(&same) == 0, "free again");
    foreign.address = 0x01020304;
    testOk1(checkOnly(&foreign) == -EADDRNOTAVAIL);
}

static void tcp6_OnPortZero_LearnsItsPortAndNamesItsPeer(void)
{
    psLoop *loop = makeLoop();
    psListener listener;
    receiver r = {.count = 0};
    psEndpoint any = tcp6(in6addr_loopback, 0);
    struct sockaddr_in6 me;
    socklen_t len = sizeof(me);
    char expect[40];

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&listener, &any, true) == 0);
    testOk(listener.endpoint.port != 0, "port %u", listener.endpoint.port);
    testOk1(psListenerStart(&listener, loop, onAccept, &r) == 0);
    int fd = dial(&listener.endpoint);
    testOk(fd >= 0 && waitCount(loop, &r, 1), "a connection is handed over");
    getsockname(fd, (struct sockaddr *)&me, &len);
    snprintf(expect, sizeof(expect), "[::1]:%u", ntohs(me.sin6_port));
    testOk(strcmp(r.peer, expect) == 0, "peer '%s', expected '%s'", r.peer, expect);
    testOk1(option(r.fd[0], SOL_SOCKET, SO_KEEPALIVE) == 1);
    testOk1(option(r.fd[0], IPPROTO_TCP, TCP_NODELAY) == 1);
    close(fd);
    hangUp(&r);
    psListenerClose(&listener);
    psLoopFree(loop);
}

/* Neither takes the other's port, whichever comes first: both are of any address. */
static void tcp6_OnAPortOfIpv4_LeavesThatAlone(void)
{
    psListener four, six;
    psEndpoint any4 = tcp(0), any6 = tcp6(in6addr_any, 0);

    testDiag("%s", __func__);
    any4.address = INADDR_ANY;
    testOk1(psListenerOpen(&four, &any4, false) == 0);
    any6.port = four.endpoint.port;
    testOk1(checkOnly(&any6) == 0);
    testOk1(psListenerOpen(&six, &any6, false) == 0);
    any4.port = six.endpoint.port;
    psListenerClose(&four);
    testOk(psListenerOpen(&four, &any4, false) == 0, "the port of IPv4 is free beside [::]");
    any4.address = INADDR_LOOPBACK;
    psListenerClose(&four);
    int fd = dial(&any4);
    testOk(fd == -ECONNREFUSED, "[::] does not answer for IPv4: %s", strerror(-fd));
    psListenerClose(&six);
}

static void tcp6_WhenItCannotBeHad_FailsAsIpv4Does(void)
{
    psListener first, second;
    psEndpoint any = tcp6(in6addr_loopback, 0), same, foreign = any, link = any;

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&first, &any, false) == 0);
    same = first.endpoint;
    testOk1(checkOnly(&same) == -EADDRINUSE);
    testOk1(psListenerOpen(&second, &same, false) == -EADDRINUSE);
    psListenerClose(&first);
    testOk(checkOnly(&same) == 0, "free again");
    inet_pton(AF_INET6, "2001:db8::7", &foreign.address6);
    testOk1(checkOnly(&foreign) == -EADDRNOTAVAIL);
    inet_pton(AF_INET6, "fe80::1", &link.address6);
    epicsSnprintf(link.interface, sizeof(link.interface), "psNoSuch0");
    testOk1(checkOnly(&link) == -ENODEV);
    epicsSnprintf(link.interface, sizeof(link.interface), "0");
    testOk1(checkOnly(&link) == -ENODEV);
    testOk(strcmp(psListenerReason(ENODEV), "there is no such network interface") == 0 &&
               strcmp(psListenerReason(EADDRINUSE), strerror(EADDRINUSE)) == 0,
           "the reason is one that says what is missing");
}

/* Give this thread a network of its own, whose loopback interface has fe80::1.
 * @return the network it had, for setns(), or -1 */
static int enterLinkNetwork(void)
{
    struct {
        struct in6_addr address;
        uint32_t prefixLen;
        int index;
    } link = {.prefixLen = 64};
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

    if (home < 0 || unshare(CLONE_NEWNET) < 0) {
        close(home);
        return -1;
    }
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET6, "fe80::1", &link.address);
    link.index = (int)if_nametoindex("lo");
    if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0 || ioctl(fd, SIOCSIFADDR, &link) < 0)
        testAbort("an address for lo: %s", strerror(errno));
    close(fd);
    return home;
}

static void tcp6_OfOneLink_NamesTheInterface(void)
{
    psEndpoint link = tcp6(in6addr_any, 0);
    psListener listener;
    receiver r = {.count = 0};

    testDiag("%s", __func__);
    int home = enterLinkNetwork();
    if (home < 0) {
        testSkip(3, "no right to make a network");
        return;
    }
    psLoop *loop = makeLoop();
    inet_pton(AF_INET6, "fe80::1", &link.address6);
    epicsSnprintf(link.interface, sizeof(link.interface), "lo");
    double end = psClockMono(psClockSystem()) + DEADLINE_SEC;
    while (checkOnly(&link) && psClockMono(psClockSystem()) < end)
        psLoopRound(loop, 0.01); /* the kernel looks whether another host has the address */
    testOk1(psListenerOpen(&listener, &link, false) == 0);
    psListenerStart(&listener, loop, onAccept, &r);
    int fd = dial(&listener.endpoint);
    testOk(fd >= 0 && waitCount(loop, &r, 1), "a connection is handed over");
    testOk(strncmp(r.peer, "[fe80::1%lo]:", 13) == 0, "peer '%s'", r.peer);
    close(fd);
    hangUp(&r);
    psListenerClose(&listener);
    psLoopFree(loop);
    if (setns(home, CLONE_NEWNET) < 0)
        testAbort("setns: %s", strerror(errno));
    close(home);
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
    testOk1(checkOnly(&e) == 0);
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
    testOk1(checkOnly(&e) == -EADDRINUSE);
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
    testOk1(checkOnly(&e) == 0);
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
    testOk1(checkOnly(&e) == -EEXIST);
    testOk1(symlink(e.path, link.path) == 0);
    testOk1(psListenerOpen(&listener, &link, false) == -EEXIST);
    testOk(access(e.path, F_OK) == 0 && access(link.path, F_OK) == 0, "both are there still");
    unlink(link.path);
    testOk1(symlink("nothing", link.path) == 0);
    testOk1(psListenerOpen(&listener, &link, false) == -EEXIST);
    testOk1(checkOnly(&link) == -EEXIST);
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
    int before = psTestDescriptors();

    testDiag("%s", __func__);
    memset(&listener, 0, sizeof(listener));
    psListenerClose(&listener);
    testOk(psTestDescriptors() == before, "no descriptor of others is closed");
}

MAIN(psListenerTest)
{
    (void)argc;
    (void)argv;
    testPlan(96);
    epicsSnprintf(dir, sizeof(dir), "/tmp/psListenerTest-XXXXXX");
    if (!mkdtemp(dir))
        testAbort("mkdtemp: %s", strerror(errno));
    int before = psTestDescriptors();
    tcp_OnPortZero_LearnsItsPortAndAccepts();
    tcp_WhenPortIsTaken_FailsWithEaddrinuse();
    if (hasIpv6()) {
        tcp6_OnPortZero_LearnsItsPortAndNamesItsPeer();
        tcp6_OnAPortOfIpv4_LeavesThatAlone();
        tcp6_WhenItCannotBeHad_FailsAsIpv4Does();
        tcp6_OfOneLink_NamesTheInterface();
    } else {
        testSkip(23, "this machine has no IPv6");
    }
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
    testOk(psTestDescriptors() == before, "no descriptor is left open");
    testOk(rmdir(dir) == 0, "nothing is left in the directory");
    return testDone();
}
