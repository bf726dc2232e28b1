/* SPDX-License-Identifier: EPICS */
/* Registers with Base: init hooks, iocsh commands, the listener of puts, the end.
 *
 * Children of procServAdd begin at initHookAtIocBuild, before any record is initialized, so that
 * supervision does not depend on the database.  In the IOC of somebody else no signal is touched:
 * the children end with the IOC, through epicsAtExit.
 */

#include <errno.h>
#include <string.h>

#include <callback.h>
#include <epicsExit.h>
#include <epicsExport.h>
#include <errlog.h>
#include <initHooks.h>

#include "psIocChild.h"
#include "psIocOut.h"
#include "psHooks.h"
#include "psPutTrap.h"

/* The stages of a stop take at most twice the grace and what SIGKILL needs. */
#define PS_END_SEC 30.0
#define PS_QUEUE_SLOTS 2000   /* Base's own size of the callback queue */
#define PS_SLOTS_PER_CHILD 16 /* what a burst may need */

static struct {
    psSup *_Atomic sup;
    psSup *own; /* made by psHooksNeedSup(), ended by us; thread: iocsh's */
} hooks;

psSup *psIocSup(void)
{
    return hooks.sup;
}

void psIocSetSup(psSup *sup)
{
    if (hooks.sup && hooks.sup != sup)
        psIocChildrenDetach();
    hooks.sup = sup;
    psIocChildrenAttach();
}

void psIocSetInsecure(bool insecure)
{
    psOutSetInsecure(insecure);
}

/** Thread: main, at exit. */
static void endOwnSup(void *arg)
{
    (void)arg;
    psSup *sup = hooks.own;
    if (!sup)
        return;
    psIocSetSup(NULL);
    hooks.own = NULL;
    psSupShutdown(sup);
    if (psSupWait(sup, PS_END_SEC) == -ETIMEDOUT) {
        errlogPrintf("procServ: children did not end within %.0f s\n", PS_END_SEC);
        return;
    }
    psSupFree(sup);
}

psSup *psHooksNeedSup(void)
{
    if (hooks.sup)
        return hooks.sup;
    psSupOptions options;
    psSupOptionsDefault(&options);
    options.reservedDescriptors = 256;
    psSup *sup = psSupCreate(&options);
    if (!sup)
        return NULL;
    int rc = psSupStart(sup);
    if (rc) {
        errlogPrintf("procServ: cannot start the supervisor: %s\n", strerror(-rc));
        psSupFree(sup);
        return NULL;
    }
    hooks.own = sup;
    epicsAtExit(endOwnSup, NULL);
    psIocSetSup(sup);
    return sup;
}

/** Every child may have a burst of commands and scans under way; Base has room for 2000. */
static void sizeCallbackQueue(void)
{
    int slots = hooks.sup ? PS_SLOTS_PER_CHILD * psSupCount(hooks.sup) : 0;
    if (slots > PS_QUEUE_SLOTS)
        callbackSetQueueSize(slots);
}

static void initHook(initHookState state)
{
    switch (state) {
    case initHookAtIocBuild:
        if (hooks.sup)
            psSupBegin(hooks.sup, NULL);
        psIocChildrenAttach();
        sizeCallbackQueue();
        break;
    case initHookAfterInterruptAccept:
        psIocChildrenStart();
        break;
    case initHookAtShutdown:
        psIocChildrenStop();
        break;
    default:
        break;
    }
}

static void procServRegistrar(void)
{
    initHookRegister(initHook); /* registering twice does nothing */
    psPutTrapInit();
    psIocshRegister();
}
epicsExportRegistrar(procServRegistrar);
