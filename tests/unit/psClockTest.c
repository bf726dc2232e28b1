/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psClock.h"

static void system_MonoNeverSteps_WallIsNow(void)
{
    const psClock *clock = psClockSystem();
    double first = psClockMono(clock), second = psClockMono(clock), off;
    epicsTimeStamp now, same;

    testOk(second >= first, "monotonic");
    psClockWall(clock, &now);
    epicsTimeGetCurrent(&same);
    off = epicsTimeDiffInSeconds(&same, &now);
    testOk(off > -60 && off < 60, "the wall clock is %g s off", off);
}

static void format_ByStrftime_OrIso(void)
{
    epicsTimeStamp time;
    char out[80];

    /* 2026-11-23 15:40:19 */
    epicsTimeFromTime_t(&time, 1795448419);
    size_t len = psClockFormat(&time, "%c", out, sizeof(out));
    testOk(strcmp(out, "Mon Nov 23 15:40:19 2026") == 0 && len == strlen(out), "%s", out);
    len = psClockFormat(&time, "%H:%M:%S|", out, sizeof(out));
    testOk(strcmp(out, "15:40:19|") == 0 && len == 9, "%s", out);
    len = psClockFormat(&time, "%A %d %B %Y at %H hours", out, 25);
    testOk(strcmp(out, "2026-11-23T15:40:19+0000") == 0 && len == 24,
           "one that does not fit is ISO 8601: %s", out);
    out[0] = 'x';
    len = psClockFormat(&time, "%c", out, 5);
    testOk(out[0] == 0 && len == 0, "nothing rather than half a time");
    len = psClockFormat(&time, "", out, sizeof(out));
    testOk(out[0] == 0 && len == 0, "no format, no time");
    len = psClockFormat(&time, "%c", NULL, 0);
    testOk(len == 0, "no room at all");
}

MAIN(psClockTest)
{
    setenv("TZ", "UTC", 1);
    tzset();
    testPlan(8);
    system_MonoNeverSteps_WallIsNow();
    format_ByStrftime_OrIso();
    return testDone();
}
