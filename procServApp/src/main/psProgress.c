/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <epicsMutex.h>
#include <epicsStdio.h>
#include <errlog.h>

#include "psBaseText.h"
#include "psProgress.h"

#define SAID_BYTES 200 /* more of Base's words are cut */

static struct {
    bool marks;        /* fixed before the first step */
    epicsMutexId lock; /* guards all below; leaf */
    const char *step;
    char said[SAID_BYTES]; /* first line of this step */
    psChatter chatter;
} progress = {.step = "starting", .chatter = psChatterAll};

/* What iocInit reports in any case; it explains nothing. */
static bool isRemark(const char *line)
{
    return strncmp(line, "Starting iocInit", 16) == 0 || strncmp(line, "iocRun: ", 8) == 0 ||
           psBaseIsPortRemark(line);
}

/* Thread: errlog's. */
static void listener(void *ctx, const char *message)
{
    bool remark = isRemark(message);
    bool show = false; /* with psChatterAll, errlog itself does */

    (void)ctx;
    epicsMutexMustLock(progress.lock);
    if (progress.chatter == psChatterFaults)
        show = !remark;
    else if (progress.chatter == psChatterNoPorts)
        show = !psBaseIsPortRemark(message);
    if (!remark && !progress.said[0])
        psBaseLine(message, progress.said, sizeof(progress.said));
    epicsMutexUnlock(progress.lock);
    if (show)
        fputs(message, stderr);
}

int psProgressStart(void)
{
    progress.lock = epicsMutexCreate();
    if (!progress.lock)
        return -ENOMEM;
    errlogInit(0);
    errlogAddListener(listener, NULL);
    return 0;
}

void psProgressStop(void)
{
    errlogRemoveListeners(listener, NULL);
}

void psProgressChatter(psChatter chatter)
{
    errlogFlush(); /* what was said before is shown as before */
    epicsMutexMustLock(progress.lock);
    progress.chatter = chatter;
    epicsMutexUnlock(progress.lock);
    eltc(chatter == psChatterAll);
}

void psProgressMark(void)
{
    progress.marks = true;
}

void psProgressBegin(const char *step)
{
    errlogFlush();
    epicsMutexMustLock(progress.lock);
    progress.step = step;
    progress.said[0] = '\0';
    epicsMutexUnlock(progress.lock);
    if (progress.marks)
        fprintf(epicsGetStderr(), PS_PROGRESS_MARK "%s\n", step);
}

const char *psProgressNow(void)
{
    epicsMutexMustLock(progress.lock);
    const char *step = progress.step;
    epicsMutexUnlock(progress.lock);
    return step;
}

void psProgressExplain(char *msg, size_t msgSize)
{
    size_t len = strlen(msg);

    errlogFlush();
    epicsMutexMustLock(progress.lock);
    if (progress.said[0])
        epicsSnprintf(msg + len, msgSize - len, ": %s", progress.said);
    epicsMutexUnlock(progress.lock);
}
