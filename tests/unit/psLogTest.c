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

static size_t lengthOf(psText *seen)
{
    size_t len;

    epicsMutexMustLock(lock);
    len = seen->len;
    epicsMutexUnlock(lock);
    return len;
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
    /* an hour, so that nothing comes due on a slow machine; and one that is always due */
    psLogLimit slow = {.intervalSec = 3600, .burst = 2};
    psLogLimit fast = {.intervalSec = 1e-9, .burst = 1};

    testPlan(4);
    lock = epicsMutexMustCreate();
    eltc(0);
    errlogAddListener(onMessage, &seen);
    psLogPrintf("%s: cannot listen: %d", "ioc1", 98);
    check(&seen, "procServ: ioc1: cannot listen: 98\n", "one line, prefixed");
    for (int i = 0; i < 5; i++)
        psLogLimited(&slow, "n %d", i);
    check(&seen, "procServ: n 0\nprocServ: n 1\n", "the burst, not more");
    slow.nextMono = 0; /* one is due */
    psLogLimited(&slow, "later");
    check(&seen, "procServ: later (3 more like this were not shown)\n", "those left out are told");
    psLogLimited(&fast, "a");
    while (fast.suppressed == 0 && lengthOf(&seen) < 1000) {
        psLogLimited(&fast, "a");
        errlogFlush();
    }
    testOk(lengthOf(&seen) >= 1000 && fast.suppressed == 0,
           "what keeps to the interval is all told");
    errlogRemoveListeners(onMessage, &seen);
    psTextClear(&seen);
    epicsMutexDestroy(lock);
    return testDone();
}
