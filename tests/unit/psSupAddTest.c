/* SPDX-License-Identifier: EPICS */
/*
 * Children that several threads add at the same time.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <epicsEvent.h>
#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psThread.h"
#include "psSupFixture.h"

#define ROUNDS 20

typedef struct psAdder {
    psSup *sup;
    psConfig *cfg;
    epicsEventId go;
    int status;
} psAdder;

static void addThread(void *arg)
{
    psAdder *adder = arg;
    char msg[256];

    epicsEventMustWait(adder->go);
    adder->status = psSupAddChild(adder->sup, adder->cfg, msg, sizeof(msg));
}

/* Endpoint and log are each thread's own: only the name is the same. */
static psConfig *makeConfig(const psSupFixture *f, const char *name, int thread)
{
    char path[128];
    static const char *const command[] = {"/bin/sleep", "1000"};
    psConfig *cfg = psConfigCreate();

    if (!cfg || psConfigSetCommand(cfg, 2, command) != 0)
        testAbort("configuration of %s", name);
    psSupFixtureSet(cfg, "name", name);
    snprintf(path, sizeof(path), "unix:%s/%s-%d.sock", f->dir, name, thread);
    psSupFixtureSet(cfg, "port", path);
    snprintf(path, sizeof(path), "%s/%s-%d.log", f->dir, name, thread);
    psSupFixtureSet(cfg, "logfile", path);
    psSupFixtureSet(cfg, "wait", NULL);
    return cfg;
}

static void twoThreads_OneName_OneChild(void)
{
    psSupFixture f;
    int added = 0, refused = 0;

    psSupFixtureOpen(&f, false);
    for (int i = 0; i < ROUNDS; i++) {
        psAdder adders[2];
        epicsThreadId threads[2];
        char name[16];

        snprintf(name, sizeof(name), "twin%d", i);
        for (int k = 0; k < 2; k++) {
            adders[k] =
                (psAdder){f.sup, makeConfig(&f, name, k), epicsEventMustCreate(epicsEventEmpty), 1};
            threads[k] = psThreadCreate("adder", epicsThreadPriorityMedium, epicsThreadStackSmall,
                                        addThread, &adders[k]);
            if (!threads[k])
                testAbort("no thread");
        }
        for (int k = 0; k < 2; k++)
            epicsEventMustTrigger(adders[k].go);
        for (int k = 0; k < 2; k++) {
            epicsThreadMustJoin(threads[k]);
            added += adders[k].status == 0;
            refused += adders[k].status == -EEXIST;
            psConfigFree(adders[k].cfg);
            epicsEventDestroy(adders[k].go);
        }
    }
    testOk(added == ROUNDS && refused == ROUNDS, "of %d twins, %d were added and %d refused",
           2 * ROUNDS, added, refused);
    testOk(psSupCount(f.sup) == ROUNDS, "%d children", psSupCount(f.sup));
    psSupFixtureClose(&f);
}

MAIN(psSupAddTest)
{
    testPlan(2);
    twoThreads_OneName_OneChild();
    return testDone();
}
