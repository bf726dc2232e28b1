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
#include <time.h>
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
    file->path = name;
    return psRunFileWrite(file, text, strlen(text), NULL, &owner);
}

static int look(bool (*giveUp)(void))
{
    psRunFile file = {.path = path, .lockFd = -1};

    return psRunFileAwait(&file, giveUp, &owner);
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
    testOk1(look(NULL) == -EBUSY);
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
    psRunFile file = {.path = path, .lockFd = -1};
    program rival = startOther();

    testOk1(look(always) == -ECANCELED);
    go(&rival);
    await(&rival, 'y');
    testOk1(look(always) == -ECANCELED);
    toEnd = &rival;
    testOk1(psRunFileWrite(&file, "1\n", 2, endOther, &owner) == 0);
    reap(&rival);
    testOk(strcmp(content(path), "1\n") == 0, "its end removes nothing of ours");
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

/* As on a file system without hard links. */
static void refuseLinks(void)
{
#ifdef SYS_link
    const long call = SYS_link;
#else
    const long call = SYS_linkat;
#endif
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = NELEMENTS(code), .filter = code};

    /* Without it this is the test of a file system that has links. */
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* All start at once, with a file that a killed one left, or none. */
static void of_ManyOneGetsTheFile(bool stale, void (*prepare)(void))
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
            if (prepare)
                prepare();
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

/* ---- others that lock the file ---- */

enum { OWNER = 65534, READER = 65533 };

/* A process of @p uid that holds a lock of the whole file.  @return its pid */
static pid_t startLocker(uid_t uid, int flags, struct flock lock)
{
    int ready[2];
    char byte = 0;

    if (pipe(ready))
        testAbort("no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        close(ready[0]);
        alarm(100); /* should the test be ended before it ends us */
        int fd = uid && setuid(uid) ? -1 : open(path, flags);
        if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0)
            (void)!write(ready[1], "l", 1);
        pause();
    }
    close(ready[1]);
    if (pid < 0 || read(ready[0], &byte, 1) != 1)
        testAbort("the other process has no lock");
    close(ready[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* Write as @p uid.  @return the result; how long it took; errno of the lock */
static int writeAs(uid_t uid, double *outSec, int *outLockError)
{
    struct timespec begin, now;
    int results[2], got[2];

    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (pipe(results))
        testAbort("no pipe");
    pid_t pid = fork();
    if (pid == 0) {
        psRunFile file = PS_RUN_FILE_INIT;

        if (uid && setuid(uid))
            _exit(1);
        alarm(60); /* it is not to wait for ever */
        got[0] = writeFile(&file, path, "7\n");
        got[1] = file.lockError;
        _exit(write(results[1], got, sizeof(got)) != (ssize_t)sizeof(got));
    }
    close(results[1]);
    if (read(results[0], got, sizeof(got)) != (ssize_t)sizeof(got))
        got[0] = got[1] = -ETIMEDOUT;
    close(results[0]);
    waitpid(pid, NULL, 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    *outSec = (double)(now.tv_sec - begin.tv_sec) + 1e-9 * (double)(now.tv_nsec - begin.tv_nsec);
    *outLockError = got[1];
    return got[0];
}

/* In a directory that the owner of the file may write to, and in one that it may not. */
static void lock_OfAReader_StopsNobody(mode_t mode)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    double sec;
    int lockError;

    if (getuid() != 0) {
        testSkip(3, "only root can be somebody else");
        return;
    }
    make(path, "1\n");
    if (chown(path, OWNER, OWNER) || chmod(path, 0644) || chmod(dir, mode))
        testAbort("no file of somebody else");
    pid_t reader = startLocker(READER, O_RDONLY, lock);
    int status = writeAs(OWNER, &sec, &lockError);
    testOk(status == 0 && strcmp(content(path), "7\n") == 0, "it is written: %d", status);
    testOk(sec < PS_RUN_FILE_RUNNING_SEC, "at once: %.1f s", sec);
    testOk(lockError == (mode & S_IWOTH ? 0 : EAGAIN), "lockError %d", lockError);
    end(reader);
    chmod(dir, 0700);
    unlink(path);
}

/* Two waits of one start: for the file before anything is opened, and when it is written. */
static void one_ThatNeverEnds_IsWaitedForOnce(void)
{
    psRunFile file = {.path = path, .lockFd = -1};
    struct timespec begin, now;

    program rival = startOther();
    go(&rival);
    await(&rival, 'y');
    clock_gettime(CLOCK_MONOTONIC, &begin);
    testOk1(psRunFileAwait(&file, NULL, &owner) == 0);
    testOk1(psRunFileWrite(&file, "7\n", 2, NULL, &owner) == 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    testOk1(now.tv_sec - begin.tv_sec <= PS_RUN_FILE_ENDING_SEC + 5);
    testOk1(strcmp(content(path), "7\n") == 0);
    go(&rival);
    reap(&rival);
    psRunFileRemove(&file);
}

/* One may write to it, but not read it, and a program has it. */
static void one_ThatCannotBeLookedAt_IsNotWaitedForForEver(void)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    double sec;
    int lockError;

    if (getuid() != 0) {
        testSkip(1, "only root can be somebody else");
        return;
    }
    make(path, "1\n");
    if (chmod(path, 0222) || chmod(dir, 0755))
        testAbort("no file that cannot be read");
    pid_t locker = startLocker(0, O_WRONLY, lock);
    int status = writeAs(OWNER, &sec, &lockError);
    testOk(status == -EBUSY, "it is refused after %.1f s: %d", sec, status);
    end(locker);
    chmod(dir, 0700);
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
    testPlan(49);
    if (!mkdtemp(dir))
        testAbort("no directory to work in");
    epicsSnprintf(path, sizeof(path), "%s/pid", dir);
    epicsSnprintf(other, sizeof(other), "%s/other", dir);
    file_IsWrittenWholeAndRemoved();
    file_OfAnotherIsLeftAlone();
    second_IsRefusedWithTheFirstOnesPid();
    file_OfAKilledOneIsTakenOver();
    one_ThatEndsIsWaitedFor();
    of_ManyOneGetsTheFile(false, NULL);
    of_ManyOneGetsTheFile(true, NULL);
    of_ManyOneGetsTheFile(false, refuseLinks);
    lock_OfAReader_StopsNobody(0777);
    lock_OfAReader_StopsNobody(0755);
    one_ThatNeverEnds_IsWaitedForOnce();
    one_ThatCannotBeLookedAt_IsNotWaitedForForEver();
    withoutLocks_ItIsWrittenAllTheSame();
    link_IsNotFollowed();
    device_IsWrittenToAndStays();
    folder_MustExist();
    testOk(rmdir(dir) == 0, "no file is left");
    return testDone();
}
