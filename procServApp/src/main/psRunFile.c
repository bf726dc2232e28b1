/* SPDX-License-Identifier: EPICS */
/*
 * Whoever replaces a file holds the write lock of the one that is there, and has seen after
 * locking that the path still leads to it.  A new file is locked before it gets its name.  So of
 * several programs that start at the same instant exactly one gets the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "psRunFile.h"

#define RUN_FILE_MODE 0644
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

/* @return 0 or -errno; -EAGAIN or -EACCES: somebody else holds a lock */
static int lockFile(int fd, short type)
{
    struct flock lock = wholeFile(type);

    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static holder holderOf(int fd)
{
    struct flock lock = wholeFile(F_WRLCK);

    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return holderUnknown;
    if (lock.l_type == F_UNLCK)
        return holderNone;
    return lock.l_type == F_WRLCK ? holderRuns : holderEnding;
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

int psRunFileAwait(const char *path, bool (*giveUp)(void), pid_t *outOwner)
{
    static const struct timespec pause = {.tv_nsec = LOOK_NSEC};
    double begin = nowSec();
    pid_t owner = 0;
    holder found;

    while ((found = lookAt(path, &owner)) == holderRuns || found == holderEnding) {
        double waited = nowSec() - begin;

        if (found == holderRuns && waited > PS_RUN_FILE_RUNNING_SEC) {
            *outOwner = owner;
            return -EBUSY;
        }
        if (waited > PS_RUN_FILE_ENDING_SEC)
            break;
        if (giveUp && giveUp())
            return -ECANCELED;
        nanosleep(&pause, NULL);
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

/* Locks, writes, and notes which file it is.  The descriptor of a locked file is kept.
 * @return 0 or -errno; -EAGAIN: somebody else has locked it */
static int fill(psRunFile *self, int fd, const char *text, size_t len)
{
    struct stat info;
    bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    int locked = regular ? lockFile(fd, F_WRLCK) : -ENOTSUP;

    if (locked == -EAGAIN || locked == -EACCES) {
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

/* Give the file @p beside its name.  @return 0 or -errno; -EEXIST: something has the name, and it
 * was not to be replaced */
static int publish(const char *beside, const char *path, bool replace)
{
    if (replace)
        return rename(beside, path) < 0 ? -errno : 0;
    if (link(beside, path) < 0)
        /* some file systems have no links: then the name is taken if it is free now */
        return errno == EPERM || errno == EOPNOTSUPP ? publish(beside, path, true) : -errno;
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
    status = fchmod(fd, fileMode()) < 0 ? -errno : 0;
    if (status)
        close(fd);
    else
        status = fill(self, fd, text, len);
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
    int status = lockFile(old, F_WRLCK);
    if ((status == -EAGAIN || status == -EACCES) && holderOf(old) == holderRuns)
        status = -EAGAIN;
    else if (!status && !isSame(self->path, old))
        status = -EAGAIN;
    else /* also where there are no locks, or one has taken too long to end */
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

int psRunFileWrite(psRunFile *self, const char *path, const char *text, size_t len,
                   bool (*giveUp)(void), pid_t *outOwner)
{
    int status;

    *self = (psRunFile){.path = path, .lockFd = -1};
    do {
        status = psRunFileAwait(path, giveUp, outOwner);
        if (!status)
            status = tryWrite(self, text, len);
    } while (status == -EAGAIN);
    return status;
}

int psRunFileCheck(const char *path, pid_t *outOwner)
{
    char dir[PATH_MAX];
    struct stat info;

    if (lstat(path, &info) == 0) {
        if (S_ISLNK(info.st_mode))
            return -ELOOP;
        if (S_ISDIR(info.st_mode))
            return -EISDIR;
        return access(path, W_OK) < 0 ? -errno : psRunFileAwait(path, NULL, outOwner);
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
    /* A file that is open for writing only cannot have a read lock: then it is let go. */
    if (self->lockFd >= 0 && lockFile(self->lockFd, F_RDLCK))
        (void)lockFile(self->lockFd, F_UNLCK);
}

void psRunFileRemove(psRunFile *self)
{
    struct stat info;

    if (self->ours && lstat(self->path, &info) == 0 && info.st_dev == self->dev &&
        info.st_ino == self->ino)
        unlink(self->path);
    self->ours = false;
}
