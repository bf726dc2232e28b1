/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include <epicsMutex.h>
#include <epicsUnitTest.h>
#include <errlog.h>
#include <testMain.h>

#include "base/psLog.h"
#include "base/psText.h"

static epicsMutexId lock; /* of the text: errlog's thread writes it */

static void onMessage(void *ctx, const char *message)
{
    epicsMutexMustLock(lock);
    psTextAppend(ctx, message, strlen(message));
    epicsMutexUnlock(lock);
}

/* What came since the last call; errlog's own thread delivers it. */
static void check(psText *seen, const char *expected, const char *name)
{
    errlogFlush();
    epicsMutexMustLock(lock);
    bool same = seen->data && strcmp(seen->data, expected) == 0;
    testOk(same, "%s", name);
    if (!same)
        testDiag("got: %s", seen->data ? seen->data : "nothing");
    psTextReset(seen);
    epicsMutexUnlock(lock);
}

MAIN(psLogTest)
{
    psText seen = PS_TEXT_INIT;

    testPlan(2);
    lock = epicsMutexMustCreate();
    eltc(0);
    errlogAddListener(onMessage, &seen);
    psLogPrintf("%s: cannot listen: %d", "ioc1", 98);
    check(&seen, "procServ: ioc1: cannot listen: 98\n", "one line, prefixed");
    psLogPrintfAs("bin/x", "unable to open log file %s", "/log");
    check(&seen, "bin/x: unable to open log file /log\n", "one line, with the program's name");
    errlogRemoveListeners(onMessage, &seen);
    psTextClear(&seen);
    epicsMutexDestroy(lock);
    return testDone();
}
