/* SPDX-License-Identifier: EPICS */
/* Device support "procServ" for bo, mbbo, longout and ao: commands and settings. */

#include <aoRecord.h>
#include <boRecord.h>
#include <dbAccess.h>
#include <epicsExport.h>
#include <longoutRecord.h>
#include <mbboRecord.h>

#include "psIocOut.h"

/* ---- bo ---- */

static const psOutItem boItems[] = {
    {"Start", psVerbStart, false},         {"Stop", psVerbStop, false},
    {"Restart", psVerbRestart, false},     {"Kill", psVerbKill, false},
    {"Reset", psVerbReset, false},         {"ResetCounters", psVerbResetCounters, false},
    {"RotateLog", psVerbRotateLog, false},
};

static double boValue(const dbCommon *prec)
{
    return ((const boRecord *)prec)->val;
}

static long initBo(dbCommon *pcommon)
{
    boRecord *prec = (boRecord *)pcommon;
    return psOutInit(pcommon, &prec->out, boItems, NELEMENTS(boItems), boValue, NULL);
}

static long writeBo(boRecord *prec)
{
    int next = psOutWrite((dbCommon *)prec, &prec->val);
    if (next & PS_OUT_POST) {
        prec->mlst = prec->val;
    }
    if (next & PS_OUT_ZERO) {
        prec->val = 0;
        prec->rval = 0;
    }
    return 0;
}

/** A new set of records begins. */
static long initBoSupport(int after)
{
    if (!after) {
        psOutNewEpoch();
    }
    return 0;
}

static bodset devPsBo = {
    {5, NULL, initBoSupport, initBo, NULL},
    writeBo,
};
epicsExportAddress(dset, devPsBo);

/* ---- mbbo ---- */

static const psOutItem mbboItems[] = {
    {"Signal", psVerbSignal, false},
    {"AutoRestart", psVerbMode, true},
};

static double mbboValue(const dbCommon *prec)
{
    return ((const mbboRecord *)prec)->val;
}

static void mbboAdopt(dbCommon *pcommon, double actual)
{
    mbboRecord *prec = (mbboRecord *)pcommon;
    prec->val = (epicsEnum16)actual;
    prec->rval = prec->val;
    prec->udf = FALSE;
}

static long initMbbo(dbCommon *pcommon)
{
    mbboRecord *prec = (mbboRecord *)pcommon;
    long status =
        psOutInit(pcommon, &prec->out, mbboItems, NELEMENTS(mbboItems), mbboValue, mbboAdopt);
    return status ? status : 2; /* VAL is set */
}

static long writeMbbo(mbboRecord *prec)
{
    int next = psOutWrite((dbCommon *)prec, &prec->val);
    if (next & PS_OUT_POST) {
        prec->mlst = prec->val;
    }
    if (next & PS_OUT_ZERO) {
        prec->val = 0;
        prec->rval = 0;
    }
    return 0;
}

static mbbodset devPsMbbo = {
    {5, NULL, NULL, initMbbo, NULL},
    writeMbbo,
};
epicsExportAddress(dset, devPsMbbo);

/* ---- longout ---- */

static const psOutItem longoutItems[] = {
    {"SignalNum", psVerbSignal, false},
    {"MaxRestarts", psVerbMaxRestarts, true},
};

static double longoutValue(const dbCommon *prec)
{
    return ((const longoutRecord *)prec)->val;
}

static void longoutAdopt(dbCommon *pcommon, double actual)
{
    longoutRecord *prec = (longoutRecord *)pcommon;
    prec->val = (epicsInt32)actual;
    prec->udf = FALSE;
}

static long initLongout(dbCommon *pcommon)
{
    longoutRecord *prec = (longoutRecord *)pcommon;
    return psOutInit(pcommon, &prec->out, longoutItems, NELEMENTS(longoutItems), longoutValue,
                     longoutAdopt);
}

static long writeLongout(longoutRecord *prec)
{
    int next = psOutWrite((dbCommon *)prec, &prec->val);
    if (next & PS_OUT_POST) {
        prec->mlst = prec->val;
    }
    if (next & PS_OUT_ZERO) {
        prec->val = 0;
    }
    return 0;
}

static longoutdset devPsLongout = {
    {5, NULL, NULL, initLongout, NULL},
    writeLongout,
};
epicsExportAddress(dset, devPsLongout);

/* ---- ao ---- */

static const psOutItem aoItems[] = {
    {"Holdoff", psVerbHoldoff, true},
    {"HoldoffMax", psVerbHoldoffMax, true},
    {"RestartWindow", psVerbRestartWindow, true},
    {"Grace", psVerbGrace, true},
};

static double aoValue(const dbCommon *prec)
{
    return ((const aoRecord *)prec)->val;
}

static void aoAdopt(dbCommon *pcommon, double actual)
{
    aoRecord *prec = (aoRecord *)pcommon;
    prec->omod = prec->oval != actual;
    prec->val = prec->oval = prec->pval = actual;
    prec->udf = FALSE;
}

static long initAo(dbCommon *pcommon)
{
    aoRecord *prec = (aoRecord *)pcommon;
    long status = psOutInit(pcommon, &prec->out, aoItems, NELEMENTS(aoItems), aoValue, aoAdopt);
    return status ? status : 2; /* VAL is set, no conversion */
}

static long writeAo(aoRecord *prec)
{
    psOutWrite((dbCommon *)prec, &prec->val); /* settings only: VAL is cared for */
    return 0;
}

static aodset devPsAo = {
    {6, NULL, NULL, initAo, NULL},
    writeAo,
    NULL,
};
epicsExportAddress(dset, devPsAo);

psOut *psOutOf(const dbCommon *prec)
{
    const void *const ours[] = {&devPsBo, &devPsMbbo, &devPsLongout, &devPsAo};
    for (size_t i = 0; i < NELEMENTS(ours); i++) {
        if ((const void *)prec->dset == ours[i]) {
            return prec->dpvt;
        }
    }
    return NULL;
}
