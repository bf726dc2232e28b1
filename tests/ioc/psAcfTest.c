/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psAcf.h"
#include "psHosts.h"

/* What read() does to the file: it comes before libc's, so that psAcf.c calls it. */
static enum { readsAll, readsByteByByte, interruptsOnce, failsAfterHalf, endsAfterHalf } how;
static size_t given; /* bytes so far */

#define HALF 20

ssize_t read(int fd, void *buf, size_t size)
{
    if (how == interruptsOnce) {
        how = readsAll;
        errno = EINTR;
        return -1;
    }
    if (how == readsByteByByte && size > 1)
        size = 1;
    if ((how == failsAfterHalf || how == endsAfterHalf) && given >= HALF) {
        errno = EIO;
        return how == failsAfterHalf ? -1 : 0;
    }
    if ((how == failsAfterHalf || how == endsAfterHalf) && size > HALF - given)
        size = HALF - given;
    ssize_t got = syscall(SYS_read, fd, buf, size);
    given += got > 0 ? (size_t)got : 0;
    return got;
}

static const char *const users[] = {"root", "o@ps", NULL};
static const char *const hosts[] = {"127.0.0.1", NULL};

static void expect(const char *text, const char *wanted)
{
    char *got = psAcfExpand(text, users, hosts);

    testOk(got && strcmp(got, wanted) == 0, "<%s> gives <%s>", text, got ? got : "nothing");
    free(got);
}

static char path[] = "psAcfTest-XXXXXX";

static void writeFile(const char *text)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        testAbort("%s: %s", path, strerror(errno));
    close(fd);
}

static void isUsed(int with, const char *name)
{
    char msg[200] = "";

    how = with;
    given = 0;
    testOk(!psAcfUse(path, msg, sizeof(msg)), "%s: it is used %s", name, msg);
    how = readsAll;
}

static void isRefused(int with, const char *name, const char *reason)
{
    char msg[200] = "";

    how = with;
    given = 0;
    int status = psAcfUse(path, msg, sizeof(msg));
    how = readsAll;
    testOk(status < 0 && strstr(msg, path) && strstr(msg, reason), "%s: it is refused: %s", name,
           msg);
}

/* Half of the rules may open what the whole closes. */
static void halfFile(void)
{
    int fd = mkstemp(path);

    if (fd < 0)
        testAbort("mkstemp: %s", strerror(errno));
    close(fd);
    writeFile("ASG(DEFAULT) { RULE(1, READ) }\nASG(PS_CMD) { RULE(1, READ) }\n");
    isUsed(readsAll, "a whole file");
    isUsed(readsByteByByte, "a file that comes byte by byte");
    isUsed(interruptsOnce, "a read that a signal interrupts");
    isRefused(failsAfterHalf, "a read error", "Input/output error");
    isRefused(endsAfterHalf, "a file that becomes shorter", "the file changed while it was read");
    testOk(psAcfRenew() == 0, "rules without addresses need no new ones");
    writeFile("HAG(h) {$(PS_HOSTS)}\n");
    isUsed(readsAll, "a file that names this host");
    testOk(psAcfRenew() == 0, "no address has changed");
    unlink(path);
}

static void addresses(void)
{
    psHosts one = PS_HOSTS_INIT, other = PS_HOSTS_INIT;

    testOk(!psHostsInit(&one) && !psHostsInit(&other), "this host has %d addresses",
           (int)one.count);
    testOk1(psHostsEqual(&one, &other));
    size_t twice = 0;
    for (size_t i = 1; i < one.count; i++)
        twice += strcmp(one.items[i - 1], one.items[i]) >= 0;
    testOk(!twice, "each is there once");
    testOk1(!one.items || !one.items[one.count]);
    psHostsClear(&other);
    psHostsClear(&other);
    testOk1(psHostsEqual(&one, &other) == (one.count == 0));
    psHostsClear(&one);
}

MAIN(psAcfTest)
{
    char msg[200] = "";

    testPlan(0);
    expect("", "");
    expect("UAG(u) {$(PS_USERS)}", "UAG(u) {\"root\",\n    \"o@ps\"}");
    expect("${PS_HOSTS}", "\"127.0.0.1\"");
    expect("$(PS_USER) $(PS_USERSX) $ $( $PS_USERS", "$(PS_USER) $(PS_USERSX) $ $( $PS_USERS");
    expect("$(PS_HOSTS}", "$(PS_HOSTS}");
    testOk(psAcfUse("/nowhere/at/all", msg, sizeof(msg)) < 0 && strstr(msg, "/nowhere/at/all"),
           "a missing file is named: %s", msg);
    testOk(psAcfUse("/", msg, sizeof(msg)) < 0, "a folder is refused: %s", msg);
    halfFile();
    addresses();
    testOk(!psAcfUseClosed(), "the closed rules can always be used");
    return testDone();
}
