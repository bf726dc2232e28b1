/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "process/psShort.h"

#define NUMBER_BYTES 32

/* A number from /proc/sys; "unknown" where it cannot be read, for one for want of a descriptor. */
static void readNumber(const char *path, char out[NUMBER_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, NUMBER_BYTES - 1);

    if (fd >= 0)
        close(fd);
    out[got > 0 ? got : 0] = '\0';
    out[strcspn(out, " \t\n")] = '\0';
    if (!out[0])
        snprintf(out, NUMBER_BYTES, "unknown");
}

static void readLimit(__rlimit_resource_t which, char out[NUMBER_BYTES])
{
    struct rlimit limit;

    if (getrlimit(which, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        snprintf(out, NUMBER_BYTES, "%llu", (unsigned long long)limit.rlim_cur);
    else
        snprintf(out, NUMBER_BYTES, "unlimited");
}

void psShortReason(int error, bool pty, char *out, size_t size)
{
    char buffer[128], number[NUMBER_BYTES];
    const char *words = strerror_r(error, buffer, sizeof(buffer));

    if (error == ENOSPC && pty) { /* the kernel's word for it is that of a full disk */
        readNumber("/proc/sys/kernel/pty/max", number);
        snprintf(out, size, "no pseudo terminal is left (kernel.pty.max is %s)", number);
    } else if (error == EMFILE) {
        readLimit(RLIMIT_NOFILE, number);
        snprintf(out, size, "%s (RLIMIT_NOFILE is %s: raise LimitNOFILE= or ulimit -n)", words,
                 number);
    } else if (error == ENFILE) {
        readNumber("/proc/sys/fs/file-max", number);
        snprintf(out, size, "%s (fs.file-max is %s)", words, number);
    } else if (error == EAGAIN) {
        readLimit(RLIMIT_NPROC, number);
        snprintf(out, size, "%s (RLIMIT_NPROC is %s; or see pids.max, TasksMax= of systemd)", words,
                 number);
    } else {
        snprintf(out, size, "%s", words);
    }
}
