/* SPDX-License-Identifier: EPICS */
#include <epicsStdio.h>
#include <epicsTime.h>

#include "psIocAccess.h"
#include "psIocWho.h"

/* Base notes in PUTF that a put has caused the processing, its own or that of a record whose link
 * leads here; not so for a put that came while the record was busy. */
void psIocWhoPut(psPutSlot *slot, const dbCommon *prec, bool putWaited, char outBy[PS_BY_BYTES])
{
    bool put = prec->putf || prec->ppn || putWaited;

    if (psPutTrapTake(slot, outBy, PS_BY_BYTES))
        return;
    const char *whyNot = put ? psIocAccessUnnamed(prec) : NULL;
    if (whyNot)
        epicsSnprintf(outBy, PS_BY_BYTES, "unknown (%s)", whyNot);
    else
        epicsSnprintf(outBy, PS_BY_BYTES, "local");
}

void psIocWhoLine(const char *by, const char *what, char *out, size_t size)
{
    epicsTimeStamp now = {0, 0};
    char time[32];

    epicsTimeGetCurrent(&now); /* fails without a clock only: then it says 1990 */
    epicsTimeToStrftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S", &now);
    epicsSnprintf(out, size, "%s %s %s", time, by, what);
}
