/* SPDX-License-Identifier: EPICS */
/*
 * The policy by itself; what psMachine makes of it is in psMachinePolicyTest.
 */
#include <math.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psRestartPolicy.h"

#define NEAR(a, b) (fabs((a) - (b)) < 1e-6)

static const psSettings plain = {
    .mode = psModeAlways, .holdoffSec = 15, .restartWindowSec = 600, .graceSec = 5};

static void holdoff_DoublesWithShortRuns(void)
{
    static const double delays[] = {15, 15, 30, 60, 100, 100};
    psSettings settings = plain;
    psRestartPolicy policy;

    settings.holdoffMaxSec = 100;
    psRestartPolicyInit(&policy, 0);
    for (size_t i = 0; i < NELEMENTS(delays); i++) {
        testOk(NEAR(psRestartPolicyDue(&policy, &settings, 7), 7 + delays[i]),
               "%u short runs: %g s", (unsigned)i, delays[i]);
        psRestartPolicyEnded(&policy, &settings, 14.9, false, true, 0);
    }
    psRestartPolicyEnded(&policy, &settings, 14.9, true, false, 0);
    testOk(policy.shortRuns == 6, "an end that was asked for is no short run");
    psRestartPolicyEnded(&policy, &settings, 15, true, false, 0);
    testOk(policy.shortRuns == 0, "a long one ends the row, even asked for");
    psRestartPolicyEnded(&policy, &settings, 1, false, false, 0);
    psRestartPolicyForget(&policy);
    testOk(policy.shortRuns == 0, "so does a person");
}

static void holdoffOfNothing_DoublesFromOneSecond(void)
{
    static const double delays[] = {0, 0, 1, 2, 4, 5};
    psSettings settings = plain;
    psRestartPolicy policy;

    settings.holdoffSec = 0;
    settings.holdoffMaxSec = 5;
    psRestartPolicyInit(&policy, 0);
    for (size_t i = 0; i < NELEMENTS(delays); i++) {
        testOk(NEAR(psRestartPolicyDue(&policy, &settings, 7), 7 + delays[i]),
               "%u short runs: %g s", (unsigned)i, delays[i]);
        psRestartPolicyEnded(&policy, &settings, 9.9, false, true, 0);
    }
}

static void failedStarts_BackOff(void)
{
    static const double delays[] = {1, 2, 4, 8, 16, 32, 60, 60};
    psSettings settings = plain;
    psRestartPolicy policy;

    settings.holdoffSec = 0;
    psRestartPolicyInit(&policy, 0);
    for (size_t i = 0; i < NELEMENTS(delays); i++) {
        psRestartPolicyStartFailed(&policy, 0);
        testOk(NEAR(psRestartPolicyDue(&policy, &settings, 0), delays[i]), "%u failures: %g s",
               (unsigned)i + 1, delays[i]);
    }
    psRestartPolicySpawned(&policy);
    testOk(psRestartPolicyDue(&policy, &settings, 0) == 0, "one that works ends that");
    psRestartPolicyStartFailed(&policy, 0);
    testOk(psRestartPolicyDue(&policy, &plain, 0) == 15, "a longer hold-off counts");
}

static void credit_IsTakenAndRefilled(void)
{
    psRestartPolicy policy;
    double now = 1000.1;
    int starts = 0;

    psRestartPolicyInit(&policy, now);
    testOk(psRestartPolicyTake(&policy, now + 3, now) == now + 3, "not yet due");
    testOk(policy.credit == PS_CREDIT_MAX, "which takes nothing");
    while (psRestartPolicyTake(&policy, now, now) <= now)
        starts++;
    testOk(starts == (int)PS_CREDIT_MAX, "%d starts at once", starts);
    double next = psRestartPolicyTake(&policy, now, now);
    testOk(NEAR(next, now + 1 / PS_CREDIT_PER_SEC), "the next in %g s", next - now);
    now += 100;
    for (starts = 0; psRestartPolicyTake(&policy, now, now) <= now; starts++)
        ;
    testOk(starts == (int)(100 * PS_CREDIT_PER_SEC), "%d starts 100 s later", starts);
    /* a missing credit may be too small to be a later time; such a start is paid for, too */
    double end = now + 1000;
    for (starts = 0; now < end && starts < 10000;) {
        double at = psRestartPolicyTake(&policy, now, now);

        starts += at <= now;
        now = fmax(now, at);
    }
    testOk(starts >= 1999 && starts <= 2001, "%d more in 1000 s", starts);
    now += 1e6;
    psRestartPolicyTake(&policy, now, now);
    testOk(policy.credit == PS_CREDIT_MAX - 1, "it is full again, and no fuller");
}

static void starts_AreAdmittedWithinTheWindow(void)
{
    psSettings settings = plain;
    psRestartPolicy policy;
    bool all = true;

    settings.maxRestarts = 2;
    settings.restartWindowSec = 10;
    psRestartPolicyInit(&policy, 0);
    testOk1(psRestartPolicyAdmit(&policy, &settings, 100));
    testOk1(psRestartPolicyAdmit(&policy, &settings, 105));
    testOk1(!psRestartPolicyAdmit(&policy, &settings, 109));
    testOk(psRestartPolicyAdmit(&policy, &settings, 110), "the first has left the window");
    testOk1(!psRestartPolicyAdmit(&policy, &settings, 111));
    psRestartPolicyForget(&policy);
    testOk1(psRestartPolicyAdmit(&policy, &settings, 112));
    for (int i = 0; i < 3 * PS_WINDOW_STARTS; i++)
        all = all && psRestartPolicyAdmit(&policy, &plain, 113);
    testOk(all, "without a limit all are");
    settings.maxRestarts = PS_WINDOW_STARTS;
    testOk(!psRestartPolicyAdmit(&policy, &settings, 113), "they count when there is one");
}

static void crashes_AreCountedInTheWindow(void)
{
    psSettings settings = plain;
    psRestartPolicy policy;

    settings.restartWindowSec = 10;
    psRestartPolicyInit(&policy, 0);
    testOk1(psRestartPolicyCrashesChange(&policy, &settings, 0) == HUGE_VAL);
    psRestartPolicyEnded(&policy, &settings, 1, false, false, 100);
    psRestartPolicyEnded(&policy, &settings, 1, false, true, 101);
    psRestartPolicyEnded(&policy, &settings, 1, true, false, 102);
    psRestartPolicyStartFailed(&policy, 103);
    testOk(psRestartPolicyCrashes(&policy, &settings, 104) == 2, "a crash and a failed start");
    testOk1(psRestartPolicyCrashesChange(&policy, &settings, 104) == 110);
    testOk1(psRestartPolicyCrashes(&policy, &settings, 110) == 1);
    testOk1(psRestartPolicyCrashesChange(&policy, &settings, 110) == 113);
    for (int i = 0; i < 2 * PS_WINDOW_CRASHES; i++)
        psRestartPolicyStartFailed(&policy, 110);
    testOk1(psRestartPolicyCrashes(&policy, &settings, 110) == PS_WINDOW_CRASHES);
}

MAIN(psRestartPolicyTest)
{
    testPlan(46);
    holdoff_DoublesWithShortRuns();
    holdoffOfNothing_DoublesFromOneSecond();
    failedStarts_BackOff();
    credit_IsTakenAndRefilled();
    starts_AreAdmittedWithinTheWindow();
    crashes_AreCountedInTheWindow();
    return testDone();
}
