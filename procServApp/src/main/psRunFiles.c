/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "psRunFiles.h"
#include "psSignals.h"

static void reportLock(const psRunFiles *files, const char *what, const psRunFile *file, int status,
                       pid_t owner)
{
    if (status == -EBUSY && owner > 0)
        fprintf(stderr, "%s: %s file %s belongs to process %ld, which runs\n", files->argv0, what,
                file->path, (long)owner);
    else if (status == -EBUSY)
        fprintf(stderr, "%s: %s file %s belongs to another process, which runs\n", files->argv0,
                what, file->path);
    else if (file->lockError == EAGAIN)
        fprintf(stderr,
                "%s: %s file %s cannot be locked (another program has locked it): a second server "
                "would not notice\n",
                files->argv0, what, file->path);
    else if (file->lockError)
        fprintf(stderr, "%s: %s file %s cannot be locked (%s): a second server would not notice\n",
                files->argv0, what, file->path, strerror(file->lockError));
}

int psRunFilesAwait(psRunFiles *files)
{
    pid_t owner = 0;

    if (!files->pid.path)
        return 0;
    int status = psRunFileAwait(&files->pid, psSignalsEndAsked, &owner);
    reportLock(files, "PID", &files->pid, status, owner);
    return status;
}

/* One that cannot be written is no reason to end: procServ's rule, and its text. */
static int writePidFile(psRunFiles *files)
{
    psRunFile *file = &files->pid;
    pid_t owner = 0;
    char text[32];

    if (!file->path)
        return 0;
    snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    int status = psRunFileWrite(file, text, strlen(text), psSignalsEndAsked, &owner);
    reportLock(files, "PID", file, status, owner);
    if (status == -EBUSY || status == -ECANCELED)
        return status;
    if (status)
        fprintf(stderr, "%s: unable to open PID file %s\n", files->argv0, file->path);
    return 0;
}

static int writeInfo(psRunFile *file, psSup *sup, pid_t *outOwner)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (!out)
        return -ENOMEM;
    psSupPrintInfo(sup, out);
    int status = fclose(out) ? -ENOMEM : 0;
    if (!status)
        status = psRunFileWrite(file, text, len, psSignalsEndAsked, outOwner);
    free(text);
    return status;
}

static int writeInfoFile(psRunFiles *files, psSup *sup)
{
    psRunFile *file = &files->info;
    pid_t owner = 0;

    if (!file->path)
        return 0;
    int status = writeInfo(file, sup, &owner);
    reportLock(files, "info", file, status, owner);
    if (status == -ECANCELED)
        return status;
    if (status && status != -EBUSY)
        fprintf(stderr, "%s: unable to write info file %s: %s\n", files->argv0, file->path,
                strerror(-status));
    return 0;
}

int psRunFilesWrite(psRunFiles *files, psSup *sup)
{
    int status = writePidFile(files);

    return status ? status : writeInfoFile(files, sup);
}

void psRunFilesYield(const psRunFiles *files)
{
    psRunFileYield(&files->pid);
    psRunFileYield(&files->info);
}

void psRunFilesRemove(psRunFiles *files)
{
    psRunFileRemove(&files->info);
    psRunFileRemove(&files->pid);
}
