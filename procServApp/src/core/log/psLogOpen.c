/* SPDX-License-Identifier: EPICS */
/*
 * The last name of the path is opened with O_NOFOLLOW.  Where that shows a symbolic link, the link
 * itself is held by an O_PATH descriptor, which no rename can exchange, asked for its owner, and
 * read; what it says is the next path.  Each step is relative to a directory that is held open, so
 * that between looking and opening nobody can exchange anything but the last name, and that is
 * looked at again.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "log/psLogOpen.h"

#define LINKS 16 /* one after the other; more are taken for a circle */
#define OPEN_MODE 0644
/* O_NONBLOCK: a FIFO without a reader must not hold us up. */
#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* Where the path leads so far: @c name in the directory @c dir. */
typedef struct place {
    int dir; /* AT_FDCWD or owned here */
    char path[PATH_MAX];
    const char *name; /* the last part of path */
    bool missing;     /* there is nothing by that name */
} place;

static void leave(place *at)
{
    if (at->dir >= 0)
        close(at->dir);
    at->dir = AT_FDCWD;
}

/* Go on to @c at->path, seen from @c at->dir.  @return 0 or -errno */
static int enter(place *at)
{
    char *slash = strrchr(at->path, '/');
    int dir;

    if (!slash) {
        at->name = at->path;
        return 0;
    }
    at->name = slash + 1;
    if (!at->name[0])
        return -EISDIR;
    if (slash == at->path) {
        dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else {
        *slash = '\0';
        dir = openat(at->dir, at->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (dir < 0)
        return -errno;
    leave(at);
    at->dir = dir;
    return 0;
}

static bool isOwn(const struct stat *info)
{
    return info->st_uid == 0 || info->st_uid == geteuid();
}

/* Follow the link that is held by @p link: to the path it says.
 * @return 0; 1 if the kernel has to follow it; -errno */
static int readLink(place *at, int link)
{
    struct stat info;
    struct statfs system;
    char target[PATH_MAX];

    if (fstat(link, &info) < 0 || fstatfs(link, &system) < 0)
        return -errno;
    if (!S_ISLNK(info.st_mode))
        return 0; /* it was exchanged: look again at what it is now */
    if (!isOwn(&info))
        return -ELOOP;
    /* A link such as /proc/self/fd/1 is more than its text, and nobody can put one there. */
    if (system.f_type == PROC_SUPER_MAGIC)
        return 1;
    ssize_t len = readlinkat(link, "", target, sizeof(target));
    if (len < 0)
        return -errno;
    if (len >= (ssize_t)sizeof(target))
        return -ENAMETOOLONG;
    memcpy(at->path, target, (size_t)len);
    at->path[len] = '\0';
    return enter(at);
}

/* @return a descriptor or -errno */
static int tryOpen(place *at, int flags)
{
    int fd = openat(at->dir, at->name, OPEN_FLAGS | flags, OPEN_MODE);

    if (fd >= 0)
        return fd;
    at->missing = errno == ENOENT;
    return -errno;
}

static int followAndOpen(place *at, int flags)
{
    int status = enter(at);

    for (int links = 0; links < LINKS && !status; links++) {
        int fd = tryOpen(at, flags | O_NOFOLLOW);

        if (fd != -ELOOP)
            return fd;
        int link = openat(at->dir, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (link < 0)
            return -errno;
        status = readLink(at, link);
        close(link);
        if (status > 0)
            return tryOpen(at, flags);
    }
    return status ? status : -ELOOP;
}

/* @p at is left where the path leads, for leave(). */
static int openByPath(place *at, const char *path, int flags)
{
    at->dir = AT_FDCWD;
    at->name = at->path;
    at->missing = false;
    if (snprintf(at->path, sizeof(at->path), "%s", path) >= (int)sizeof(at->path))
        return -ENAMETOOLONG;
    return followAndOpen(at, flags);
}

int psLogOpen(const char *path)
{
    place at;
    int fd = openByPath(&at, path, O_CREAT);

    leave(&at);
    return fd;
}

int psLogOpenCheck(const char *path)
{
    place at;
    int fd = openByPath(&at, path, 0);
    int status = fd < 0 ? fd : 0;

    if (fd >= 0)
        close(fd);
    else if (at.missing) /* it would be made */
        status = faccessat(at.dir, ".", W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
    leave(&at);
    return status;
}

const char *psLogOpenReason(int error)
{
    switch (error) {
    case ELOOP:
        return "it is a symbolic link of another user, or there are too many links";
    case ENXIO:
        return "it is a FIFO that nobody reads, or a device that does not exist";
    default:
        return strerror(error);
    }
}
