/* SPDX-License-Identifier: EPICS */
/* The strings of the message are copied in the call before the put only: after it, QSRV has freed
 * the host's. */
#include <string.h>

#include <asTrapWrite.h>
#include <dbAccess.h>
#include <dbChannel.h>
#include <dbLock.h>
#include <epicsStdio.h>
#include <epicsThread.h>

#include "psPutTrap.h"

/* The put this thread is about to make. */
static _Thread_local struct {
    const psPutSlot *slot;
    char by[PS_BY_BYTES];
    bool whole;
} current;

static const psPutTrapOps *trapOps; /* fixed before the listener is registered */

static void nameOf(const asTrapWriteMessage *message, char *outBy, size_t size)
{
    epicsSnprintf(outBy, size, "%s@%s", message->userid ? message->userid : "?",
                  message->hostid ? message->hostid : "?");
    for (char *c = outBy; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; /* it goes to terminals and logs */
}

static void beforePut(const dbChannel *chan, psPutSlot *slot, const asTrapWriteMessage *message)
{
    dbCommon *prec = dbChannelRecord(chan);
    char by[PS_BY_BYTES];

    nameOf(message, by, sizeof(by));
    if (prec->disp && dbChannelField(chan) != &prec->disp) {
        trapOps->refused(prec,
                         by); /* Base does so right after us, and reports it to the client only */
        return;
    }
    current.slot = slot;
    memcpy(current.by, by, sizeof(by));
    current.whole = dbChannelFieldType(chan) == DBF_CHAR; /* VAL$ */
    dbScanLock(prec);
    memcpy(slot->by, by, sizeof(by));
    slot->byWhole = current.whole;
    dbScanUnlock(prec);
}

/* A put that was refused or did not process must not lend its name to the next dbpf. */
static void afterPut(dbCommon *prec, psPutSlot *slot)
{
    dbScanLock(prec);
    if (!prec->pact && !prec->rpro)
        slot->by[0] = '\0';
    dbScanUnlock(prec);
}

static void listener(asTrapWriteMessage *message, int after)
{
    dbChannel *chan = message->serverSpecific;
    psPutSlot *slot = chan ? trapOps->slotOf(dbChannelRecord(chan)) : NULL;

    current.slot = NULL; /* of a put with callback that another thread has made */
    if (!slot)
        return;
    if (after)
        afterPut(dbChannelRecord(chan), slot);
    else
        beforePut(chan, slot, message);
}

static void registerListener(void *arg)
{
    trapOps = arg;
    asTrapWriteRegisterListener(listener);
}

void psPutTrapInit(const psPutTrapOps *ops)
{
    static epicsThreadOnceId once = EPICS_THREAD_ONCE_INIT;

    epicsThreadOnce(&once, registerListener, (void *)ops);
}

bool psPutTrapTake(psPutSlot *slot, char *outBy, size_t size)
{
    bool own = current.slot == slot;

    epicsSnprintf(outBy, size, "%s", own ? current.by : slot->by);
    slot->whole = outBy[0] && (own ? current.whole : slot->byWhole);
    slot->by[0] = '\0';
    current.slot = NULL;
    return outBy[0] != '\0';
}
