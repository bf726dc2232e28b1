/* SPDX-License-Identifier: EPICS */
/* Messages through a real socket: who sent them, what is too long, and descriptors with them. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psNotify.h"
typedef struct psHeard {
    int count;
    pid_t pid;
    uid_t uid;
    bool tooLong;
    char text[64];
} psHeard;

static void heard(void *ctx, psNotifySender sender, const char *bytes, size_t len)
{
    psHeard *self = ctx;

    self->count++;
    self->pid = sender.pid;
    self->uid = sender.uid;
    self->tooLong = !bytes;
    snprintf(self->text, sizeof(self->text), "%.*s", (int)len, bytes ? bytes : "");
}

static struct sockaddr_un addressOf(const psNotify *notify, socklen_t *outLen)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(notify->name);

    memcpy(address.sun_path + 1, notify->name + 1, len - 1);
    *outLen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    return address;
}

/* The number that the next descriptor gets. */
static int nextFd(void)
{
    int fd = dup(0);

    close(fd);
    return fd;
}

/* @param fd goes with it; -1: none */
static bool sendTo(const psNotify *notify, const void *bytes, size_t len, int fd)
{
    socklen_t addressLen;
    struct sockaddr_un address = addressOf(notify, &addressLen);
    struct iovec data = {.iov_base = (void *)bytes, .iov_len = len};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    struct msghdr header = {
        .msg_name = &address, .msg_namelen = addressLen, .msg_iov = &data, .msg_iovlen = 1};
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof(control);
        struct cmsghdr *part = CMSG_FIRSTHDR(&header);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(part), &fd, sizeof(fd));
    }
    bool sent = sock >= 0 && sendmsg(sock, &header, MSG_DONTWAIT) == (ssize_t)len;
    close(sock);
    return sent;
}

static void credentials(psNotify *notify, psLoop *loop, psHeard *got)
{
    *got = (psHeard){0};
    testOk(sendTo(notify, "READY=1", 7, -1), "sent");
    psLoopRound(loop, 5);
    testOk(got->count == 1 && got->pid == getpid() && strcmp(got->text, "READY=1") == 0,
           "by us: process %d, '%s'", (int)got->pid, got->text);
    pid_t child = fork();
    if (child == 0)
        _exit(sendTo(notify, "STATUS=x", 8, -1) ? 0 : 1);
    waitpid(child, NULL, 0);
    psLoopRound(loop, 5);
    testOk(got->count == 2 && got->pid == child && got->uid == geteuid(), "by process %d: %d",
           (int)child, (int)got->pid);
}

static void tooLong(psNotify *notify, psLoop *loop, psHeard *got)
{
    static char bytes[PS_NOTIFY_BYTES + 1];

    memset(bytes, 'a', sizeof(bytes));
    *got = (psHeard){0};
    sendTo(notify, bytes, PS_NOTIFY_BYTES, -1);
    psLoopRound(loop, 5);
    testOk(got->count == 1 && !got->tooLong, "as long as possible");
    sendTo(notify, bytes, sizeof(bytes), -1);
    psLoopRound(loop, 5);
    testOk(got->count == 2 && got->tooLong, "a byte longer");
    sendTo(notify, "", 0, -1);
    psLoopRound(loop, 5);
    testOk(got->count == 3 && !got->tooLong && got->text[0] == '\0', "an empty one");
}

/* What sd_notify_barrier() does: the other end is closed when all before has been handled. */
static void barrier(psNotify *notify, psLoop *loop, psHeard *got)
{
    int ends[2];
    char c;

    *got = (psHeard){0};
    if (pipe(ends))
        testAbort("pipe");
    sendTo(notify, "BARRIER=1", 9, ends[1]);
    close(ends[1]);
    int before = nextFd();
    psLoopRound(loop, 5);
    testOk(got->count == 1 && read(ends[0], &c, 1) == 0, "the barrier is open");
    testOk(nextFd() == before, "no descriptor is kept");
    close(ends[0]);
}

static void quiet(psNotify *notify, psLoop *loop, psHeard *got)
{
    *got = (psHeard){0};
    psNotifyListen(notify, loop, false);
    sendTo(notify, "A=1", 3, -1);
    psLoopRound(loop, 0);
    testOk(got->count == 0, "not heard while nobody listens");
    psNotifyListen(notify, loop, true);
    psLoopRound(loop, 5);
    testOk(got->count == 1, "but later");
    int sent = 0;
    for (int i = 0; i < 1000; i++)
        sent += sendTo(notify, "A=1", 3, -1);
    int rounds = 0;
    while (got->count < 1 + sent && rounds < 1000) {
        psLoopRound(loop, 0);
        rounds++;
    }
    testOk(sent > 0 && got->count == 1 + sent, "of a flood %d were taken, all heard", sent);
}

MAIN(psNotifyTest)
{
    psNotify notify = PS_NOTIFY_INIT, other = PS_NOTIFY_INIT;
    psHeard got = {0};

    testPlan(13);
    psLoop *loop = psLoopCreate(psClockSystem());
    if (psNotifyOpen(&notify, heard, &got) || psNotifyOpen(&other, heard, &got))
        testAbort("no socket");
    testOk(notify.name[0] == '@' && strcmp(notify.name, other.name) != 0, "%s and %s", notify.name,
           other.name);
    testOk1(psNotifyListen(&notify, loop, true) == 0);
    credentials(&notify, loop, &got);
    tooLong(&notify, loop, &got);
    barrier(&notify, loop, &got);
    quiet(&notify, loop, &got);
    psNotifyClose(&notify);
    psNotifyClose(&notify);
    psNotifyClose(&other);
    psLoopFree(loop);
    return testDone();
}
