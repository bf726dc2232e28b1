/* SPDX-License-Identifier: EPICS */
/* See psPutTrap.h.  The strings of the message are copied in the call before the put only: after
 * it, QSRV has freed the host's. */

#include <stdio.h>
#include <string.h>

#include <asLib.h>
#include <asTrapWrite.h>
#include <dbAccess.h>
#include <dbChannel.h>
#include <dbLock.h>
#include <dbFldTypes.h>
#include <dbStaticLib.h>
#include <epicsStdio.h>
#include <epicsThread.h>

#include "psPutTrap.h"

/** The put this thread is about to make. */
static _Thread_local struct {
    const psOut *out;
    char by[PS_BY_BYTES];
} current;

static void nameOf(const asTrapWriteMessage *message, char *by, size_t size)
{
    epicsSnprintf(by, size, "%s@%s", message->userid ? message->userid : "?",
                  message->hostid ? message->hostid : "?");
    for (char *c = by; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?'; /* it goes to terminals and logs */
}

/** DISP refuses it right after us: nobody else will tell. */
static void tellRefused(psOut *out, const char *by)
{
    static const char reason[] = "the record is disabled (DISP)";
    char text[PS_TEXT_BYTES + PS_BY_BYTES];
    psCommand cmd = {.verb = out->item->verb, .reason = psReasonOperator};
    epicsSnprintf(cmd.by, sizeof cmd.by, "%s", by);
    epicsSnprintf(text, sizeof text, "%s put %s refused: %s", by, out->prec->name, reason);
    psIocChildTell(out->child, text);
    psIocChildDenied(out->child, &cmd, reason, NULL, NULL);
}

static void beforePut(const dbChannel *chan, psOut *out, const asTrapWriteMessage *message)
{
    const dbCommon *prec = dbChannelRecord(chan);
    char by[PS_BY_BYTES];
    nameOf(message, by, sizeof by);
    if (prec->disp && dbChannelField(chan) != &prec->disp) {
        tellRefused(out, by);
        return;
    }
    current.out = out;
    memcpy(current.by, by, sizeof by);
    epicsMutexMustLock(out->lock);
    memcpy(out->by, by, sizeof by);
    epicsMutexUnlock(out->lock);
}

/** A put that was refused or did not process must not lend its name to the next dbpf. */
static void afterPut(psOut *out)
{
    dbScanLock(out->prec);
    if (!out->prec->pact && !out->prec->rpro) {
        epicsMutexMustLock(out->lock);
        out->by[0] = '\0';
        epicsMutexUnlock(out->lock);
    }
    dbScanUnlock(out->prec);
}

static void listener(asTrapWriteMessage *message, int after)
{
    dbChannel *chan = message->serverSpecific;
    psOut *out = chan ? psOutOf(dbChannelRecord(chan)) : NULL;
    current.out = NULL; /* of a put with callback that another thread has made */
    if (!out)
        return;
    if (after)
        afterPut(out);
    else
        beforePut(chan, out, message);
}

static void registerListener(void *arg)
{
    (void)arg;
    asTrapWriteRegisterListener(listener);
}

void psPutTrapInit(void)
{
    static epicsThreadOnceId once = EPICS_THREAD_ONCE_INIT;
    epicsThreadOnce(&once, registerListener, NULL);
}

void psPutTrapTake(psOut *out, char *by, size_t size)
{
    epicsMutexMustLock(out->lock);
    const char *from = current.out == out ? current.by : out->by[0] ? out->by : "local";
    epicsSnprintf(by, size, "%s", from);
    out->by[0] = '\0';
    epicsMutexUnlock(out->lock);
    current.out = NULL;
}
