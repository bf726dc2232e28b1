/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <epicsUnitTest.h>

#include "psProcRoot.h"

#define PATH_BYTES 160

void psProcRootOpen(psProcRoot *root)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(root->dir, sizeof(root->dir), "%.40s/psProcXXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(root->dir))
        testAbort("mkdtemp %s: %s", root->dir, strerror(errno));
}

static int removeOne(const char *path, const struct stat *info, int flag, struct FTW *at)
{
    (void)info;
    (void)flag;
    (void)at;
    return remove(path);
}

void psProcRootClose(psProcRoot *root)
{
    nftw(root->dir, removeOne, 8, FTW_DEPTH | FTW_PHYS);
}

void psProcRootRemove(const psProcRoot *root, const char *pid)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", root->dir, pid);
    nftw(path, removeOne, 8, FTW_DEPTH | FTW_PHYS);
}

static void makeDirectory(const char *path)
{
    if (mkdir(path, 0755) && errno != EEXIST)
        testAbort("mkdir %s: %s", path, strerror(errno));
}

void psProcRootWrite(const psProcRoot *root, const char *pid, const char *file, const char *text)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof(path), "%s/%s", root->dir, pid);
    makeDirectory(path);
    snprintf(path, sizeof(path), "%s/%s/%s", root->dir, pid, file);
    FILE *out = fopen(path, "we");
    if (!out || fputs(text, out) < 0 || fclose(out))
        testAbort("write %s: %s", path, strerror(errno));
}

void psProcRootFds(const psProcRoot *root, const char *pid, int count)
{
    char path[PATH_BYTES], name[24];

    snprintf(path, sizeof(path), "%s/%s", root->dir, pid);
    makeDirectory(path);
    snprintf(path, sizeof(path), "%s/%s/fd", root->dir, pid);
    makeDirectory(path);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "fd/%d", i);
        psProcRootWrite(root, pid, name, "");
    }
}
