/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "console/psStamp.h"

/* procServ's log with --logstamp: blank lines are stamped, a line in pieces once. */
static void stamp_LinesInPieces_AreStampedOnce(void)
{
    static const char in[] = "@@@ Restarting\r\npart1 part2\r\n\r\nthree\r\nno end";
    static const char out[] = "[t] @@@ Restarting\r\n[t] part1 part2\r\n[t] \r\n[t] three\r\n"
                              "[t] no end";
    psText got = PS_TEXT_INIT;
    bool good = true;

    for (size_t cut = 0; cut < sizeof(in) && good; cut++) {
        psStamp stamp = {false};

        psTextReset(&got);
        psStampFeed(&stamp, in, cut, "[t] ", 4, &got);
        psStampFeed(&stamp, in + cut, sizeof(in) - 1 - cut, "[t] ", 4, &got);
        good = got.data && strcmp(got.data, out) == 0 && stamp.inLine;
    }
    testOk(good, "cut anywhere: %s", good ? "the same" : got.data);
    psTextClear(&got);
}

static void stamp_OfTheMoment_GoesBeforeFirstByte(void)
{
    psText got = PS_TEXT_INIT;
    psStamp stamp = {false};

    psStampFeed(&stamp, "a", 1, "1 ", 2, &got);
    psStampFeed(&stamp, "b\n", 2, "2 ", 2, &got);
    testOk(!stamp.inLine, "the line is complete");
    psStampFeed(&stamp, "", 0, "3 ", 2, &got);
    psStampFeed(&stamp, "c\nd\n", 4, "4 ", 2, &got);
    testOk(got.data && strcmp(got.data, "1 ab\n4 c\n4 d\n") == 0, "%s", got.data);
    psTextClear(&got);
}

static void print_AsConfigured_OrLikeProcServ(void)
{
    static const epicsTimeStamp when = {1000000000, 0}; /* 2021-09-09 01:46:40 UTC */
    char text[PS_STAMP_BYTES], huge[2 * PS_STAMP_BYTES];
    size_t len = psStampPrint(&when, "", "%Y-%m-%d %H:%M:%S", text);

    testOk(len == 22 && strncmp(text, "[2021-09-09 01:46:40] ", len) == 0, "default: %.*s",
           (int)len, text);
    len = psStampPrint(&when, "%H:%M ", "%c", text);
    testOk(len == 6 && strncmp(text, "01:46 ", len) == 0, "a format: %.*s", (int)len, text);
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = '\0';
    len = psStampPrint(&when, "", huge, text);
    testOk(len < PS_STAMP_BYTES && text[0] == '[' && text[len - 1] == ' ',
           "one that does not fit becomes another: %.*s", (int)len, text);
}

MAIN(psStampTest)
{
    testPlan(6);
    setenv("TZ", "UTC", 1);
    tzset();
    stamp_LinesInPieces_AreStampedOnce();
    stamp_OfTheMoment_GoesBeforeFirstByte();
    print_AsConfigured_OrLikeProcServ();
    return testDone();
}
