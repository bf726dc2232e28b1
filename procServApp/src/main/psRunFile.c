/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "psRunFile.h"

#define RUN_FILE_MODE 0644

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

/* Writes, notes which file it is, closes. */
static int fill(psRunFile *self, int fd, const char *text, size_t len)
{
    struct stat info;
    int status = writeAll(fd, text, len);

    if (fstat(fd, &info) == 0) {
        self->ours = S_ISREG(info.st_mode);
        self->dev = info.st_dev;
        self->ino = info.st_ino;
    }
    if (close(fd) < 0 && !status)
        status = -errno;
    return status;
}

/* Where no file can be made beside it, or it is no regular file. */
static int writeInPlace(psRunFile *self, const char *text, size_t len)
{
    int fd = open(self->path,
                  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                  RUN_FILE_MODE);

    return fd < 0 ? -errno : fill(self, fd, text, len);
}

static int replaceFile(psRunFile *self, const char *text, size_t len)
{
    char beside[PATH_MAX];
    int fd, status;

    if (snprintf(beside, sizeof(beside), "%s.XXXXXX", self->path) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    fd = mkostemp(beside, O_CLOEXEC);
    if (fd < 0) /* a file we may write to in a directory that we may not */
        return writeInPlace(self, text, len);
    status = fchmod(fd, fileMode()) < 0 ? -errno : 0;
    if (status)
        close(fd);
    else
        status = fill(self, fd, text, len);
    if (!status && rename(beside, self->path) < 0)
        status = -errno;
    if (status) {
        self->ours = false;
        unlink(beside);
    }
    return status;
}

int psRunFileWrite(psRunFile *self, const char *path, const char *text, size_t len)
{
    struct stat info;

    self->path = path;
    self->ours = false;
    if (lstat(path, &info) < 0)
        return errno == ENOENT ? replaceFile(self, text, len) : -errno;
    if (S_ISLNK(info.st_mode))
        return -ELOOP;
    return S_ISREG(info.st_mode) ? replaceFile(self, text, len) : writeInPlace(self, text, len);
}

int psRunFileCheck(const char *path)
{
    char dir[PATH_MAX];
    struct stat info;

    if (lstat(path, &info) == 0) {
        if (S_ISLNK(info.st_mode))
            return -ELOOP;
        if (S_ISDIR(info.st_mode))
            return -EISDIR;
        return access(path, W_OK) < 0 ? -errno : 0;
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

void psRunFileRemove(psRunFile *self)
{
    struct stat info;

    if (self->ours && lstat(self->path, &info) == 0 && info.st_dev == self->dev &&
        info.st_ino == self->ino)
        unlink(self->path);
    self->ours = false;
}
