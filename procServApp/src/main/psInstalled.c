/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <epicsStdio.h>

#include "psInstalled.h"

int psInstalled(const char *file, char *out, size_t size, char *msg, size_t msgSize)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len <= 0) {
        int status = len < 0 ? -errno : -ENOENT;

        epicsSnprintf(msg, msgSize, "cannot read /proc/self/exe: %s", strerror(-status));
        return status;
    }
    path[len] = '\0';
    for (int i = 0; i < 3; i++) { /* the program, ARCH, bin */
        char *slash = strrchr(path, '/');

        if (slash)
            *slash = '\0';
    }
    if (epicsSnprintf(out, size, "%s%s%s", path, *file ? "/" : "", file) >= (int)size) {
        epicsSnprintf(msg, msgSize, "%s/%s: %s", path, file, strerror(ENAMETOOLONG));
        return -ENAMETOOLONG;
    }
    return 0;
}
