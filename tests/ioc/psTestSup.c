/* SPDX-License-Identifier: EPICS */
#include <dbUnitTest.h>
#include <epicsUnitTest.h>

#include "psIoc.h"
#include "psTestDb.h"
#include "psTestSup.h"

psSup *psTestSupCreate(void)
{
    psSupOptions options;

    psSupOptionsDefault(&options);
    psSup *sup = psSupCreate(&options);
    if (!sup)
        testAbort("no supervisor");
    return sup;
}

void psTestSupAdd(psSup *sup, const char *name, const char *mode, int argc, const char *const *argv)
{
    char msg[PS_TEXT_BYTES] = "";
    psConfig *cfg = psConfigCreate();
    bool good = cfg && !psConfigSet(cfg, "name", name, msg, sizeof(msg)) &&
                !psConfigSet(cfg, "holdoff", "0", msg, sizeof(msg)) &&
                (!mode || !psConfigSet(cfg, mode, NULL, msg, sizeof(msg))) &&
                !psConfigSetCommand(cfg, argc, argv) && !psSupAddChild(sup, cfg, msg, sizeof(msg));

    if (!good)
        testAbort("cannot add %s: %s", name, msg);
    psConfigFree(cfg);
}

void psTestSupStart(psSup *sup)
{
    if (psSupStart(sup))
        testAbort("cannot start the supervisor");
}

void psTestSupEnd(psSup *sup)
{
    testIocShutdownOk();
    psSupShutdown(sup);
    testOk(psSupWait(sup, PS_TEST_SEC) >= 0, "the supervisor ends");
    psIocSetSup(NULL);
    psSupFree(sup);
    testdbCleanup();
}
