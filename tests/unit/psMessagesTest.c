/* SPDX-License-Identifier: EPICS */
/* The texts that scripts parse, byte for byte as procServ 2.9 prints them. */
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "base/psMessages.h"

#define NL "\r\n"

static const psKeys plainKeys = {.kill = 0x18, .toggle = 0x14};

static const psBanner running = {
    .program = "procServ Process Server 2.9.0-dev",
    .keys = {.kill = 0x18, .toggle = 0x14, .logout = 0x04},
    .mode = psModeAlways,
    .serverPid = 25389,
    .serverDir = "/epics",
    .name = "My IOC",
    .command = "/bin/cat",
    .logFile = "/epics/log",
    .childPid = 25390,
    .serverStarted = "Mon Nov 23 15:40:19 2026",
    .childStarted = "Mon Nov 23 15:40:20 2026",
};

/* Compare, then empty the text for the next. */
static void check(psText *text, const char *expected, const char *name)
{
    bool same = text->data && text->len == strlen(expected) && strcmp(text->data, expected) == 0;

    testOk(same, "%s", name);
    if (!same)
        testDiag("got:\n%s\nexpected:\n%s", text->data ? text->data : "", expected);
    psTextReset(text);
}

static void banner_OfConsole(psText *text)
{
    psBanner banner = running;

    psMessageBanner(text, &banner);
    check(text,
          "@@@ Welcome to procServ (procServ Process Server 2.9.0-dev)" NL
          "@@@ Use ^X to kill the child, auto restart mode is ON, use ^T to toggle auto restart" NL
          "@@@ Use ^D to logout from procServ server" NL "@@@ procServ server PID: 25389" NL
          "@@@ Server startup directory: /epics" NL "@@@ Child startup directory: /epics" NL
          "@@@ Child \"My IOC\" started as: /bin/cat" NL "@@@ Child log file: /epics/log" NL
          "@@@ Child \"My IOC\" PID: 25390" NL
          "@@@ procServ server started at: Mon Nov 23 15:40:19 2026" NL
          "@@@ Child \"My IOC\" started at: Mon Nov 23 15:40:20 2026" NL
          "@@@ 0 user(s) and 0 logger(s) connected (plus you)" NL,
          "running, with a name and a logout key");

    banner.keys = (psKeys){.kill = 0};
    banner.name = "/bin/cat";
    banner.childPid = 0;
    banner.childStarted = NULL;
    banner.childDir = "/no/such/dir";
    banner.logFailed = true;
    banner.users = 1;
    banner.loggers = 2;
    banner.mode = psModeNever;
    psMessageBanner(text, &banner);
    check(text,
          "@@@ Welcome to procServ (procServ Process Server 2.9.0-dev)" NL
          "@@@ Kill command disabled, auto restart mode is OFF, auto restart toggle disabled" NL
          "@@@ procServ server PID: 25389" NL "@@@ Server startup directory: /epics" NL
          "@@@ Child startup directory: /no/such/dir" NL "@@@ Child started as: /bin/cat" NL
          "@@@ Child log file: unable to open log file /epics/log" NL
          "@@@ Child \"/bin/cat\" is SHUT DOWN" NL
          "@@@ procServ server started at: Mon Nov 23 15:40:19 2026" NL
          "@@@ 1 user(s) and 2 logger(s) connected (plus you)" NL
          "@@@ ^R restarts the child, ^Q quits the server" NL,
          "stopped, without name and keys: the help line is complete");
}

static void banner_OfLogger(psText *text)
{
    psBanner banner = running;

    banner.readOnly = true;
    banner.logFile = NULL;
    banner.pvs = "IOC1:PS: (PVs are read-only)";
    psMessageBanner(text, &banner);
    check(text,
          "@@@ procServ server PID: 25389" NL "@@@ Server startup directory: /epics" NL
          "@@@ Child startup directory: /epics" NL "@@@ Child \"My IOC\" started as: /bin/cat" NL
          "@@@ PVs: IOC1:PS: (PVs are read-only)" NL "@@@ Child \"My IOC\" PID: 25390" NL
          "@@@ procServ server started at: Mon Nov 23 15:40:19 2026" NL
          "@@@ Child \"My IOC\" started at: Mon Nov 23 15:40:20 2026" NL,
          "a logger's, running");
    banner.childPid = 0;
    banner.pvs = NULL;
    psMessageBanner(text, &banner);
    check(text,
          "@@@ procServ server PID: 25389" NL "@@@ Server startup directory: /epics" NL
          "@@@ Child startup directory: /epics" NL "@@@ Child \"My IOC\" started as: /bin/cat" NL
          "@@@ Child \"My IOC\" is SHUT DOWN" NL
          "@@@ procServ server started at: Mon Nov 23 15:40:19 2026" NL
          "@@@ ^R or ^X restarts the child, ^Q quits the server, ^D closes this connection" NL,
          "a logger's, stopped");
}

static void banner_WithLongNames_IsComplete(psText *text)
{
    static char name[601], dir[4097];
    psBanner banner = running;

    memset(name, 'N', sizeof(name) - 1);
    memset(dir, 'd', sizeof(dir) - 1);
    banner.name = name;
    banner.childDir = dir;
    psMessageBanner(text, &banner);
    const char *at = text->data ? strstr(text->data, "@@@ Child startup directory: ") : NULL;
    testOk(at && strncmp(at + 29, dir, 4096) == 0 && strncmp(at + 29 + 4096, NL, 2) == 0,
           "a directory of 4096 bytes");
    at = text->data ? strstr(text->data, "@@@ Child \"") : NULL;
    testOk(at && strncmp(at + 11, name, 600) == 0 &&
               strncmp(at + 611, "\" started as: /bin/cat" NL, 24) == 0,
           "a name of 600 bytes");
    psTextReset(text);
}

static void banner_OfMode_ShowsItsWord(psText *text)
{
    static const char *const words[] = {
        [psModeNever] = "mode is OFF, ",
        [psModeAlways] = "mode is ON, ",
        [psModeOneShot] = "mode is ONESHOT, ",
        [psModeOnFailure] = "mode is ON, ",
    };
    psBanner banner = running;

    for (int mode = 0; mode < psModeCount; mode++) {
        banner.mode = (psMode)mode;
        psMessageBanner(text, &banner);
        testOk(text->data && strstr(text->data, words[mode]), "%s", psModeName(banner.mode));
        psTextReset(text);
    }
}

static void events_AreAsProcServ(psText *text)
{
    psKeys keys = {.kill = 0x18, .toggle = 0x14, .logout = 0x04};

    psMessageToggled(text, psModeNever);
    psMessageToggled(text, psModeOneShot);
    psMessageToggled(text, psModeAlways);
    check(text,
          NL "@@@ Toggled auto restart mode to OFF" NL NL
             "@@@ Toggled auto restart mode to ONESHOT" NL NL
             "@@@ Toggled auto restart mode to ON" NL,
          "toggle");
    psMessageKill(text);
    psMessageReaped(text, 25390, 0, 9);
    psMessageGone(text, "Mon Nov 23 15:40:23 2026", psModeAlways, &keys);
    check(text,
          NL "@@@ Got a kill command" NL NL "@@@ @@@ @@@ @@@ @@@" NL
             "@@@ Received a sigChild for process 25390. The process was killed by signal 9" NL
             "@@@ Current time: Mon Nov 23 15:40:23 2026" NL
             "@@@ Child process is shutting down, a new one will be restarted shortly" NL
             "@@@ ^R or ^X restarts the child, ^Q quits the server, ^D closes this connection" NL,
          "^X");
    psMessageRestarting(text, "My IOC", "/bin/cat");
    psMessageNewPid(text, "My IOC", 25390);
    check(text,
          "@@@ Restarting child \"My IOC\"" NL "@@@    (as /bin/cat)" NL
          "@@@ The PID of new child \"My IOC\" is: 25390" NL "@@@ @@@ @@@ @@@ @@@" NL,
          "start");
    psMessageRestarting(text, "/bin/cat", "/bin/cat");
    check(text, "@@@ Restarting child \"/bin/cat\"" NL, "start without a name");
    psMessageReaped(text, 32389, 7, 0);
    psMessageGone(text, "now", psModeNever, &plainKeys);
    check(text,
          NL "@@@ @@@ @@@ @@@ @@@" NL
             "@@@ Received a sigChild for process 32389. Normal exit status = 7" NL
             "@@@ Current time: now" NL
             "@@@ Child process is shutting down, auto restart is disabled" NL
             "@@@ ^R or ^X restarts the child, ^Q quits the server" NL,
          "exit, mode OFF");
    psMessageGone(text, "now", psModeOneShot, &plainKeys);
    check(text,
          "@@@ Current time: now" NL
          "@@@ Child process is shutting down, oneshot mode: server will exit" NL,
          "exit, mode ONESHOT");
    keys = (psKeys){.logout = 0x1d};
    psMessageGone(text, "now", psModeNever, &keys);
    check(text,
          "@@@ Current time: now" NL
          "@@@ Child process is shutting down, auto restart is disabled" NL
          "@@@ ^R restarts the child, ^Q quits the server, ^] closes this connection" NL,
          "help without a kill key");
}

static void names_WithControlCharacters_StayOnTheirLine(psText *text)
{
    psMessageRestarting(text, "a\r\n@@@ b\x1b[2J\xc3\xbc\\\xff\xc2\x9b", "x\n");
    check(text,
          "@@@ Restarting child \"a\\x0D\\x0A@@@ b\\x1B[2J\xc3\xbc\\\\xFF\\xC2\\x9B\"" NL
          "@@@    (as x\\x0A)" NL,
          "control characters are shown, UTF-8 stays");
    psMessageNotice(text, "%s put %s %d", "ops@ws3", "IOC1:PS:Restart\r\n", 1);
    check(text, "@@@ ops@ws3 put IOC1:PS:Restart\\x0D\\x0A 1" NL, "a notice is one line");
    psTextAppendName(text, "\xe2\x82\xac\xf0\x9f\x98\x80 \xe2\x82 \xed\xa0\x80 \xc0\xaf \xe2\x82",
                     20);
    check(text, "\xe2\x82\xac\xf0\x9f\x98\x80 \\xE2\\x82 \\xED\\xA0\\x80 \\xC0\\xAF \\xE2\\x82",
          "broken UTF-8 is shown");
}

static void ours_AreOneLine(psText *text)
{
    psMessageLost(text, 35000000000ull);
    check(text, "@@@ 35000000000 bytes lost" NL, "lost");
    psMessageInputFull(text, 7);
    check(text, NL "@@@ The child does not read its terminal: 7 bytes typed were dropped" NL,
          "input full");
    psMessageLineTooLong(text);
    check(text,
          NL "@@@ A line is longer than the 4095 bytes that a terminal can hold: the rest was "
             "dropped" NL,
          "line too long");
    psMessageConsolesFull(text, 50);
    check(text, "@@@ All 50 console connections are in use: try again later" NL, "consoles full");
}

MAIN(psMessagesTest)
{
    psText text = PS_TEXT_INIT;

    testPlan(24);
    banner_OfConsole(&text);
    banner_OfLogger(&text);
    banner_WithLongNames_IsComplete(&text);
    banner_OfMode_ShowsItsWord(&text);
    events_AreAsProcServ(&text);
    names_WithControlCharacters_StayOnTheirLine(&text);
    ours_AreOneLine(&text);
    psTextClear(&text);
    return testDone();
}
