/* SPDX-License-Identifier: EPICS */
/*
 * How there is one server per path:
 *
 * - bind() makes the file or fails, in one step.  Whoever binds has the path.
 * - A file is only ever removed while it is the living socket of the one who removes it, or when
 *   it was seen to be dead by the holder of a lock.  So nobody removes what another has just made.
 * - Being dead is asked of the kernel by a datagram socket: connecting it to a stream socket
 *   fails with EPROTOTYPE, whether that listens already or not, and with ECONNREFUSED if no
 *   socket is bound there.  The server that lives there sees nothing of it.
 * - The look comes after a bind() that failed.  bind() holds the directory's lock in the kernel
 *   from before the file is there until the socket is found by it, so a file that another bind()
 *   is just making is never taken for a dead one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <epicsStdio.h>
#include <epicsThread.h>

#include "base/psNameLock.h"
#include "console/psSocketFile.h"

#define LOCK_TRIES 1000
#define LOCK_PAUSE_SEC 0.001
#define REPLACE_TRIES 100
#define UNIX_FILE SIOCPROTOPRIVATE /* SIOCUNIXFILE of linux/un.h, which sys/un.h rules out */

static void makeAddress(const char *path, struct sockaddr_un *out)
{
    memset(out, 0, sizeof(*out));
    out->sun_family = AF_UNIX;
    memcpy(out->sun_path, path, strnlen(path, sizeof(out->sun_path) - 1));
}

static int bindTo(int fd, const char *path)
{
    struct sockaddr_un address;

    makeAddress(path, &address);
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* ---- dead or alive ---- */

/* @return the errno of connecting a datagram socket, 0 if it can be connected */
static int connectError(const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return errno;
    makeAddress(path, &address);
    int error = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
    close(fd);
    return error;
}

/* A socket of ours to which its mode does not even let us connect: it gets that right for the
 * moment.  One without any right is left alone: it may be about to get its mode. */
static int connectErrorAsOwner(const char *path)
{
    char proc[32];
    struct stat st;
    int error = EACCES;
    int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (file < 0)
        return errno;
    epicsSnprintf(proc, sizeof(proc), "/proc/self/fd/%d", file);
    if (fstat(file, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == geteuid() &&
        (st.st_mode & 07777) != 0 && chmod(proc, (st.st_mode & 07777) | S_IWUSR) == 0) {
        error = connectError(proc);
        (void)chmod(proc, st.st_mode & 07777); /* as it worked a moment ago */
    }
    close(file);
    return error;
}

int psSocketFileLook(const char *path)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    int error = connectError(path);
    if (error == EACCES)
        error = connectErrorAsOwner(path);
    switch (error) {
    case ECONNREFUSED:
        return 1;
    case ENOENT:
        return 0; /* gone meanwhile */
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return -error;
    default:
        return -EADDRINUSE; /* in doubt it is somebody's */
    }
}

/* ---- making it ---- */

/* A lock without a file.  Anybody may take it: it is not waited for longer than it takes to look
 * and to bind a thousand times.
 * @return a descriptor whose closing unlocks, or -1: go on without */
static int lockDirectory(const char *path)
{
    char directory[PS_SOCKET_PATH_BYTES], name[64];
    struct stat st;
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) : 0;

    epicsSnprintf(directory, sizeof(directory), "%.*s", len ? len : 1,
                  slash ? (len ? path : "/") : ".");
    if (stat(directory, &st) < 0)
        return -1;
    epicsSnprintf(name, sizeof(name), "procServIoc:%lx:%lx", (unsigned long)st.st_dev,
                  (unsigned long)st.st_ino);
    int fd = psNameLockTake(name, 1);
    for (int i = 0; i < LOCK_TRIES && fd == -EADDRINUSE; i++) {
        epicsThreadSleep(LOCK_PAUSE_SEC);
        fd = psNameLockTake(name, 1);
    }
    return fd < 0 ? -1 : fd;
}

/* Under the lock.  A look always follows a bind() that failed. */
static int replaceDead(int fd, const char *path)
{
    for (int i = 0; i < REPLACE_TRIES; i++) {
        int status = bindTo(fd, path);

        if (status != -EADDRINUSE)
            return status;
        status = psSocketFileLook(path);
        if (status < 0)
            return status;
        if (status == 1 && unlink(path) < 0 && errno != ENOENT)
            return -errno;
    }
    return -EADDRINUSE; /* somebody makes and removes it again and again */
}

static int takePath(int fd, const char *path)
{
    int status = bindTo(fd, path);

    if (status != -EADDRINUSE)
        return status;
    status = psSocketFileLook(path);
    if (status < 0)
        return status;
    int lock = lockDirectory(path);
    status = replaceDead(fd, path);
    if (lock >= 0)
        close(lock);
    return status;
}

/* Through a descriptor of that very file.  Root, who could be made to give away any file here, gets
 * it from the socket; others open the path, where they can change their own files only. */
static int setOwnerAndMode(int socketFd, const psSocketFile *file, const psEndpoint *endpoint)
{
    char proc[32];
    struct stat st;
    int status = 0;
    int fd = ioctl(socketFd, UNIX_FILE);

    if (fd < 0)
        fd = open(file->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    epicsSnprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
    if (fstat(fd, &st) < 0)
        status = -errno;
    else if (st.st_dev != file->dev || st.st_ino != file->ino)
        status = -EEXIST; /* somebody replaced it */
    else if ((endpoint->uid != (uid_t)-1 || endpoint->gid != (gid_t)-1) &&
             fchownat(fd, "", endpoint->uid, endpoint->gid, AT_EMPTY_PATH) < 0)
        status = -errno;
    else if (chmod(proc, endpoint->mode & 07777) < 0)
        status = -errno;
    close(fd);
    return status;
}

/* The file just bound: its identity, for the end, then its owner and mode. */
static int adopt(psSocketFile *out, int fd, const psEndpoint *endpoint)
{
    struct stat st;

    if (lstat(endpoint->path, &st) < 0)
        return -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST; /* somebody replaced it */
    psSocketFile made = {.dev = st.st_dev, .ino = st.st_ino};
    memcpy(made.path, endpoint->path, sizeof(made.path));
    int status = setOwnerAndMode(fd, &made, endpoint);
    if (status)
        psSocketFileRemove(&made);
    else
        *out = made;
    return status;
}

int psSocketFileBind(psSocketFile *out, int fd, const psEndpoint *endpoint)
{
    /* The file gets the mode of the descriptor.  Where that has no effect, listen() is late
     * enough still. */
    fchmod(fd, 0);
    int status = takePath(fd, endpoint->path);
    return status ? status : adopt(out, fd, endpoint);
}

void psSocketFileRemove(psSocketFile *file)
{
    struct stat st;

    if (file->path[0] && lstat(file->path, &st) == 0 && st.st_dev == file->dev &&
        st.st_ino == file->ino)
        unlink(file->path);
    file->path[0] = 0;
}
