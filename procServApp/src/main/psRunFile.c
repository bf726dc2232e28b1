/* SPDX-License-Identifier: EPICS */
/*
 * Whoever replaces a file holds the write lock of the one that is there, and has seen after
 * locking that the path still leads to it.  A new file is locked before it gets its name.  So of
 * several programs that start at the same instant exactly one gets the file.
 *
 * The first byte of the lock says "it runs", the rest "it has not ended".  Both are write locks,
 * and read locks of others are overlooked: to read the file is enough to have one of those.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "psRunFile.h"

#define RUN_FILE_MODE 0644
#define RENAME_KEEP 1       /* RENAME_NOREPLACE, which not every C library has */
#define LOOK_NSEC 10000000L /* how often a file that another program has is looked at */
#define OPEN_FLAGS (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Whose file it is. */
typedef enum holder {
    holderNone,
    holderEnding,
    holderRuns,
    holderUnknown /* the file system has no locks, or the file is out of our reach */
} holder;

/* ---- locks ---- */

static struct flock wholeFile(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static struct flock firstByte(short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
}

/* @return 0 or -errno; -EAGAIN: somebody else holds a lock */
static int lockFile(int fd)
{
    struct flock lock = wholeFile(F_WRLCK);

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    return errno == EACCES ? -EAGAIN : -errno;
}

/* Asks for a read lock, with which only write locks of others interfere. */
static holder holderOf(int fd)
{
    struct flock runs = firstByte(F_RDLCK), any = wholeFile(F_RDLCK);

    if (fcntl(fd, F_OFD_GETLK, &runs) < 0 || fcntl(fd, F_OFD_GETLK, &any) < 0)
        return holderUnknown;
    if (runs.l_type != F_UNLCK)
        return holderRuns;
    return any.l_type != F_UNLCK ? holderEnding : holderNone;
}

/* The pid that the file names, as "N" or "pid:N"; 0: none. */
static pid_t readOwner(int fd)
{
    char text[32];
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    char *number = text;
    char *end;

    text[got > 0 ? got : 0] = '\0';
    if (strncmp(text, "pid:", 4) == 0)
        number += 4;
    long pid = strtol(number, &end, 10);
    return end > number && *end == '\n' && pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static double nowSec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Opened anew for each look: the path may lead to another file by now. */
static holder lookAt(const char *path, pid_t *outOwner)
{
    struct stat info;

    /* To open a FIFO would be noticed by whoever writes to it. */
    if (lstat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return holderUnknown;
    int fd = open(path, O_RDONLY | OPEN_FLAGS);
    if (fd < 0)
        return holderUnknown;
    holder found = holderOf(fd);
    if (found == holderRuns)
        *outOwner = readOwner(fd);
    close(fd);
    return found;
}

/* Since the first call for this file. */
static double waitedSec(psRunFile *self)
{
    if (self->beginSec <= 0)
        self->beginSec = nowSec();
    return nowSec() - self->beginSec;
}

static void pauseAWhile(void)
{
    static const struct timespec pause = {.tv_nsec = LOOK_NSEC};

    nanosleep(&pause, NULL);
}

int psRunFileAwait(psRunFile *self, bool (*giveUp)(void), pid_t *outOwner)
{
    pid_t owner = 0;
    double waited = waitedSec(self);
    holder found;

    while ((found = lookAt(self->path, &owner)) == holderRuns || found == holderEnding) {
        if (found == holderRuns && waited > PS_RUN_FILE_RUNNING_SEC) {
            *outOwner = owner;
            return -EBUSY;
        }
        if (waited > PS_RUN_FILE_ENDING_SEC)
            break;
        if (giveUp && giveUp())
            return -ECANCELED;
        pauseAWhile();
        waited = waitedSec(self);
    }
    return 0;
}

/* ---- writing ---- */

static int writeAll(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, text, len);

        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            text += done;
            len -= (size_t)done;
        }
    }
    return 0;
}

static mode_t fileMode(void)
{
    mode_t mask = umask(0);

    umask(mask);
    return RUN_FILE_MODE & ~mask;
}

/* The file could not be locked: does a program have it, or only a reader a lock of its own? */
static bool isTaken(psRunFile *self, int fd)
{
    holder found = holderOf(fd);

    return found == holderRuns ||
           (found == holderEnding && waitedSec(self) <= PS_RUN_FILE_ENDING_SEC);
}

/* Locks, writes, and notes which file it is.  The descriptor of a locked file is kept.
 * @return 0 or -errno; -EAGAIN: another program has it */
static int fill(psRunFile *self, int fd, const char *text, size_t len)
{
    struct stat info;
    bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    int locked = regular ? lockFile(fd) : -ENOTSUP;

    if (locked == -EAGAIN && isTaken(self, fd)) {
        close(fd);
        return -EAGAIN;
    }
    /* Not before the lock: O_TRUNC would have emptied the file of another. */
    int status = regular && ftruncate(fd, 0) < 0 ? -errno : 0;
    if (!status)
        status = writeAll(fd, text, len);
    self->ours = regular;
    self->dev = info.st_dev;
    self->ino = info.st_ino;
    self->lockError = regular ? -locked : 0;
    if (!status && !locked) {
        self->lockFd = fd; /* owned by self */
        return 0;
    }
    if (close(fd) < 0 && !status)
        status = -errno;
    return status;
}

/* Where no file can be made beside it, or it is no regular file. */
static int writeInPlace(psRunFile *self, const char *text, size_t len)
{
    int fd = open(self->path, O_WRONLY | O_CREAT | OPEN_FLAGS, RUN_FILE_MODE);

    return fd < 0 ? -errno : fill(self, fd, text, len);
}

/* As rename(), unless something has the name: -EEXIST.  Where the file system cannot do that
 * either, the last one of several that start at the same instant has the file. */
static int renameNew(const char *from, const char *to)
{
#ifdef SYS_renameat2
    if (syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_KEEP) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
#endif
    return rename(from, to) < 0 ? -errno : 0;
}

/* Give the file @p beside its name.  @return 0 or -errno; -EEXIST: something has the name, and it
 * was not to be replaced */
static int publish(const char *beside, const char *path, bool replace)
{
    if (replace)
        return rename(beside, path) < 0 ? -errno : 0;
    if (link(beside, path) < 0) /* some file systems have no links */
        return errno == EPERM || errno == EOPNOTSUPP ? renameNew(beside, path) : -errno;
    unlink(beside);
    return 0;
}

/* @return 0; 1: no file can be made there; -errno as publish() */
static int writeBeside(psRunFile *self, const char *text, size_t len, bool replace)
{
    char beside[PATH_MAX];
    int fd, status;

    if (snprintf(beside, sizeof(beside), "%s.XXXXXX", self->path) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) /* a file we may write to in a directory that we may not */
        return 1;
    /* Nobody else may read it yet, so nobody can lock it first. */
    status = fill(self, fd, text, len);
    if (!status)
        status = chmod(beside, fileMode()) < 0 ? -errno : 0;
    if (!status)
        status = publish(beside, self->path, replace);
    if (status) {
        self->ours = false;
        if (self->lockFd >= 0)
            close(self->lockFd);
        self->lockFd = -1;
        unlink(beside);
    }
    return status;
}

/* Does the path still lead to what @p fd has open? */
static bool isSame(const char *path, int fd)
{
    struct stat now, opened;

    return lstat(path, &now) == 0 && fstat(fd, &opened) == 0 && now.st_dev == opened.st_dev &&
           now.st_ino == opened.st_ino;
}

/* @return 0 or -errno; -EAGAIN: look at the path again */
static int takeOver(psRunFile *self, const char *text, size_t len)
{
    int old = open(self->path, O_RDWR | OPEN_FLAGS);

    if (old < 0) /* not ours to open, so nobody who respects locks has it */
        return errno == ENOENT ? -EAGAIN : writeBeside(self, text, len, true);
    int status = lockFile(old);
    if (status == -EAGAIN && isTaken(self, old))
        status = -EAGAIN;
    else if (!status && !isSame(self->path, old))
        status = -EAGAIN;
    else /* also where there are no locks, a reader has one, or somebody takes too long to end */
        status = writeBeside(self, text, len, true);
    close(old);
    return status;
}

/* @return 0 or -errno; -EAGAIN: somebody was faster */
static int tryWrite(psRunFile *self, const char *text, size_t len)
{
    struct stat info;
    int status;

    if (lstat(self->path, &info) == 0) {
        if (S_ISLNK(info.st_mode))
            return -ELOOP;
        status = S_ISREG(info.st_mode) ? takeOver(self, text, len) : 1;
    } else {
        if (errno != ENOENT)
            return -errno;
        status = writeBeside(self, text, len, false);
    }
    if (status > 0)
        status = writeInPlace(self, text, len);
    return status == -EEXIST ? -EAGAIN : status;
}

int psRunFileWrite(psRunFile *self, const char *text, size_t len, bool (*giveUp)(void),
                   pid_t *outOwner)
{
    for (;;) {
        int status = psRunFileAwait(self, giveUp, outOwner);

        if (!status)
            status = tryWrite(self, text, len);
        if (status != -EAGAIN)
            return status;
        /* It is one that we can write, but not look at: that has its end as well. */
        if (waitedSec(self) > PS_RUN_FILE_ENDING_SEC)
            return -EBUSY;
        if (giveUp && giveUp())
            return -ECANCELED;
        pauseAWhile();
    }
}

int psRunFileCheck(const char *path, pid_t *outOwner)
{
    psRunFile file = PS_RUN_FILE_INIT;
    char dir[PATH_MAX];
    struct stat info;

    if (lstat(path, &info) == 0) {
        if (S_ISLNK(info.st_mode))
            return -ELOOP;
        if (S_ISDIR(info.st_mode))
            return -EISDIR;
        file.path = path;
        return access(path, W_OK) < 0 ? -errno : psRunFileAwait(&file, NULL, outOwner);
    }
    if (errno != ENOENT)
        return -errno;
    if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
        return -ENAMETOOLONG;
    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = '\0';
    return access(slash ? dir : ".", W_OK | X_OK) < 0 ? -errno : 0;
}

void psRunFileYield(const psRunFile *self)
{
    struct flock lock = firstByte(F_UNLCK);

    if (self->lockFd >= 0) /* refused: whoever wants the file is told that we run */
        (void)fcntl(self->lockFd, F_OFD_SETLK, &lock);
}

void psRunFileRemove(psRunFile *self)
{
    struct stat info;

    if (self->ours && lstat(self->path, &info) == 0 && info.st_dev == self->dev &&
        info.st_ino == self->ino)
        unlink(self->path);
    self->ours = false;
}
