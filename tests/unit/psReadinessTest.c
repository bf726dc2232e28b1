/* SPDX-License-Identifier: EPICS */
/* Each rule, and each event in each situation, with a time of our own. */
#include <math.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psReadiness.h"

#define SEC 60.0

static psReadiness begun(psReadyRule rule, double now)
{
    psReadiness r;

    psReadinessInit(&r, rule, rule == psReadyNotify || rule == psReadyNone ? NULL : "it", SEC);
    psReadinessBegin(&r, now);
    return r;
}

static bool explains(const psReadiness *r, const char *part)
{
    char text[PS_TEXT_BYTES];

    psReadinessExplain(r, text, sizeof(text));
    if (strstr(text, part))
        return true;
    testDiag("'%s' has no '%s'", text, part);
    return false;
}

static void withoutRule(void)
{
    psReadiness r = begun(psReadyNone, 100);

    testOk(psReadinessIsMet(&r) && psReadinessDeadline(&r) == HUGE_VAL, "ready when it runs");
    testOk(!psReadinessTick(&r, 1e6) && !r.late && r.tookSec == 0, "never late");
    testOk(!psReadinessSaid(&r, psReadySaysReloading, 101) && psReadinessIsMet(&r),
           "what it says of that does not count");
    testOk(psReadinessStatus(&r, "busy") && strcmp(r.said, "busy") == 0 &&
               !psReadinessStatus(&r, "busy"),
           "its words are shown, each once");
    psReadinessEnd(&r);
    testOk(!psReadinessIsMet(&r) && !psReadinessStatus(&r, "late words"), "not when it has ended");
    psReadinessBegin(&r, 200);
    testOk(psReadinessIsMet(&r) && r.said[0] == '\0', "the next has said nothing");
}

static void byMatch(void)
{
    psReadiness r = begun(psReadyMatch, 100);

    testOk(!psReadinessIsMet(&r) && psReadinessDeadline(&r) == 100 + SEC,
           "not ready, with a limit");
    testOk(explains(&r, "waits for a line that matches 'it'"), "says what for");
    testOk(!psReadinessSaid(&r, psReadySaysReady, 101) && !psReadinessPv(&r, psReadyPvGood, 101) &&
               !psReadinessIsMet(&r),
           "what belongs to other rules does not count");
    testOk(psReadinessMatched(&r, 103.5) && psReadinessIsMet(&r) && r.tookSec == 3.5, "matched");
    testOk(!psReadinessMatched(&r, 104) && r.tookSec == 3.5, "once");
    testOk(psReadinessDeadline(&r) == HUGE_VAL && !psReadinessTick(&r, 1e6), "not late any more");
    psReadinessEnd(&r);
    testOk(!psReadinessIsMet(&r) && !psReadinessMatched(&r, 110),
           "a line after its end is nothing");
    psReadinessBegin(&r, 200);
    testOk(!psReadinessIsMet(&r) && r.tookSec == 3.5,
           "the next begins anew; the last time is kept");
    testOk(!psReadinessTick(&r, 200 + SEC - 0.1) && psReadinessTick(&r, 200 + SEC) && r.late,
           "late at the limit");
    testOk(!psReadinessTick(&r, 300) && psReadinessDeadline(&r) == HUGE_VAL, "that comes once");
    testOk(psReadinessMatched(&r, 290) && !r.late && r.tookSec == 90, "better late than never");
}

static void byNotify(void)
{
    psReadiness r = begun(psReadyNotify, 100);

    testOk(explains(&r, "waits for READY=1"), "waits for its word");
    testOk(psReadinessSaid(&r, psReadySaysReady, 102) && psReadinessIsMet(&r) && r.tookSec == 2,
           "ready");
    testOk(psReadinessSaid(&r, psReadySaysReloading, 200) && !psReadinessIsMet(&r) &&
               explains(&r, "reloading") && psReadinessDeadline(&r) == 200 + SEC,
           "not while it reloads");
    testOk(psReadinessTick(&r, 200 + SEC) && r.late && r.once, "late to come back");
    testOk(psReadinessSaid(&r, psReadySaysReady, 290) && psReadinessIsMet(&r) && !r.late &&
               r.tookSec == 2,
           "back; the time of the start is kept");
    testOk(psReadinessSaid(&r, psReadySaysStopping, 300) && !psReadinessIsMet(&r) &&
               explains(&r, "stopping"),
           "not when it stops");
    testOk(!psReadinessSaid(&r, psReadySaysStopping, 301) && r.sinceMono == 300,
           "said twice is said once");
    testOk(psReadinessSaid(&r, psReadySaysReloading, 302) && explains(&r, "reloading") &&
               r.sinceMono == 300,
           "another word, though not ready before either");
}

static void itsOwnDeadline(void)
{
    psReadiness r = begun(psReadyNotify, 100);

    testOk(psReadinessExtend(&r, 600, 110) && psReadinessDeadline(&r) == 710, "it may take longer");
    testOk(!psReadinessExtend(&r, 5, 120) && psReadinessDeadline(&r) == 710, "never shorter");
    testOk(psReadinessTick(&r, 710) && !psReadinessExtend(&r, 600, 711), "but not once it is late");
    psReadinessSaid(&r, psReadySaysReady, 720);
    testOk(!psReadinessExtend(&r, 600, 721), "and not once it is ready");
}

static void byPv(void)
{
    psReadiness r = begun(psReadyPv, 100);

    testOk(explains(&r, "the PV it, which no record follows"), "nothing is known of it");
    testOk(psReadinessPv(&r, psReadyPvZero, 101) && explains(&r, "which is 0"), "0");
    testOk(psReadinessPv(&r, psReadyPvGood, 102) && psReadinessIsMet(&r) && r.tookSec == 2, "good");
    testOk(!psReadinessPv(&r, psReadyPvGood, 103), "the same again is no news");
    testOk(psReadinessPv(&r, psReadyPvBad, 110) && !psReadinessIsMet(&r) &&
               psReadinessDeadline(&r) == 110 + SEC && explains(&r, "not connected or invalid"),
           "gone: not ready, and late after the same time");
    testOk(psReadinessTick(&r, 110 + SEC) && psReadinessPv(&r, psReadyPvGood, 180) && !r.late &&
               r.tookSec == 2,
           "back");
}

/* The last process's PV may still look good for a moment after the next one began. */
static void pvOfTheLastProcess(void)
{
    psReadiness r = begun(psReadyPv, 100);

    psReadinessPv(&r, psReadyPvGood, 101);
    psReadinessEnd(&r);
    psReadinessBegin(&r, 200);
    testOk(!psReadinessPv(&r, psReadyPvGood, 200.1) && !psReadinessIsMet(&r) &&
               explains(&r, "still as before the start"),
           "what was good before does not count");
    psReadinessPv(&r, psReadyPvBad, 200.2);
    testOk(psReadinessPv(&r, psReadyPvGood, 203) && psReadinessIsMet(&r) && r.tookSec == 3,
           "until it was bad once");
    psReadinessEnd(&r);
    testOk(!psReadinessPv(&r, psReadyPvBad, 250), "nothing to show while it is down");
    psReadinessBegin(&r, 300);
    testOk(psReadinessPv(&r, psReadyPvGood, 301) && psReadinessIsMet(&r),
           "it was bad while nothing ran: good counts at once");
}

MAIN(psReadinessTest)
{
    testPlan(39);
    withoutRule();
    byMatch();
    byNotify();
    itsOwnDeadline();
    byPv();
    pvOfTheLastProcess();
    return testDone();
}
