/* SPDX-License-Identifier: EPICS */
/* What /proc says, also where it says something strange. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "process/psProcfs.h"
#include "psProcRoot.h"

#define REST "S 10 20 30 34816 55 4194560 9 8 7 6 101 102 203 204 20 0 5 0 777 8192000 300"
#define MORE " 18446744073709551615 94 95 96 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n"

static const char *const names[] = {
    "bash", "", " ", "a b", ")", "(", ") S 1 2 3", "x) R 9 9 9 9", "a\nb", "\xff\xfe)", "))))",
};

static void name_Any_IsSkipped(void)
{
    char text[512];
    psProcStat stat;

    testDiag("name_Any_IsSkipped");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text), "1234 (%s) " REST MORE, names[i]);
        testOk(psProcfsParseStat(text, &stat) && stat.pid == 1234 && stat.state == 'S' &&
                   stat.parent == 10 && stat.session == 30 && stat.threads == 5 &&
                   stat.cpuTicks == 203 && stat.kidsTicks == 407 && stat.startTicks == 777 &&
                   stat.sizeBytes == 8192000 &&
                   stat.rssBytes == 300u * (uint64_t)sysconf(_SC_PAGESIZE),
               "name %zu", i);
    }
}

static void text_CutOff_IsRefused(void)
{
    static const char whole[] = "1234 (bash) " REST;
    char text[sizeof(whole)];
    psProcStat stat;
    int accepted = 0;

    testDiag("text_CutOff_IsRefused");
    for (size_t len = 0; len < sizeof(whole) - 3; len++) { /* of the last number one digit may do */
        memcpy(text, whole, len);
        text[len] = '\0';
        accepted += psProcfsParseStat(text, &stat);
    }
    testOk(accepted == 0, "%d of %zu were accepted", accepted, sizeof(whole) - 3);
}

static void text_Nonsense_IsRefused(void)
{
    static const char *const texts[] = {
        "",
        ")",
        "(a)",
        "1234",
        "x (a) " REST,
        "-5 (a) " REST,
        "1234 (a) 9 10 20 30 34816 55 4194560 9 8 7 6 101 102 203 204 20 0 5 0 777 8192000 300",
        "1234 (a) S 10 20 x0 34816 55 4194560 9 8 7 6 101 102 203 204 20 0 5 0 777 8192000 300",
        "1234 (a) S 10 20  30 34816 55 4194560 9 8 7 6 101 102 203 204 20 0 5 0 777 8192000 300",
        "1234 (a) S 10 20 30 34816 55 4194560 9 8 7 6 101 102 203 204 20 0 5 0 777 8192000 300x",
        "1234 (a)S 10 20 30 34816 55 4194560 9 8 7 6 101 102 203 204 20 0 5 0 777 8192000 300",
    };
    psProcStat stat;

    testDiag("text_Nonsense_IsRefused");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        testOk(!psProcfsParseStat(texts[i], &stat), "\"%s\"", texts[i]);
}

static void numbers_Huge_AreLimited(void)
{
    psProcStat stat;

    testDiag("numbers_Huge_AreLimited");
    testOk1(
        psProcfsParseStat("99999999999 (a) S -1 20 99999999999 34816 55 4194560 9 8 7 6 101 102 "
                          "-3 99999999999999999999999 20 0 99999999999 0 777 8192000 -1 1\n",
                          &stat));
    testOk1(stat.pid == INT_MAX && stat.parent == 0 && stat.session == INT_MAX);
    testOk1(stat.threads == INT_MAX && stat.kidsTicks == LLONG_MAX && stat.rssBytes == 0);
}

static void ourselves_AreRight(void)
{
    uint64_t hasRead, written, readAgain, writtenAgain;
    int fds, more, max, score;
    struct rlimit limit;
    psProcStat stat;
    psProcfs proc = {0};
    char byte[1000];

    testDiag("ourselves_AreRight");
    testOk1(psProcfsOpen(&proc, NULL) == 0 && proc.isProc);
    testOk1(psProcfsStat(&proc, 0, &stat) == 0 && stat.pid == getpid() && stat.parent == getppid());
    testOk1(psProcfsIsLive(&stat));
    testOk1(psProcfsFds(&proc, 0, &fds) == 0);
    int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    testOk1(psProcfsFds(&proc, getpid(), &more) == 0 && more == fds + 1);
    testOk1(psProcfsIo(&proc, 0, &hasRead, &written) == 0);
    ssize_t length = read(fd, byte, sizeof(byte));
    testOk1(length == sizeof(byte) && psProcfsIo(&proc, 0, &readAgain, &writtenAgain) == 0);
    testOk(readAgain >= hasRead + 1000 && readAgain < hasRead + 9000, "%llu bytes were read",
           (unsigned long long)(readAgain - hasRead));
    close(fd);
    getrlimit(RLIMIT_NOFILE, &limit);
    testOk1(psProcfsFdMax(&proc, 0, &max) == 0 && (rlim_t)max == limit.rlim_cur);
    testOk1(psProcfsOomScore(&proc, 0, &score) == 0 && score >= 0 && score <= 2000);
    pid_t pid, last = 0;
    bool found = false;
    while ((pid = psProcfsNext(&proc)) != 0) {
        found = found || pid == getpid();
        last = pid;
    }
    testOk1(found && last > 0);
    psProcfsRewind(&proc);
    testOk1(psProcfsNext(&proc) != 0);
    psProcfsClose(&proc);
    psProcfsClose(&proc);
}

static void goneOrForbidden_IsAnError(void)
{
    psProcfs proc = {0};
    psProcStat stat;
    uint64_t hasRead, written;
    int number = -7;
    pid_t none = INT_MAX;

    testDiag("goneOrForbidden_IsAnError");
    testOk1(psProcfsOpen(&proc, "/does/not/exist") == -ENOENT);
    testOk1(psProcfsOpen(&proc, NULL) == 0);
    testOk1(psProcfsStat(&proc, none, &stat) == -ENOENT);
    testOk1(psProcfsIo(&proc, none, &hasRead, &written) == -ENOENT);
    testOk1(psProcfsFdMax(&proc, none, &number) == -ENOENT && number == -7);
    testOk1(psProcfsFds(&proc, none, &number) == -ENOENT && number == -7);
    testOk1(psProcfsOomScore(&proc, none, &number) == -ENOENT && number == -7);
    psProcfsClose(&proc);
}

static void directory_OfTheTest(void)
{
    psProcRoot root;
    psProcfs proc = {0};
    psProcStat stat;
    uint64_t hasRead, written;
    int number;

    testDiag("directory_OfTheTest");
    psProcRootOpen(&root);
    psProcRootWrite(&root, "77", "stat", "77 (a) " REST MORE);
    psProcRootWrite(&root, "77", "io", "rchar: 12\nwchar: 34\nsyscr: 5\n");
    psProcRootWrite(
        &root, "77", "limits",
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max open files            unlimited            unlimited            files     \n");
    psProcRootWrite(&root, "77", "oom_score", "667\n");
    psProcRootFds(&root, "77", 1500);
    psProcRootWrite(&root, "78", "stat", "78 (a) Z nothing\n");
    psProcRootWrite(&root, "78", "io", "rchar: \nwchar: 34\n");
    psProcRootWrite(&root, "78", "limits", "Max open files            many\n");
    psProcRootWrite(&root, "78", "oom_score", "\n");
    psProcRootWrite(&root, "79", "stat", "");
    testOk1(psProcfsOpen(&proc, root.dir) == 0 && !proc.isProc);
    testOk1(psProcfsStat(&proc, 77, &stat) == 0 && stat.session == 30);
    testOk1(psProcfsIo(&proc, 77, &hasRead, &written) == 0 && hasRead == 12 && written == 34);
    testOk1(psProcfsFdMax(&proc, 77, &number) == 0 && number == INT_MAX);
    testOk1(psProcfsFds(&proc, 77, &number) == 0 && number == 1500);
    testOk1(psProcfsOomScore(&proc, 77, &number) == 0 && number == 667);
    testOk1(psProcfsStat(&proc, 78, &stat) == -EBADMSG);
    testOk1(psProcfsIo(&proc, 78, &hasRead, &written) == -EBADMSG);
    testOk1(psProcfsFdMax(&proc, 78, &number) == -EBADMSG);
    testOk1(psProcfsOomScore(&proc, 78, &number) == -EBADMSG);
    testOk1(psProcfsFds(&proc, 78, &number) == -ENOENT);
    testOk1(psProcfsStat(&proc, 79, &stat) == -ESRCH);
    testOk1(psProcfsStat(&proc, 0, &stat) == -ENOENT);
    psProcfsClose(&proc);
    psProcRootClose(&root);
}

static void live_OrNot(void)
{
    psProcStat stat = {.state = 'Z', .threads = 1};

    testDiag("live_OrNot");
    testOk1(!psProcfsIsLive(&stat));
    stat.threads = 2;
    testOk1(psProcfsIsLive(&stat));
    stat.state = 'X';
    testOk1(!psProcfsIsLive(&stat));
    stat.state = 'D';
    testOk1(psProcfsIsLive(&stat));
}

MAIN(psProcfsTest)
{
    (void)argc;
    (void)argv;
    testPlan(62);
    name_Any_IsSkipped();
    text_CutOff_IsRefused();
    text_Nonsense_IsRefused();
    numbers_Huge_AreLimited();
    ourselves_AreRight();
    goneOrForbidden_IsAnError();
    directory_OfTheTest();
    live_OrNot();
    return testDone();
}
