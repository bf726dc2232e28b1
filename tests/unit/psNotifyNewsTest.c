/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "model/psNotifyNews.h"

static psNotifyNews parsed(const char *text)
{
    psNotifyNews news;

    memset(&news, 'x', sizeof(news));
    if (psNotifyNewsParse(text, strlen(text), &news))
        testAbort("'%s' is refused", text);
    return news;
}

static void assignments(void)
{
    psNotifyNews news = parsed("READY=1\nSTATUS=12 of 12 loops run\nMAINPID=7\n");

    testOk1(news.ready && !news.reloading && !news.stopping && news.extendSec == 0);
    testOk1(news.hasStatus && strcmp(news.status, "12 of 12 loops run") == 0);
    news = parsed("RELOADING=1\nMONOTONIC_USEC=123456");
    testOk1(news.reloading && !news.ready && !news.hasStatus);
    testOk1(parsed("STOPPING=1").stopping);
    news = parsed("STATUS=");
    testOk1(news.hasStatus && news.status[0] == '\0');
    testOk1(parsed("EXTEND_TIMEOUT_USEC=2500000").extendSec == 2.5);
    testOk1(parsed("EXTEND_TIMEOUT_USEC=18446744073709551615").extendSec == 86400);
    testOk1(strcmp(parsed("STATUS=a\nSTATUS=b").status, "b") == 0);
    news = parsed("WATCHDOG=1");
    testOk1(news.watchdog && !news.watchdogTrigger && !news.ready);
    news = parsed("WATCHDOG=trigger");
    testOk1(news.watchdogTrigger && !news.watchdog);
    testOk1(!parsed("WATCHDOG=triggers").watchdogTrigger);
}

static void whatMeansNothing(void)
{
    static const char *const texts[] = {
        "",
        "\n\n",
        "READY",
        "READY=",
        "READY=0",
        "READY=11",
        "READY=1 ",
        " READY=1",
        "ready=1",
        "XREADY=1",
        "=1",
        "BARRIER=1",
        "FDSTORE=1\nFDNAME=x",
        "RELOADING=yes",
        "WATCHDOG=2",
        "WATCHDOG=",
        "WATCHDOG_USEC=1",
        "EXTEND_TIMEOUT_USEC=",
        "EXTEND_TIMEOUT_USEC=-1",
        "EXTEND_TIMEOUT_USEC=1e6",
        "EXTEND_TIMEOUT_USEC=999999999999999999999",
    };
    int wrong = 0;

    for (size_t i = 0; i < NELEMENTS(texts); i++) {
        psNotifyNews news = parsed(texts[i]);

        if (news.ready || news.reloading || news.stopping || news.hasStatus ||
            news.extendSec != 0) {
            testDiag("'%s' means something", texts[i]);
            wrong++;
        }
    }
    testOk(wrong == 0, "%d of these mean nothing", (int)NELEMENTS(texts));
    testOk1(!parsed("READY=1\nREADY=0").ready);
}

static void badBytes(void)
{
    psNotifyNews news = {.ready = true};
    char text[PS_TEXT_BYTES * 2] = "STATUS=";

    testOk1(psNotifyNewsParse("READY=1\0", 8, &news) == -EBADMSG && news.ready);
    testOk1(strcmp(parsed("STATUS=a\033[31m\xff\t").status, "a\\x1B[31m\\xFF\\x09") == 0);
    testOk1(strcmp(parsed("STATUS=\xc3\xa4").status, "\xc3\xa4") == 0);
    memset(text + 7, 'a', PS_TEXT_BYTES - 2);
    memcpy(text + 7 + PS_TEXT_BYTES - 2, "\xc3\xa4", 2);
    testOk(strlen(parsed(text).status) == PS_TEXT_BYTES - 2, "no half character at its end");
}

MAIN(psNotifyNewsTest)
{
    testPlan(17);
    assignments();
    whatMeansNothing();
    badBytes();
    return testDone();
}
