/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

static void file_IsWrittenWholeAndRemoved(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    struct stat info;
    mode_t mask = umask(022);

    testOk1(psRunFileCheck(path) == 0 && !exists(path));
    make(path, "an old and longer one\n");
    testOk1(psRunFileWrite(&file, path, "123\n", 4) == 0);
    testOk(strcmp(content(path), "123\n") == 0, "new content");
    testOk1(stat(path, &info) == 0 && (info.st_mode & 0777) == 0644);
    psRunFileRemove(&file);
    testOk1(!exists(path));
    psRunFileRemove(&file);
    umask(mask);
}

static void file_OfAnotherIsLeftAlone(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    psRunFile second = PS_RUN_FILE_INIT;

    testOk1(psRunFileWrite(&file, path, "1\n", 2) == 0);
    testOk1(psRunFileWrite(&second, path, "2\n", 2) == 0);
    psRunFileRemove(&file);
    testOk(strcmp(content(path), "2\n") == 0, "the other's file stays");
    psRunFileRemove(&second);
    testOk1(!exists(path));
}

static void link_IsNotFollowed(void)
{
    psRunFile file = PS_RUN_FILE_INIT;

    make(other, "precious\n");
    testOk1(symlink(other, path) == 0);
    testOk1(psRunFileCheck(path) == -ELOOP);
    testOk1(psRunFileWrite(&file, path, "1\n", 2) == -ELOOP);
    testOk(strcmp(content(other), "precious\n") == 0, "its target is untouched");
    psRunFileRemove(&file);
    testOk(exists(path) && exists(other), "nothing is removed");
    unlink(path);
    unlink(other);
}

static void device_IsWrittenToAndStays(void)
{
    psRunFile file = PS_RUN_FILE_INIT;

    testOk1(psRunFileCheck("/dev/null") == 0);
    testOk1(psRunFileWrite(&file, "/dev/null", "1\n", 2) == 0);
    psRunFileRemove(&file);
    testOk1(exists("/dev/null"));
}

static void folder_MustExist(void)
{
    psRunFile file = PS_RUN_FILE_INIT;
    char deep[120];

    epicsSnprintf(deep, sizeof(deep), "%s/no/such", dir);
    testOk1(psRunFileCheck(deep) == -ENOENT);
    testOk1(psRunFileWrite(&file, deep, "1\n", 2) == -ENOENT);
    testOk1(psRunFileCheck(dir) == -EISDIR);
    testOk1(psRunFileWrite(&file, dir, "1\n", 2) == -EISDIR);
    psRunFileRemove(&file);
}

MAIN(psRunFileTest)
{
    (void)argc;
    (void)argv;
    testPlan(22);
    if (!mkdtemp(dir))
        testAbort("no directory to work in");
    epicsSnprintf(path, sizeof(path), "%s/pid", dir);
    epicsSnprintf(other, sizeof(other), "%s/other", dir);
    file_IsWrittenWholeAndRemoved();
    file_OfAnotherIsLeftAlone();
    link_IsNotFollowed();
    device_IsWrittenToAndStays();
    folder_MustExist();
    testOk(rmdir(dir) == 0, "no file is left");
    return testDone();
}
