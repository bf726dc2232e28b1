/* SPDX-License-Identifier: EPICS */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "process/psProcfs.h"

#define PATH_BYTES 40       /* "PID/limits" */
#define FILE_BYTES 4096     /* the longest of those files is a third of it */
#define ENTRIES_BYTES 16384 /* about 680 descriptors per call */

/* ---- the directory ---- */

int psProcfsOpen(psProcfs *self, const char *root)
{
    struct statfs info;

    self->dir = opendir(root ? root : "/proc");
    if (!self->dir)
        return -errno;
    self->isProc = fstatfs(dirfd(self->dir), &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
    return 0;
}

void psProcfsClose(psProcfs *self)
{
    if (self->dir)
        closedir(self->dir);
    self->dir = NULL;
}

void psProcfsRewind(psProcfs *self)
{
    rewinddir(self->dir);
}

pid_t psProcfsNext(psProcfs *self)
{
    const struct dirent *entry;

    while ((entry = readdir(self->dir)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            return (pid_t)strtol(entry->d_name, NULL, 10);
    return 0;
}

static void putPath(char *path, pid_t pid, const char *file)
{
    if (pid)
        snprintf(path, PATH_BYTES, "%d/%s", (int)pid, file);
    else
        snprintf(path, PATH_BYTES, "self/%s", file);
}

/* @return length of what is read, with a NUL after it, or -errno */
static ssize_t readFile(const psProcfs *self, pid_t pid, const char *file, char *out, size_t size)
{
    char path[PATH_BYTES];
    ssize_t length;

    putPath(path, pid, file);
    int fd = openat(dirfd(self->dir), path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    do {
        length = read(fd, out, size - 1);
    } while (length < 0 && errno == EINTR);
    if (length < 0)
        length = -errno;
    else
        out[length] = '\0';
    close(fd);
    return length;
}

/* ---- stat ---- */

/* Fields after the name, counted as in proc(5). */
enum {
    FIELD_STATE = 3,
    FIELD_PARENT = 4,
    FIELD_SESSION = 6,
    FIELD_UTIME = 14,
    FIELD_STIME = 15,
    FIELD_CUTIME = 16,
    FIELD_CSTIME = 17,
    FIELD_THREADS = 20,
    FIELD_START = 22,
    FIELD_SIZE = 23,
    FIELD_RSS = 24,
    FIELD_COUNT
};

/* Some are signed, none that counts here is negative.  @return false: there is no number */
static bool takeNumber(const char **text, uint64_t *out)
{
    char *end;

    if (**text != ' ')
        return false;
    errno = 0;
    long long number = strtoll(*text + 1, &end, 10);
    if (errno == ERANGE) /* 64 bits without sign: addresses, and limits that are none */
        number = LLONG_MAX;
    if (end == *text + 1 || isspace((unsigned char)(*text)[1]))
        return false;
    *out = number > 0 ? (uint64_t)number : 0;
    *text = end;
    return true;
}

static int toInt(uint64_t number)
{
    return number < INT_MAX ? (int)number : INT_MAX;
}

bool psProcfsParseStat(const char *text, psProcStat *out)
{
    const char *rest = strrchr(text, ')'); /* a later field has none */
    uint64_t field[FIELD_COUNT];

    if (!isdigit((unsigned char)*text) || !rest || rest[1] != ' ' ||
        !isalpha((unsigned char)rest[2]))
        return false;
    out->state = rest[2];
    rest += 3;
    for (int i = FIELD_STATE + 1; i < FIELD_COUNT; i++)
        if (!takeNumber(&rest, &field[i]))
            return false;
    if (*rest && !isspace((unsigned char)*rest))
        return false;
    out->pid = toInt(strtoull(text, NULL, 10));
    out->parent = toInt(field[FIELD_PARENT]);
    out->session = toInt(field[FIELD_SESSION]);
    out->threads = toInt(field[FIELD_THREADS]);
    out->cpuTicks = field[FIELD_UTIME] + field[FIELD_STIME];
    out->kidsTicks = field[FIELD_CUTIME] + field[FIELD_CSTIME];
    out->startTicks = field[FIELD_START];
    out->sizeBytes = field[FIELD_SIZE];
    out->rssBytes = field[FIELD_RSS] * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

bool psProcfsIsLive(const psProcStat *stat)
{
    if (stat->state == 'X' || stat->state == 'x')
        return false;
    /* of a process that lives on after its main thread ended, 'Z' is only that thread's state */
    return stat->state != 'Z' || stat->threads > 1;
}

int psProcfsStat(const psProcfs *self, pid_t pid, psProcStat *out)
{
    char text[FILE_BYTES];
    ssize_t length = readFile(self, pid, "stat", text, sizeof(text));

    if (length < 0)
        return (int)length;
    if (length == 0)
        return -ESRCH;
    return psProcfsParseStat(text, out) ? 0 : -EBADMSG;
}

/* ---- what else there is ---- */

/* Find "LABEL", at the beginning of a line, and the number after it.  @return false: none */
static bool findNumber(const char *text, const char *label, uint64_t *out)
{
    size_t len = strlen(label);
    char *end;

    while (strncmp(text, label, len) != 0) {
        text = strchr(text, '\n');
        if (!text)
            return false;
        text++;
    }
    text += len;
    while (*text == ' ')
        text++;
    if (!isdigit((unsigned char)*text))
        return false;
    *out = strtoull(text, &end, 10);
    return isspace((unsigned char)*end) || !*end;
}

int psProcfsIo(const psProcfs *self, pid_t pid, uint64_t *outRead, uint64_t *outWritten)
{
    char text[FILE_BYTES];
    uint64_t hasRead, hasWritten;
    ssize_t length = readFile(self, pid, "io", text, sizeof(text));

    if (length < 0)
        return (int)length;
    if (!findNumber(text, "rchar:", &hasRead) || !findNumber(text, "wchar:", &hasWritten))
        return -EBADMSG;
    *outRead = hasRead;
    *outWritten = hasWritten;
    return 0;
}

int psProcfsFdMax(const psProcfs *self, pid_t pid, int *outMax)
{
    static const char label[] = "Max open files";
    char text[FILE_BYTES];
    uint64_t number;
    ssize_t length = readFile(self, pid, "limits", text, sizeof(text));

    if (length < 0)
        return (int)length;
    const char *line = strstr(text, label);
    if (findNumber(text, label, &number))
        *outMax = toInt(number);
    else if (line && strncmp(line + sizeof(label) - 1 + strspn(line + sizeof(label) - 1, " "),
                             "unlimited", 9) == 0)
        *outMax = INT_MAX;
    else
        return length ? -EBADMSG : -ESRCH;
    return 0;
}

/* @return how many entries, without "." and "..", or -errno */
static int countEntries(int fd)
{
    char entries[ENTRIES_BYTES];
    int count = 0;
    long length;

    while ((length = syscall(SYS_getdents64, fd, entries, sizeof(entries))) > 0) {
        for (long at = 0; at < length;) {
            struct dirent64 entry;

            memcpy(&entry, entries + at, offsetof(struct dirent64, d_name) + 3);
            count += entry.d_name[0] != '.';
            at += entry.d_reclen;
        }
    }
    return length < 0 ? -errno : count;
}

int psProcfsFds(const psProcfs *self, pid_t pid, int *outCount)
{
    char path[PATH_BYTES];
    struct stat info;

    putPath(path, pid, "fd");
    /* Linux 6.2 and newer gives the number itself as the size.  It is what the limit holds for: a
     * thread that waits in accept() has a number already, of which there is no entry yet. */
    if (self->isProc && fstatat(dirfd(self->dir), path, &info, 0) == 0 && info.st_size > 0) {
        *outCount = toInt((uint64_t)info.st_size);
        return 0;
    }
    int fd = openat(dirfd(self->dir), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int count = countEntries(fd);
    close(fd);
    if (count < 0)
        return count;
    *outCount = count;
    return 0;
}

int psProcfsOomScore(const psProcfs *self, pid_t pid, int *outScore)
{
    char text[FILE_BYTES];
    uint64_t number;
    ssize_t length = readFile(self, pid, "oom_score", text, sizeof(text));

    if (length < 0)
        return (int)length;
    if (!findNumber(text, "", &number))
        return -EBADMSG;
    *outScore = toInt(number);
    return 0;
}
