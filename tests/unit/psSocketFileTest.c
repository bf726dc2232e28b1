/* SPDX-License-Identifier: EPICS */
/* One server per path of a unix socket, tried with many processes that start at once. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psNameLock.h"
#include "base/psClock.h"
#include "console/psListener.h"

#define MANY 10
#define ROUNDS 60

static char dir[64];

static psEndpoint unixSocket(const char *name, mode_t mode)
{
    psEndpoint e = {.kind = psEndpointUnix, .uid = (uid_t)-1, .gid = (gid_t)-1, .mode = mode};

    epicsSnprintf(e.path, sizeof(e.path), "%s/%s", dir, name);
    return e;
}

static struct sockaddr_un addressOf(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    memcpy(un.sun_path, path, strlen(path));
    return un;
}

/* Leave a socket behind, as a server that was killed does. */
static void leaveDead(const char *path)
{
    struct sockaddr_un un = addressOf(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    unlink(path);
    if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        testAbort("bind: %s", strerror(errno));
    close(fd);
}

static mode_t modeOf(const char *path)
{
    struct stat st;

    return lstat(path, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* Who listens there?  @return its process number, or -errno */
static pid_t serverOf(const char *path)
{
    struct sockaddr_un un = addressOf(path);
    struct ucred cred = {.pid = -1};
    socklen_t len = sizeof(cred);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        cred.pid = -errno;
    else
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
    close(fd);
    return cred.pid;
}

/* ---- many at once ---- */

typedef struct outcome {
    pid_t pid;
    int status;
} outcome;

/* One of many: opens when all may, and keeps what it got until the end. */
static void compete(const psEndpoint *endpoint, int go, int hold, int result)
{
    psListener listener;
    outcome mine = {.pid = getpid()};
    char byte;

    (void)!read(go, &byte, 1);
    mine.status = psListenerOpen(&listener, endpoint, false);
    (void)!write(result, &mine, sizeof(mine));
    (void)!read(hold, &byte, 1);
    if (mine.status == 0)
        psListenerClose(&listener);
    _exit(0);
}

/* @return false: not exactly one of them has the path, or it cannot be reached there */
static bool oneWins(const psEndpoint *endpoint)
{
    int go[2], hold[2], result[2], winners = 0, others = 0;
    pid_t winner = 0, pids[MANY];
    outcome one;

    if (pipe(go) < 0 || pipe(hold) < 0 || pipe(result) < 0)
        testAbort("pipe: %s", strerror(errno));
    for (int i = 0; i < MANY; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            testAbort("fork: %s", strerror(errno));
        if (pids[i] == 0) {
            close(go[1]);
            close(hold[1]);
            compete(endpoint, go[0], hold[0], result[1]);
        }
    }
    close(result[1]);
    close(go[1]);
    for (int i = 0; i < MANY && read(result[0], &one, sizeof(one)) == sizeof(one); i++) {
        if (one.status == 0) {
            winners++;
            winner = one.pid;
        } else if (one.status == -EADDRINUSE) {
            others++;
        } else {
            testDiag("process %d: %s", (int)one.pid, strerror(-one.status));
        }
    }
    pid_t server = serverOf(endpoint->path);
    close(hold[1]);
    close(go[0]);
    close(hold[0]);
    close(result[0]);
    for (int i = 0; i < MANY; i++)
        waitpid(pids[i], NULL, 0);
    bool left = access(endpoint->path, F_OK) == 0;
    if (winners == 1 && others == MANY - 1 && server == winner && !left)
        return true;
    testDiag("%d have it, %d are refused, the last winner is %d, at the path is %d%s", winners,
             others, (int)winner, (int)server, left ? ", and a file is left" : "");
    return false;
}

static void unix_ManyAtOnce_OneHasThePath(bool dead)
{
    psEndpoint e = unixSocket("race", 0666);
    int good = 0;

    testDiag("%s", __func__);
    for (int i = 0; i < ROUNDS; i++) {
        if (dead)
            leaveDead(e.path);
        good += oneWins(&e);
        unlink(e.path);
    }
    testOk(good == ROUNDS, "%d at once %s: one has the path in %d of %d rounds", MANY,
           dead ? "on a dead socket" : "where nothing is", good, ROUNDS);
}

/* ---- one after another ---- */

/* psListenerCheck(), and what it opened is closed again. */
static int checkOnly(const psEndpoint *endpoint)
{
    psListener listener;
    int status = psListenerCheck(&listener, endpoint);

    if (status == 0)
        psListenerClose(&listener);
    return status;
}

static void unix_SecondServer_DisturbsTheFirstByNothing(void)
{
    psListener first, second;
    psEndpoint e = unixSocket("alone", 0666);

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&first, &e, false) == 0);
    testOk1(psListenerOpen(&second, &e, false) == -EADDRINUSE);
    testOk1(checkOnly(&e) == -EADDRINUSE);
    testOk(accept(first.fd, NULL, NULL) < 0 && errno == EAGAIN, "nobody has connected");
    psListenerClose(&first);
}

static void unix_ServerThatDoesNotListenYet_IsNotADeadOne(void)
{
    psListener listener;
    psEndpoint e = unixSocket("bound", 0666);
    struct sockaddr_un un = addressOf(e.path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    testDiag("%s", __func__);
    testOk1(bind(fd, (struct sockaddr *)&un, sizeof(un)) == 0);
    testOk1(checkOnly(&e) == -EADDRINUSE);
    testOk1(psListenerOpen(&listener, &e, false) == -EADDRINUSE);
    testOk1(listen(fd, 1) == 0 && serverOf(e.path) == getpid());
    close(fd);
    testOk(psListenerOpen(&listener, &e, false) == 0, "once closed, it is replaced");
    psListenerClose(&listener);
}

/* The mode of a socket may keep its own user from connecting. */
static void unix_SocketThatItsUserMayNotWrite_IsReplacedIfDead(void)
{
    psListener first, second;
    psEndpoint e = unixSocket("readonly", 0444);

    testDiag("%s", __func__);
    testOk1(psListenerOpen(&first, &e, false) == 0);
    testOk1(psListenerOpen(&second, &e, false) == -EADDRINUSE);
    testOk(modeOf(e.path) == 0444, "its mode is %03o still", (unsigned)modeOf(e.path));
    psListenerClose(&first);
    leaveDead(e.path);
    chmod(e.path, 0444);
    testOk1(checkOnly(&e) == 0);
    testOk(modeOf(e.path) == 0444, "its mode is %03o still", (unsigned)modeOf(e.path));
    testOk1(psListenerOpen(&first, &e, false) == 0);
    psListenerClose(&first);
    leaveDead(e.path);
    chmod(e.path, 0);
    int status = psListenerOpen(&first, &e, false);
    if (geteuid() == 0)
        testSkip(1, "root may connect to every socket");
    else
        testOk(status == -EADDRINUSE, "one without any right may be just in the making");
    if (status == 0)
        psListenerClose(&first);
    unlink(e.path);
}

/* For a process of root: root may connect to every socket, and give any file away. */
static void become(uid_t uid)
{
    if (seteuid(uid) < 0)
        testAbort("seteuid: %s", strerror(errno));
}

static void unix_SocketOfAnotherUser_IsLeftAloneInDoubt(void)
{
    psListener listener;
    psEndpoint e = unixSocket("others", 0666);

    testDiag("%s", __func__);
    if (getuid() != 0) {
        testSkip(1, "not root");
        return;
    }
    become(0);
    leaveDead(e.path);
    chmod(e.path, 0600);
    become(12345);
    testOk1(psListenerOpen(&listener, &e, false) == -EADDRINUSE);
    unlink(e.path);
}

/* Anybody may take the name that serves as a lock: that costs a second, not the start. */
static void unix_LockThatSomebodyKeeps_KeepsNobodyFromStarting(void)
{
    psListener listener;
    psEndpoint e = unixSocket("locked", 0666);
    struct stat st;
    char name[64];

    testDiag("%s", __func__);
    stat(dir, &st);
    epicsSnprintf(name, sizeof(name), "procServIoc:%lx:%lx", (unsigned long)st.st_dev,
                  (unsigned long)st.st_ino);
    int fd = psNameLockTake(name, 1);
    testOk1(fd >= 0);
    leaveDead(e.path);
    double start = psClockMono(psClockSystem());
    testOk1(psListenerOpen(&listener, &e, false) == 0);
    double took = psClockMono(psClockSystem()) - start;
    testOk(took > 0.9, "after waiting for it: %.3f s", took);
    psListenerClose(&listener);
    close(fd);
}

static void unix_FailureAfterBind_LeavesNoFile(void)
{
    psListener listener;
    psEndpoint e = unixSocket("owner", 0660);

    testDiag("%s", __func__);
    e.uid = 1; /* not ours to give */
    testOk1(psListenerOpen(&listener, &e, false) == -EPERM);
    testOk(access(e.path, F_OK) < 0, "and no socket is left");
}

MAIN(psSocketFileTest)
{
    (void)argc;
    (void)argv;
    testPlan(25);
    epicsSnprintf(dir, sizeof(dir), "/tmp/psSocketFileTest-XXXXXX");
    if (!mkdtemp(dir))
        testAbort("mkdtemp: %s", strerror(errno));
    unix_ManyAtOnce_OneHasThePath(false);
    unix_ManyAtOnce_OneHasThePath(true);
    unix_SecondServer_DisturbsTheFirstByNothing();
    unix_ServerThatDoesNotListenYet_IsNotADeadOne();
    if (getuid() == 0) {
        chmod(dir, 0777);
        become(12345);
    }
    unix_SocketThatItsUserMayNotWrite_IsReplacedIfDead();
    unix_LockThatSomebodyKeeps_KeepsNobodyFromStarting();
    unix_FailureAfterBind_LeavesNoFile();
    unix_SocketOfAnotherUser_IsLeftAloneInDoubt();
    become(getuid());
    testOk(rmdir(dir) == 0, "nothing is left in the directory");
    return testDone();
}
