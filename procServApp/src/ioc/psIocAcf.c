/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <asDbLib.h>
#include <epicsEvent.h>
#include <epicsStdio.h>
#include <errlog.h>

#include "psIoc.h"
#include "psIocAccess.h"
#include "psIocAcf.h"
#include "psThread.h"

#define STOP_SEC 2.0 /* a shutdown waits so long for a reload: the file may be on a dead server */

static struct {
    const psIocAccessOps *_Atomic ops; /* NULL: Base's asInit */
    psOnceMutex lock; /* guards all below; held for the end of a thread that needs it no more */
    char error[PS_TEXT_BYTES];
    bool reloading;       /* a thread is at work */
    epicsThreadId thread; /* of the last reload, to be joined; NULL: there is none */
    epicsEventId ended;   /* signalled when that thread is about to end; made once */
} acf = {.lock = PS_ONCE_MUTEX_INIT};

void psIocSetAccessOps(const psIocAccessOps *ops)
{
    acf.ops = ops;
}

void psIocSetAccessError(const char *why)
{
    if (!psOnceMutexLock(&acf.lock))
        return;
    epicsSnprintf(acf.error, sizeof(acf.error), "%s", why ? why : "");
    psOnceMutexUnlock(&acf.lock);
}

psAcfState psIocAcfState(char outWhy[PS_TEXT_BYTES])
{
    outWhy[0] = '\0';
    if (psOnceMutexLock(&acf.lock)) {
        memcpy(outWhy, acf.error, PS_TEXT_BYTES);
        psOnceMutexUnlock(&acf.lock);
    }
    if (outWhy[0])
        return psAcfError;
    bool active = psIocAccessActive();
    epicsSnprintf(outWhy, PS_TEXT_BYTES, "%s",
                  active ? "the rules are active" : "access security is not active");
    return active ? psAcfActive : psAcfNone;
}

/* ---- reload ---- */

typedef struct request {
    psDoneFn done;
    void *ctx;
    char by[PS_BY_BYTES];
} request;

/* What holds is what holds without a reload. */
static int reload(char *msg, size_t msgSize)
{
    const psIocAccessOps *ops = acf.ops;

    if (ops)
        return ops->reload(ops->ctx, msg, msgSize);
    if (!asInit())
        return 0;
    if (!psIocAccessActive()) {
        epicsSnprintf(msg, msgSize, "access security: there is no file of rules to load");
        return -ENOENT;
    }
    epicsSnprintf(msg, msgSize, "access security: the rules were not changed, see errlog");
    return -EINVAL;
}

static void reloadThread(void *arg)
{
    request *asked = arg;
    char msg[PS_TEXT_BYTES] = "";
    int status = reload(msg, sizeof(msg));

    if (status != -ENOENT)
        psIocSetAccessError(status ? msg : NULL);
    errlogPrintf("access security: %s has asked for a reload: %s\n", asked->by,
                 status ? msg : "done");
    /* First: whoever learns of the end may ask for another reload. */
    if (psOnceMutexLock(&acf.lock))
        acf.reloading = false;
    psOnceMutexUnlock(&acf.lock);
    asked->done(asked->ctx, status ? psCmdFailed : psCmdDone, status ? msg : "done");
    free(asked);
    epicsEventMustTrigger(acf.ended);
}

/* With the lock held; the thread of the last reload is at its end. */
static void join(void)
{
    if (!acf.thread)
        return;
    epicsThreadMustJoin(acf.thread);
    epicsEventTryWait(acf.ended);
    acf.thread = NULL;
}

/* With the lock held.  @return 0 or -errno; on failure @p asked is not used */
static int start(request *asked)
{
    if (acf.reloading)
        return -EALREADY;
    join();
    if (!acf.ended)
        acf.ended = epicsEventCreate(epicsEventEmpty);
    if (acf.ended)
        acf.thread = psThreadCreate("psAcfReload", epicsThreadPriorityLow, epicsThreadStackBig,
                                    reloadThread, asked);
    acf.reloading = acf.thread != NULL;
    return acf.thread ? 0 : -ENOMEM;
}

int psIocAcfReload(const psCommand *cmd, psDoneFn done, void *ctx)
{
    request *asked = malloc(sizeof(*asked));

    if (!asked || !psOnceMutexLock(&acf.lock)) {
        free(asked);
        return -ENOMEM;
    }
    asked->done = done;
    asked->ctx = ctx;
    epicsSnprintf(asked->by, sizeof(asked->by), "%s", cmd->by);
    int status = start(asked);
    psOnceMutexUnlock(&acf.lock);
    if (status)
        free(asked);
    return status;
}

void psIocAcfStop(void)
{
    if (!psOnceMutexLock(&acf.lock))
        return;
    bool any = acf.thread != NULL;
    psOnceMutexUnlock(&acf.lock);
    if (!any)
        return;
    if (epicsEventWaitWithTimeout(acf.ended, STOP_SEC) != epicsEventOK) {
        errlogPrintf("access security: a reload does not end; it is left behind\n");
        return;
    }
    psOnceMutexLock(&acf.lock);
    join();
    psOnceMutexUnlock(&acf.lock);
}
