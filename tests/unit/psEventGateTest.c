/* SPDX-License-Identifier: EPICS */
#include <math.h>
#include <string.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psEventGate.h"

static void first_IsPassedOnAtOnce(void)
{
    psEventGate gate = {0};
    unsigned skipped;

    testOk1(psEventGateDue(&gate) == HUGE_VAL);
    testOk(psEventGateOffer(&gate, psNewsCrash, 100), "the first event is passed on");
    psEventGateStarted(&gate, 100);
    psEventGateEnded(&gate);
    testOk(psEventGateDue(&gate) == HUGE_VAL, "nothing is due after it");
    testOk(psEventGateOffer(&gate, psNewsCrash, 110), "nor is one after the gap kept back");
    testOk(psEventGateTake(&gate, 100, &skipped) == psNewsNone && skipped == 0, "none waits");
}

static void crashes_AreCounted(void)
{
    psEventGate gate = {0};
    unsigned skipped;

    psEventGateStarted(&gate, 100);
    psEventGateEnded(&gate);
    for (int i = 1; i <= 3; i++)
        testOk(!psEventGateOffer(&gate, psNewsCrash, 100 + i), "crash %d comes too early", i);
    testOk(psEventGateDue(&gate) == 110, "that is to be said after the gap");
    testOk(psEventGateTake(&gate, 109, &skipped) == psNewsNone && skipped == 0, "not before");
    testOk(psEventGateTake(&gate, 110, &skipped) == psNewsNone && skipped == 3, "3 were counted");
    testOk(psEventGateDue(&gate) == HUGE_VAL, "once");
}

static void crashLoop_WaitsForItsTurn(void)
{
    psEventGate gate = {0};
    unsigned skipped;

    psEventGateStarted(&gate, 100);
    testOk(!psEventGateOffer(&gate, psNewsCrashLoop, 150), "one at a time: it waits for the other");
    testOk(psEventGateDue(&gate) == HUGE_VAL, "however long that takes");
    psEventGateEnded(&gate);
    testOk(psEventGateDue(&gate) == 110, "its turn has come");
    testOk(psEventGateTake(&gate, 151, &skipped) == psNewsCrashLoop && skipped == 0,
           "it is passed on");
    testOk(psEventGateTake(&gate, 152, &skipped) == psNewsNone, "once");
}

static void newest_IsWhatWaits(void)
{
    psEventGate gate = {0};
    unsigned skipped;

    psEventGateStarted(&gate, 100);
    psEventGateEnded(&gate);
    psEventGateOffer(&gate, psNewsHung, 101);
    psEventGateOffer(&gate, psNewsCrash, 102);
    testOk(gate.waiting == psNewsHung && gate.skipped == 1, "a crash does not take its place");
    psEventGateOffer(&gate, psNewsCrashLoop, 103);
    testOk(psEventGateTake(&gate, 110, &skipped) == psNewsCrashLoop && skipped == 2,
           "the newer one does");
    psEventGateOffer(&gate, psNewsHung, 101);
    psEventGateOffer(&gate, psNewsRecovered, 102);
    testOk(gate.waiting == psNewsNone && gate.skipped == 2,
           "of a hang that nobody heard of, nobody hears the end");
    psEventGateTake(&gate, 110, &skipped);
    psEventGateOffer(&gate, psNewsRecovered, 102);
    testOk(gate.waiting == psNewsRecovered, "else the end waits, too");
    testOk(psEventGateOffer(&gate, psNewsCrash, 120) && gate.waiting == psNewsNone,
           "what waits is older than an event that is passed on");
}

static void names_AreThoseOfTheManual(void)
{
    testOk1(strcmp(psNewsName(psNewsCrash), "crash") == 0);
    testOk1(strcmp(psNewsName(psNewsCrashLoop), "CrashLoop") == 0);
    testOk1(strcmp(psNewsName(psNewsHung), "hung") == 0);
    testOk1(strcmp(psNewsName(psNewsRecovered), "recovered") == 0);
    testOk1(strcmp(psNewsName(psNewsNone), "") == 0 && strcmp(psNewsName(psNewsCount), "?") == 0);
}

MAIN(psEventGateTest)
{
    testPlan(27);
    first_IsPassedOnAtOnce();
    crashes_AreCounted();
    crashLoop_WaitsForItsTurn();
    newest_IsWhatWaits();
    names_AreThoseOfTheManual();
    return testDone();
}
