/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psRunFile.h"

static char dir[] = "/tmp/psRunFileTestXXXXXX";
static char path[100], other[100];

static const char *content(const char *file)
{
    static char text[100];
    int fd = open(file, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0)
        close(fd);
    text[got < 0 ? 0 : got] = '\0';
    return text;
}

static void make(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        testAbort("can't make %s", file);
    close(fd);
}

static bool exists(const char *file)
{
    struct stat info;

    return lstat(file, &info) == 0;
}

static pid_t owner;

static int writeFile(psRunFile *file, const char *name, const char *text)
{
    return psRunFileWrite(file, name, text, strlen(text), NULL, &owner);
}

static void file_IsWrittenWholeAndRemoved(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    struct stat info;
    mode_t mask = umask(022);

    testOk1(psRunFileCheck(path, &owner) == 0 && !exists(path));
    make(path, "an old and longer one\n");
    testOk1(writeFile(&file, path, "123\n") == 0);
    testOk(strcmp(content(path), "123\n") == 0, "new content");
    testOk1(stat(path, &info) == 0 && (info.st_mode & 0777) == 0644);
    psRunFileRemove(&file);
    testOk1(!exists(path));
    psRunFileRemove(&file);
    umask(mask);
}

/* Something that locks nothing, as procServ. */
static void file_OfAnotherIsLeftAlone(void)
{
    psRunFile file = PS_RUN_FILE_INIT;

    testOk1(writeFile(&file, path, "1\n") == 0);
    unlink(path);
    make(path, "2\n");
    psRunFileRemove(&file);
    testOk(strcmp(content(path), "2\n") == 0, "the other's file stays");
    unlink(path);
}

/* ---- two programs ---- */

/* Another program: has the file, begins to end when it reads a byte, and ends at the next. */
typedef struct program {
    pid_t pid;
    int in, out;
} program;

static void beProgram(int in, int out)
{
    psRunFile file = PS_RUN_FILE_INIT;
    char text[32];
    char byte;

    epicsSnprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (writeFile(&file, path, text) || write(out, "w", 1) != 1 || read(in, &byte, 1) != 1)
        _exit(1);
    psRunFileYield(&file);
    if (write(out, "y", 1) != 1 || read(in, &byte, 1) != 1)
        _exit(1);
    psRunFileRemove(&file);
    _exit(0);
}

static void await(const program *rival, char expected)
{
    char byte = 0;

    if (read(rival->in, &byte, 1) != 1 || byte != expected)
        testAbort("the other program did not get to '%c'", expected);
}

static program startOther(void)
{
    int down[2], up[2];

    if (pipe(down) || pipe(up))
        testAbort("no pipe");
    program rival = {.in = up[0], .out = down[1], .pid = fork()};
    if (rival.pid < 0)
        testAbort("no process");
    if (rival.pid == 0)
        beProgram(down[0], up[1]);
    close(down[0]);
    close(up[1]);
    await(&rival, 'w');
    return rival;
}

static void go(const program *rival)
{
    if (write(rival->out, "g", 1) != 1)
        testAbort("the other program has ended");
}

static void reap(const program *rival)
{
    close(rival->in);
    close(rival->out);
    waitpid(rival->pid, NULL, 0);
}

static void second_IsRefusedWithTheFirstOnesPid(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    program rival = startOther();

    owner = 0;
    testOk1(psRunFileAwait(path, NULL, &owner) == -EBUSY);
    testOk1(owner == rival.pid);
    owner = 0;
    testOk1(psRunFileCheck(path, &owner) == -EBUSY && owner == rival.pid);
    owner = 0;
    testOk1(writeFile(&file, path, "1\n") == -EBUSY && owner == rival.pid);
    psRunFileRemove(&file);
    testOk(strtol(content(path), NULL, 10) == rival.pid, "the first one's file is untouched");
    go(&rival);
    go(&rival);
    reap(&rival);
    testOk1(!exists(path));
}

static void file_OfAKilledOneIsTakenOver(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    program rival = startOther();

    kill(rival.pid, SIGKILL);
    reap(&rival);
    testOk1(exists(path));
    testOk1(writeFile(&file, path, "1\n") == 0 && file.lockError == 0);
    testOk1(strcmp(content(path), "1\n") == 0);
    psRunFileRemove(&file);
    testOk1(!exists(path));
}

static const program *toEnd;

/* Asked while the other one is waited for: let it end at the third look. */
static bool endOther(void)
{
    static int looks;

    if (++looks == 3)
        go(toEnd);
    return false;
}

static bool always(void)
{
    return true;
}

static void one_ThatEndsIsWaitedFor(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    program rival = startOther();

    testOk1(psRunFileAwait(path, always, &owner) == -ECANCELED);
    go(&rival);
    await(&rival, 'y');
    testOk1(psRunFileAwait(path, always, &owner) == -ECANCELED);
    toEnd = &rival;
    testOk1(psRunFileWrite(&file, path, "1\n", 2, endOther, &owner) == 0);
    reap(&rival);
    testOk(strcmp(content(path), "1\n") == 0, "its end removes nothing of ours");
    psRunFileRemove(&file);
}

/* All start at once, with a file that a killed one left, or none. */
static void of_ManyOneGetsTheFile(bool stale)
{
    enum { many = 12 };
    pid_t pids[many];
    int gate[2], results[2];
    int winners = 0, refused = 0;
    char byte;

    if (pipe(gate) || pipe(results))
        testAbort("no pipe");
    if (stale)
        make(path, "99999999\n");
    for (int i = 0; i < many; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            psRunFile file = PS_RUN_FILE_INIT;

            close(gate[1]);
            (void)!read(gate[0], &byte, 1); /* until it is closed */
            int status = writeFile(&file, path, "1\n");
            (void)!write(results[1], status ? "r" : "w", 1);
            (void)!read(gate[0], &byte, 1);
            pause(); /* a winner keeps it */
        }
    }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < many && read(results[0], &byte, 1) == 1; i++)
        byte == 'w' ? winners++ : refused++;
    testOk(winners == 1 && refused == many - 1, "%s: %d got it, %d were refused",
           stale ? "a stale file" : "no file", winners, refused);
    for (int i = 0; i < many; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    close(results[0]);
    close(results[1]);
    unlink(path);
}

static void link_IsNotFollowed(void)
{
    psRunFile file = PS_RUN_FILE_INIT;

    make(other, "precious\n");
    testOk1(symlink(other, path) == 0);
    testOk1(psRunFileCheck(path, &owner) == -ELOOP);
    testOk1(writeFile(&file, path, "1\n") == -ELOOP);
    testOk(strcmp(content(other), "precious\n") == 0, "its target is untouched");
    psRunFileRemove(&file);
    testOk(exists(path) && exists(other), "nothing is removed");
    unlink(path);
    unlink(other);
}

static void device_IsWrittenToAndStays(void)
{
    psRunFile file = PS_RUN_FILE_INIT;

    testOk1(psRunFileCheck("/dev/null", &owner) == 0);
    testOk1(writeFile(&file, "/dev/null", "1\n") == 0);
    psRunFileRemove(&file);
    testOk1(exists("/dev/null"));
}

static void folder_MustExist(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    char deep[120];

    epicsSnprintf(deep, sizeof(deep), "%s/no/such", dir);
    testOk1(psRunFileCheck(deep, &owner) == -ENOENT);
    testOk1(writeFile(&file, deep, "1\n") == -ENOENT);
    testOk1(psRunFileCheck(dir, &owner) == -EISDIR);
    testOk1(writeFile(&file, dir, "1\n") == -EISDIR);
    psRunFileRemove(&file);
}

/* As on a file server without locks: the system refuses each one. */
static void refuseLocks(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_OFD_SETLK, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_OFD_GETLK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = NELEMENTS(code), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        _exit(2);
}

static void withoutLocks_ItIsWrittenAllTheSame(void)
{
    int status = 0;

    make(path, "1\n");
    pid_t pid = fork();
    if (pid == 0) {
        psRunFile file = PS_RUN_FILE_INIT;

        refuseLocks();
        int written = writeFile(&file, path, "2\n");
        _exit(written || file.lockError != ENOLCK || strcmp(content(path), "2\n") != 0);
    }
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
        testSkip(1, "no seccomp filter can be set");
    else
        testOk(status == 0, "and the reason is known");
    unlink(path);
}

MAIN(psRunFileTest)
{
    (void)argc;
    (void)argv;
    testPlan(37);
    if (!mkdtemp(dir))
        testAbort("no directory to work in");
    epicsSnprintf(path, sizeof(path), "%s/pid", dir);
    epicsSnprintf(other, sizeof(other), "%s/other", dir);
    file_IsWrittenWholeAndRemoved();
    file_OfAnotherIsLeftAlone();
    second_IsRefusedWithTheFirstOnesPid();
    file_OfAKilledOneIsTakenOver();
    one_ThatEndsIsWaitedFor();
    of_ManyOneGetsTheFile(false);
    of_ManyOneGetsTheFile(true);
    withoutLocks_ItIsWrittenAllTheSame();
    link_IsNotFollowed();
    device_IsWrittenToAndStays();
    folder_MustExist();
    testOk(rmdir(dir) == 0, "no file is left");
    return testDone();
}
