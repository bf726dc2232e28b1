/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for bo, mbbo, longout, ao and lso: commands and settings.  What they do
 * is the same, see psIocOut.h; here is only where each record type has its value. */

#include <string.h>

#include <aoRecord.h>
#include <boRecord.h>
#include <dbAccess.h>
#include <dbEvent.h>
#include <epicsExport.h>
#include <epicsStdio.h>
#include <longoutRecord.h>
#include <lsoRecord.h>
#include <mbboRecord.h>

#include "devPsOut.h"
#include "psIocAcf.h"
#include "psIocCompat.h"
#include "psIocAll.h"

/* ---- bo ---- */

static double lockoutOn(const psStatus *now)
{
    return now->lockout.on;
}

static const psOutItem boItems[] = {
    {.item = {"Start"}, .verb = psVerbStart, .only = {1, 1}},
    {.item = {"Stop"}, .verb = psVerbStop, .only = {1, 1}},
    {.item = {"Restart"}, .verb = psVerbRestart, .only = {1, 1}},
    {.item = {"Kill"}, .verb = psVerbKill, .only = {1, 1}},
    {.item = {"Reset"}, .verb = psVerbReset, .only = {1, 1}},
    {.item = {"ResetCounters"}, .verb = psVerbResetCounters, .only = {1, 1}},
    {.item = {"RotateLog"}, .verb = psVerbRotateLog, .only = {1, 1}},
    {.item = {"Lockout"}, .verb = psVerbLockout, .only = {0, 1}, .actual = lockoutOn},
    {.item = {"START"}, .verb = psVerbStart, .only = {1, 1}},
    {.item = {"STOP"}, .verb = psVerbStop, .only = {1, 1}, .plan = psCompatStop},
    {.item = {"RESTART"}, .verb = psVerbRestart, .only = {1, 1}, .plan = psCompatRestart},
    {.item = {"TOGGLE"}, .verb = psVerbMode, .only = {1, 1}, .plan = psCompatToggle},
};
static const psOutSystemItem boSystemItems[] = {
    {{"StartAll"}, psVerbStart, {1, 1}, psIocAllSubmit, NULL},
    {{"StopAll"}, psVerbStop, {1, 1}, psIocAllSubmit, NULL},
    {{"RestartAll"}, psVerbRestart, {1, 1}, psIocAllSubmit, NULL},
    {{"AcfReload"}, psVerbNone, {1, 1}, psIocAcfReload, NULL},
};
static const psItemTable boSystemTable = PS_ITEM_TABLE(boSystemItems, PS_NO_SETTINGS);
static const psItemTable boTable = PS_ITEM_TABLE_AND(boItems, PS_NO_SETTINGS, &boSystemTable, NULL);

static double boValue(const dbCommon *prec)
{
    return ((const boRecord *)prec)->val;
}

static void boAdopt(dbCommon *pcommon, double value)
{
    boRecord *prec = (boRecord *)pcommon;

    prec->val = (epicsEnum16)value;
    prec->rval = prec->val;
    prec->udf = FALSE;
}

static void boPost(dbCommon *pcommon)
{
    boRecord *prec = (boRecord *)pcommon;

    db_post_events(prec, &prec->val, DBE_VALUE | DBE_LOG);
    prec->mlst = prec->val;
}

static const psOutType boType = {.value = boValue, .adopt = boAdopt, .post = boPost};

static long initBo(dbCommon *pcommon)
{
    boRecord *prec = (boRecord *)pcommon;

    return psOutInit(pcommon, &prec->out, &boTable, &boType);
}

static long writeBo(boRecord *prec)
{
    psOutWrite((dbCommon *)prec, &boType);
    return 0;
}

/* A new set of records begins. */
static long initBoSupport(int after)
{
    if (!after)
        psOutNewEpoch();
    return 0;
}

static bodset devPsBo = {
    {5, NULL, initBoSupport, initBo, NULL},
    writeBo,
};
epicsExportAddress(dset, devPsBo);

/* ---- mbbo ---- */

static const psOutItem mbboItems[] = {
    /* a state's number is the signal's: other signals have no state, and SignalNum for them */
    {.item = {"Signal"}, .verb = psVerbSignal, .only = {1, 15}},
};
static const psItemTable mbboTable = PS_ITEM_TABLE(mbboItems, psSettingMode);

static double mbboValue(const dbCommon *prec)
{
    return ((const mbboRecord *)prec)->val;
}

static void mbboAdopt(dbCommon *pcommon, double value)
{
    mbboRecord *prec = (mbboRecord *)pcommon;

    prec->val = (epicsEnum16)value;
    prec->rval = prec->val;
    prec->udf = FALSE;
}

static void mbboPost(dbCommon *pcommon)
{
    mbboRecord *prec = (mbboRecord *)pcommon;

    db_post_events(prec, &prec->val, DBE_VALUE | DBE_LOG);
    prec->mlst = prec->val;
}

static const psOutType mbboType = {.value = mbboValue, .adopt = mbboAdopt, .post = mbboPost};

static long initMbbo(dbCommon *pcommon)
{
    mbboRecord *prec = (mbboRecord *)pcommon;
    long status = psOutInit(pcommon, &prec->out, &mbboTable, &mbboType);
    return status ? status : 2; /* VAL is set */
}

static long writeMbbo(mbboRecord *prec)
{
    psOutWrite((dbCommon *)prec, &mbboType);
    return 0;
}

static mbbodset devPsMbbo = {
    {5, NULL, NULL, initMbbo, NULL},
    writeMbbo,
};
epicsExportAddress(dset, devPsMbbo);

/* ---- longout ---- */

static const psOutItem longoutItems[] = {
    {.item = {"SignalNum"}, .verb = psVerbSignal, .only = {1, 64}},
};
static const psItemTable longoutTable = PS_ITEM_TABLE(longoutItems, psSettingInt);

static double longoutValue(const dbCommon *prec)
{
    return ((const longoutRecord *)prec)->val;
}

static void longoutAdopt(dbCommon *pcommon, double value)
{
    longoutRecord *prec = (longoutRecord *)pcommon;

    prec->val = (epicsInt32)value;
    prec->udf = FALSE;
}

static void longoutPost(dbCommon *pcommon)
{
    longoutRecord *prec = (longoutRecord *)pcommon;

    db_post_events(prec, &prec->val, DBE_VALUE | DBE_LOG);
    prec->mlst = prec->val;
}

static const psOutType longoutType = {
    .value = longoutValue, .adopt = longoutAdopt, .post = longoutPost};

static long initLongout(dbCommon *pcommon)
{
    longoutRecord *prec = (longoutRecord *)pcommon;

    return psOutInit(pcommon, &prec->out, &longoutTable, &longoutType);
}

static long writeLongout(longoutRecord *prec)
{
    psOutWrite((dbCommon *)prec, &longoutType);
    return 0;
}

static longoutdset devPsLongout = {
    {5, NULL, NULL, initLongout, NULL},
    writeLongout,
};
epicsExportAddress(dset, devPsLongout);

/* ---- ao ---- */

static int setStagger(const psCommand *cmd, psDoneFn done, void *ctx)
{
    int status = psIocAllSetStagger(cmd->value);

    if (!status)
        done(ctx, psCmdDone, "done");
    return status;
}

static const psOutSystemItem aoSystemItems[] = {
    {{"Stagger"}, psVerbNone, {0, PS_STAGGER_MAX_SEC}, setStagger, psIocAllStagger},
};
static const psItemTable aoSystemTable = PS_ITEM_TABLE(aoSystemItems, PS_NO_SETTINGS);
/* Of a child settings only. */
static const psItemTable aoTable = {.settings = psSettingDouble, .system = &aoSystemTable};

static double aoValue(const dbCommon *prec)
{
    return ((const aoRecord *)prec)->val;
}

static void aoAdopt(dbCommon *pcommon, double value)
{
    aoRecord *prec = (aoRecord *)pcommon;

    prec->omod = prec->oval != value;
    prec->val = prec->oval = prec->pval = value;
    prec->udf = FALSE;
}

static const psOutType aoType = {.value = aoValue, .adopt = aoAdopt};

static long initAo(dbCommon *pcommon)
{
    aoRecord *prec = (aoRecord *)pcommon;
    long status = psOutInit(pcommon, &prec->out, &aoTable, &aoType);
    return status ? status : 2; /* VAL is set, no conversion */
}

static long writeAo(aoRecord *prec)
{
    psOutWrite((dbCommon *)prec, &aoType);
    return 0;
}

static aodset devPsAo = {
    {6, NULL, NULL, initAo, NULL},
    writeAo,
    NULL,
};
epicsExportAddress(dset, devPsAo);

/* ---- lso ---- */

static double lockoutChanges(const psStatus *now)
{
    return now->lockout.changes;
}

static const char *lockoutMsg(const psStatus *now)
{
    return now->lockout.msg;
}

static const psOutItem lsoItems[] = {
    {.item = {"In"}, .verb = psVerbIn, .only = {1, 1}},
    {.item = {"LockoutMsg"},
     .verb = psVerbLockoutMsg,
     .only = {1, 1},
     .actual = lockoutChanges,
     .text = lockoutMsg},
};
static const psItemTable lsoTable = PS_ITEM_TABLE(lsoItems, PS_NO_SETTINGS);

static const char *lsoText(const dbCommon *prec)
{
    return ((const lsoRecord *)prec)->val;
}

static double lsoValue(const dbCommon *prec)
{
    return lsoText(prec)[0] != '\0';
}

static void lsoAdoptText(dbCommon *pcommon, const char *text)
{
    lsoRecord *prec = (lsoRecord *)pcommon;

    epicsSnprintf(prec->val, prec->sizv, "%s", text);
    prec->len = (epicsUInt32)strlen(prec->val) + 1;
    prec->udf = FALSE;
}

static void lsoAdopt(dbCommon *pcommon, double value)
{
    (void)value; /* there is none but 0 for a command */
    lsoAdoptText(pcommon, "");
}

static void lsoPost(dbCommon *pcommon)
{
    lsoRecord *prec = (lsoRecord *)pcommon;

    db_post_events(prec, prec->val, DBE_VALUE | DBE_LOG);
    prec->olen = (epicsUInt32)strlen(prec->val) + 1;
    memcpy(prec->oval, prec->val, prec->olen);
}

static const psOutType lsoType = {.value = lsoValue,
                                  .adopt = lsoAdopt,
                                  .post = lsoPost,
                                  .text = lsoText,
                                  .adoptText = lsoAdoptText};

static long initLso(dbCommon *pcommon)
{
    lsoRecord *prec = (lsoRecord *)pcommon;

    return psOutInit(pcommon, &prec->out, &lsoTable, &lsoType);
}

static long writeLso(lsoRecord *prec)
{
    psOutWrite((dbCommon *)prec, &lsoType);
    return 0;
}

static lsodset devPsLso = {
    {5, NULL, NULL, initLso, NULL},
    writeLso,
};
epicsExportAddress(dset, devPsLso);

psOut *psOutOf(const dbCommon *prec)
{
    const void *const ours[] = {&devPsBo, &devPsMbbo, &devPsLongout, &devPsAo, &devPsLso};

    for (size_t i = 0; i < NELEMENTS(ours); i++)
        if ((const void *)prec->dset == ours[i])
            return prec->dpvt;
    return NULL;
}
