/* SPDX-License-Identifier: EPICS */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <epicsUnitTest.h>

#include "psTestUtil.h"

/* .../tests/unit/O.ARCH/test -> .../tests/childprog/O.ARCH/psTestChild */
const char *psTestChildProgram(void)
{
    static char path[PATH_MAX];
    char self[PATH_MAX];
    char *arch, *unit;

    if (path[0])
        return path;
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[len > 0 ? len : 0] = '\0';
    *(strrchr(self, '/') ? strrchr(self, '/') : self) = '\0';
    arch = strrchr(self, '/');
    if (!arch)
        testAbort("where am I? %s", self);
    *arch++ = '\0';
    unit = strrchr(self, '/');
    if (!unit)
        testAbort("where am I? %s", self);
    *unit = '\0';
    if (snprintf(path, sizeof(path), "%s/childprog/%s/psTestChild", self, arch) >=
            (int)sizeof(path) ||
        access(path, X_OK) != 0)
        testAbort("no %s", path);
    return path;
}

static int countEntries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    if (!dir)
        testAbort("%s: %s", path, strerror(errno));
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

int psTestDescriptors(void)
{
    return countEntries("/proc/self/fd");
}

int psTestThreads(void)
{
    return countEntries("/proc/self/task");
}
