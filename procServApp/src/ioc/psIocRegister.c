/* SPDX-License-Identifier: EPICS */
/* Registers with Base: init hooks, iocsh commands, the put trap.  It stands on top of this folder.
 *
 * Children of procServAdd begin at initHookAtIocBuild, before any record is initialized, so that
 * supervision does not depend on the database.  In the IOC of somebody else no signal is touched:
 * the children end with the IOC, through epicsAtExit. */
#include <callback.h>
#include <epicsExport.h>
#include <errlog.h>
#include <initHooks.h>

#include "devPsOut.h"
#include "psIocAccess.h"
#include "psIocAcf.h"
#include "psIocRegistry.h"
#include "psIocSup.h"
#include "psIocsh.h"
#include "psPutTrap.h"

#define QUEUE_SLOTS 2000   /* Base's own size of the callback queue */
#define SLOTS_PER_CHILD 16 /* what a burst may need */

/* ---- the put trap ---- */

static psPutSlot *slotOf(const dbCommon *prec)
{
    psOut *out = psOutOf(prec);

    return out ? psOutSlot(out) : NULL;
}

static void refused(const dbCommon *prec, const char *by)
{
    psOutRefused(psOutOf(prec), by);
}

static const psPutTrapOps trapOps = {.slotOf = slotOf, .refused = refused};

/* ---- the IOC ---- */

/* Every child may have a burst of commands and scans under way; Base has room for 2000. */
static void sizeCallbackQueue(void)
{
    psSup *sup = psIocSupTake();
    int slots = sup ? SLOTS_PER_CHILD * psSupCount(sup) : 0;

    psIocSupRelease();
    if (slots > QUEUE_SLOTS && callbackSetQueueSize(slots))
        errlogPrintf("procServ: cannot enlarge the callback queue\n");
}

static void initHook(initHookState state)
{
    switch (state) {
    case initHookAtIocBuild:
        psIocBegin();
        sizeCallbackQueue();
        break;
    case initHookAfterInterruptAccept:
        psIocRegistryStart();
        if (psIocRegistryAny())
            psIocAccessWarn(psIocSupIsOwn());
        break;
    case initHookAtShutdown:
        psIocRegistryStop(); /* first: records ask for nothing from now on */
        psIocAcfStop();
        break;
    default:
        break;
    }
}

static void procServRegistrar(void)
{
    if (initHookRegister(initHook)) /* registering twice does nothing */
        errlogPrintf("procServ: out of memory: the records will not work\n");
    psPutTrapInit(&trapOps);
    psIocshRegister();
}
epicsExportRegistrar(procServRegistrar);
