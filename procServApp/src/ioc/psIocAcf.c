/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <asDbLib.h>
#include <epicsStdio.h>
#include <errlog.h>

#include "psIoc.h"
#include "psIocAccess.h"
#include "psIocAcf.h"
#include "psThread.h"

static struct {
    const psIocAccessOps *_Atomic ops; /* NULL: Base's asInit */
    atomic_bool reloading;
    psOnceMutex lock; /* leaf; guards the next */
    char error[PS_TEXT_BYTES];
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
    acf.reloading = false;
    asked->done(asked->ctx, status ? psCmdFailed : psCmdDone, status ? msg : "done");
    free(asked);
}

int psIocAcfReload(const psCommand *cmd, psDoneFn done, void *ctx)
{
    request *asked = malloc(sizeof(*asked));

    if (!asked)
        return -ENOMEM;
    if (atomic_exchange(&acf.reloading, true)) {
        free(asked);
        return -EALREADY;
    }
    asked->done = done;
    asked->ctx = ctx;
    epicsSnprintf(asked->by, sizeof(asked->by), "%s", cmd->by);
    if (psThreadCreate("psAcfReload", epicsThreadPriorityLow, epicsThreadStackBig, reloadThread,
                       asked))
        return 0;
    acf.reloading = false;
    free(asked);
    return -ENOMEM;
}
