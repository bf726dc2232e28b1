/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <epicsStdio.h>
#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psConfig.h"

static char msg[PS_TEXT_BYTES];

static int set(psConfig *cfg, const char *option, const char *value)
{
    msg[0] = '\0';
    return psConfigSet(cfg, option, value, msg, sizeof(msg));
}

static void isSame(const char *got, const char *want, const char *what)
{
    bool same = got && want ? strcmp(got, want) == 0 : got == want;

    testOk(same, "%s is '%s'", what, want ? want : "(NULL)");
    if (!same)
        testDiag("got '%s'", got ? got : "(NULL)");
}

static void defaults_AreThoseOfTheManual(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(cfg->settings.mode == psModeAlways);
    testOk1(cfg->settings.holdoffSec == 15.0 && cfg->settings.holdoffMaxSec == 0.0);
    testOk1(cfg->settings.graceSec == 5.0 && cfg->settings.restartWindowSec == 600.0);
    testOk1(cfg->settings.maxRestarts == 0);
    testOk1(cfg->killSignal == 9);
    testOk1(cfg->killKey == 0x18 && cfg->toggleKey == 0x14 && cfg->logoutKey == 0);
    testOk1(cfg->coreSizeBytes == -1);
    testOk1(!cfg->wait && !cfg->allow && !cfg->restrictLog && cfg->endpointCount == 0);
    isSame(cfg->timeFormat, "%c", "time format");
    isSame(psConfigName(cfg), "", "name without a command");
    psConfigFree(cfg);
    psConfigFree(NULL);
}

static void numbers_AreTakenOnlyWhole(void)
{
    static const struct {
        const char *option, *value;
        bool good;
    } cases[] = {
        {"holdoff", "0", true},           {"holdoff", "2.5", true},
        {"holdoff", "86400", true},       {"holdoff", "86401", false},
        {"holdoff", "-1", false},         {"holdoff", "abc", false},
        {"holdoff", "5s", false},         {"holdoff", "", false},
        {"holdoff", "nan", false},        {"holdoff-max", "600", true},
        {"grace", "3600", true},          {"grace", "3601", false},
        {"restart-window", "0", false},   {"restart-window", "1", true},
        {"max-restarts", "5", true},      {"max-restarts", "5.5", false},
        {"max-restarts", "-1", false},    {"max-restarts", "1001", false},
        {"max-restarts", "0x10", false},  {"coresize", "0", true},
        {"coresize", "1000000000", true}, {"coresize", "-1", true},
        {"coresize", "-2", false},        {"coresize", "unlimited", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        psConfig *cfg = psConfigCreate();
        int status = set(cfg, cases[i].option, cases[i].value);

        testOk(status == (cases[i].good ? 0 : -EINVAL), "%s %s: %d %s", cases[i].option,
               cases[i].value, status, msg);
        psConfigFree(cfg);
    }
}

static void numbers_LandInTheirMember(void)
{
    psConfig *cfg = psConfigCreate();

    set(cfg, "holdoff", "1");
    set(cfg, "holdoff-max", "2");
    set(cfg, "grace", "3");
    set(cfg, "restart-window", "4");
    set(cfg, "max-restarts", "5");
    set(cfg, "coresize", "6");
    testOk1(cfg->settings.holdoffSec == 1.0);
    testOk1(cfg->settings.holdoffMaxSec == 2.0);
    testOk1(cfg->settings.graceSec == 3.0);
    testOk1(cfg->settings.restartWindowSec == 4.0);
    testOk1(cfg->settings.maxRestarts == 5);
    testOk1(cfg->coreSizeBytes == 6);
    testOk1(set(cfg, "holdoff", "x") == -EINVAL && cfg->settings.holdoffSec == 1.0);
    isSame(msg, "holdoff: 'x' must be a number of seconds from 0 to 86400", "message");
    psConfigFree(cfg);
}

static void killSignal_ByNameOrNumber(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(set(cfg, "killsig", "TERM") == 0 && cfg->killSignal == 15);
    testOk1(set(cfg, "killsig", "sigint") == 0 && cfg->killSignal == 2);
    testOk1(set(cfg, "killsig", "-9") == 0 && cfg->killSignal == 9);
    testOk1(set(cfg, "killsig", "64") == 0 && cfg->killSignal == 64);
    testOk1(set(cfg, "killsig", "0") == -EINVAL && cfg->killSignal == 64);
    testOk1(set(cfg, "killsig", "65") == -EINVAL);
    testOk1(set(cfg, "killsig", "--9") == -EINVAL);
    testOk1(set(cfg, "killsig", "") == -EINVAL);
    testOk1(set(cfg, "killsig", "FOO") == -EINVAL);
    isSame(msg, "killsig: 'FOO' is not a signal; give a name (TERM, INT...) or 1 to 64", "message");
    psConfigFree(cfg);
}

static void keys_InCaretNotation(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(set(cfg, "killcmd", "^A") == 0 && cfg->killKey == 1);
    testOk1(set(cfg, "autorestartcmd", "") == 0 && cfg->toggleKey == 0);
    testOk1(set(cfg, "logoutcmd", "^]") == 0 && cfg->logoutKey == 0x1d);
    testOk1(set(cfg, "killcmd", "XX") == -EINVAL && set(cfg, "killcmd", "^1") == -EINVAL);
    isSame(msg, "killcmd: '^1' is not one key; give ^A, ^], a single character, or \"\" for none",
           "message");
    testOk(cfg->killKey == 1, "the key stays");
    testOk1(set(cfg, "ignore", "^Dx") == 0 && cfg->ignore[4] && cfg->ignore['x']);
    testOk1(!cfg->ignore['^'] && !cfg->ignore['D']);
    testOk1(set(cfg, "ignore", "^D^C^]") == 0 && cfg->ignore[0x1d] && cfg->ignore[3]);
    testOk(!cfg->ignore['x'] && !cfg->ignore[']'], "the last list counts");
    psConfigFree(cfg);
}

static void stopInput_IsDecodedToBytes(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(set(cfg, "stop-input", "exit^M") == 0);
    testOk1(cfg->stopInputLen == 5 && memcmp(cfg->stopInput, "exit\r", 5) == 0);
    testOk1(set(cfg, "stop-input", "a^@b") == 0);
    testOk1(cfg->stopInputLen == 3 && memcmp(cfg->stopInput, "a\0b", 3) == 0);
    testOk1(set(cfg, "stop-input", "") == 0 && !cfg->stopInput && cfg->stopInputLen == 0);
    psConfigFree(cfg);
}

static void endpoints_AccumulateButForTheLog(void)
{
    psConfig *cfg = psConfigCreate();
    int status = 0;

    set(cfg, "port", "2000");
    set(cfg, "logport", "2001");
    set(cfg, "port", "unix:/x");
    set(cfg, "logport", "2002");
    testOk1(cfg->endpointCount == 3);
    isSame(cfg->endpoints[0].spec, "2000", "first");
    isSame(cfg->endpoints[1].spec, "2002", "log, the last given");
    isSame(cfg->endpoints[2].spec, "unix:/x", "last");
    testOk1(!cfg->endpoints[0].readOnly && cfg->endpoints[1].readOnly);
    while (cfg->endpointCount < PS_ENDPOINTS && status == 0)
        status = set(cfg, "port", "0");
    testOk1(status == 0);
    testOk1(set(cfg, "port", "0") == -ENOSPC);
    testOk(set(cfg, "logport", "3") == 0, "replacing needs no room");
    psConfigFree(cfg);
}

static void modes_TheLastGivenCounts(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(set(cfg, "noautorestart", NULL) == 0 && cfg->settings.mode == psModeNever);
    testOk1(set(cfg, "oneshot", NULL) == 0 && cfg->settings.mode == psModeOneShot);
    testOk1(set(cfg, "restart-mode", "OnFailure") == 0 && cfg->settings.mode == psModeOnFailure);
    testOk1(set(cfg, "restart-mode", "always") == 0 && cfg->settings.mode == psModeAlways);
    testOk1(set(cfg, "restart-mode", "sometimes") == -EINVAL);
    testOk1(set(cfg, "oneshot", "yes") == -EINVAL);
    testOk1(set(cfg, "restart-mode", NULL) == -EINVAL);
    testOk1(set(cfg, "wait", NULL) == 0 && cfg->wait);
    testOk1(set(cfg, "allow", NULL) == 0 && cfg->allow);
    testOk1(set(cfg, "restrict", NULL) == 0 && cfg->restrictLog);
    testOk1(set(cfg, "nosuch", NULL) == -ENOENT);
    psConfigFree(cfg);
}

static void texts_AreCopied(void)
{
    psConfig *cfg = psConfigCreate();
    char longName[PS_NAME_BYTES + 1];

    memset(longName, 'n', sizeof(longName) - 1);
    longName[PS_NAME_BYTES] = '\0';
    testOk1(set(cfg, "name", "My IOC") == 0);
    isSame(psConfigName(cfg), "My IOC", "name");
    testOk1(set(cfg, "name", longName) == -EINVAL);
    testOk1(set(cfg, "name", "a\nb") == -EINVAL);
    testOk1(set(cfg, "logstamp", NULL) == 0);
    isSame(cfg->logStamp, "", "stamp of default format");
    testOk1(set(cfg, "logstamp", "%T ") == 0);
    isSame(cfg->logStamp, "%T ", "stamp");
    testOk1(set(cfg, "logstamp", "") == 0 && cfg->logStamp == NULL);
    testOk1(set(cfg, "timefmt", "%F") == 0);
    isSame(cfg->timeFormat, "%F", "time format");
    testOk1(set(cfg, "chdir", "") == 0 && set(cfg, "exec", "") == 0);
    testOk1(set(cfg, "logfile", "-") == 0);
    isSame(cfg->logFile, "-", "log file");
    psConfigFree(cfg);
}

static psConfig *filled(void)
{
    static const char *const argv[] = {"./st.cmd", "a b", "it's", "", "x\ty\\"};
    psConfig *cfg = psConfigCreate();

    psConfigSetCommand(cfg, 5, argv);
    set(cfg, "name", "N");
    set(cfg, "exec", "/bin/sh");
    set(cfg, "chdir", "/tmp");
    set(cfg, "logfile", "log");
    set(cfg, "logstamp", "s");
    set(cfg, "stop-input", "q^@q");
    set(cfg, "port", "1");
    set(cfg, "logport", "2");
    set(cfg, "ignore", "z");
    return cfg;
}

static void copy_IsItsOwn(void)
{
    psConfig *cfg = filled();
    psConfig *copy = psConfigCopy(cfg);

    testOk1(copy->argc == 5 && copy->argv != cfg->argv && copy->argv[5] == NULL);
    psConfigFree(cfg);
    isSame(copy->argv[1], "a b", "argument");
    isSame(copy->name, "N", "name");
    isSame(copy->execFile, "/bin/sh", "file");
    isSame(copy->dir, "/tmp", "directory");
    isSame(copy->logFile, "log", "log");
    isSame(copy->logStamp, "s", "stamp");
    isSame(copy->timeFormat, "%c", "time format");
    testOk1(copy->stopInputLen == 3 && memcmp(copy->stopInput, "q\0q", 4) == 0);
    testOk1(copy->endpointCount == 2 && !copy->endpoints[0].readOnly);
    testOk1(copy->endpoints[1].readOnly && copy->ignore['z']);
    isSame(copy->endpoints[1].spec, "2", "endpoint");
    psConfigFree(copy);
}

static void commandLine_OfAnyLength_IsWhole(void)
{
    psConfig *cfg = psConfigCreate();
    char word[3000];

    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *const command[] = {"/bin/cat", word};
    if (!cfg || psConfigSetCommand(cfg, 2, command))
        testAbort("no configuration");
    char *text = psConfigCommandLine(cfg);
    testOk(text && strlen(text) == strlen("/bin/cat ") + strlen(word), "%zu bytes",
           text ? strlen(text) : 0);
    free(text);
    psConfigFree(cfg);
}

static void commandLine_IsQuotedAsAShellWould(void)
{
    static const char *const none[] = {""};
    psConfig *cfg = filled();
    char *text = psConfigCommandLine(cfg);

    isSame(text, "/bin/sh ./st.cmd 'a b' 'it'\\''s' '' $'x\\011y\\\\'", "command line");
    free(text);
    testOk1(psConfigSetCommand(cfg, 0, NULL) == -EINVAL);
    testOk1(psConfigSetCommand(cfg, 1, none) == -EINVAL);
    testOk(cfg->argc == 5, "a refused command leaves the old one");
    psConfigFree(cfg);
}

static void check_WantsACommandAndOrderedHoldoffs(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg, "no command given", "message");
    psConfigFree(cfg);
    cfg = filled();
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == 0);
    set(cfg, "holdoff-max", "10");
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg, "holdoff-max: 10 s is less than the hold-off of 15 s", "message");
    psConfigFree(cfg);
}

static void watchdogs_AreChecked(void)
{
    psConfig *cfg = filled();

    testOk1(cfg->silentAfterSec == 0 && !cfg->hungRestarts);
    testOk1(set(cfg, "silent-after", "0.5") == 0 && cfg->silentAfterSec == 0.5);
    testOk1(set(cfg, "silent-after", "0.05") == -EINVAL &&
            set(cfg, "silent-after", "-1") == -EINVAL);
    testOk1(set(cfg, "silent-after", "nan") == -EINVAL &&
            set(cfg, "silent-after", "86401") == -EINVAL);
    isSame(msg,
           "silent-after: '86401' must be a number of seconds from 0.1 to 86400, or 0 for none",
           "message");
    testOk1(set(cfg, "hung-action", "reboot") == -EINVAL && !cfg->hungRestarts);
    isSame(msg, "hung-action: 'reboot' must be alarm or restart", "message");
    testOk1(set(cfg, "hung-action", "restart") == 0 && cfg->hungRestarts);
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == 0);
    testOk1(set(cfg, "hung-command", "gdb -p $PS_PID") == 0 && set(cfg, "event-command", "x") == 0);
    psConfig *copy = psConfigCopy(cfg);
    isSame(copy->hungCommand, "gdb -p $PS_PID", "hung command of a copy");
    isSame(copy->eventCommand, "x", "event command of a copy");
    psConfigFree(copy);
    set(cfg, "hung-action", "alarm");
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg, "hung-command: it runs before a restart; give --hung-action restart, too",
           "message");
    set(cfg, "hung-action", "restart");
    testOk1(set(cfg, "watch-pv", "A B") == -EINVAL && set(cfg, "watch-pv", "A,B") == -EINVAL);
    testOk1(set(cfg, "watch-pv", "A\"") == -EINVAL && set(cfg, "watch-pv", "$(A)") == -EINVAL);
    testOk1(set(cfg, "watch-pv", "XF:10IDB{Mir:1}Sts.VAL") == 0);
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg,
           "watch-pv: give --watch-after, too: the time within which the next update must come",
           "message");
    testOk1(set(cfg, "watch-after", "5") == 0 && psConfigCheck(cfg, msg, sizeof(msg)) == 0);
    copy = psConfigCopy(cfg);
    isSame(copy->watchPv, "XF:10IDB{Mir:1}Sts.VAL", "PV of a copy");
    psConfigFree(copy);
    testOk1(set(cfg, "watch-pv", "") == 0 && psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg, "watch-after: of which PV? Give --watch-pv, too", "message");
    set(cfg, "watch-after", "0");
    testOk1(set(cfg, "silent-after", "0") == 0 && psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg,
           "hung-action: nothing finds out that it is hung; give --silent-after, --watch-pv "
           "or --watchdog-sec, too",
           "message");
    psConfigFree(cfg);
}

/* A name has 63 bytes at most: records refer to a child by it. */
static void regularExpression_IsCheckedAtOnce(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(cfg->readyRule == psReadyNone && cfg->readyTimeoutSec == 60);
    testOk1(set(cfg, "ready-match", "a(") == -EINVAL &&
            strcmp(msg, "ready-match: 'a(' is no regular expression: Unmatched ( or \\(") == 0);
    testOk1(set(cfg, "ready-match", "(a)\\1") == -EINVAL && strstr(msg, "back reference"));
    testOk1(cfg->readyRule == psReadyNone && !cfg->readyWhat);
    testOk1(set(cfg, "ready-match", "^(a|b)\\\\1$") == 0 && cfg->readyRule == psReadyMatch);
    isSame(cfg->readyWhat, "^(a|b)\\\\1$", "the expression");
    testOk1(set(cfg, "ready-timeout", "0") == -EINVAL &&
            set(cfg, "ready-timeout", "nan") == -EINVAL);
    testOk1(set(cfg, "ready-timeout", "1.5") == 0 && cfg->readyTimeoutSec == 1.5);
    testOk1(set(cfg, "ready-match", "") == 0 && cfg->readyRule == psReadyNone && !cfg->readyWhat);
    psConfigFree(cfg);
}

static void readyTimeoutAndAction_NeedARule(void)
{
    psConfig *cfg = filled();

    testOk1(set(cfg, "ready-action", "alarm") == 0 && psConfigCheck(cfg, msg, sizeof(msg)) == 0);
    set(cfg, "ready-action", "restart");
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg,
           "ready-action: no rule says when it is ready; give --ready-match, --ready-notify or "
           "--ready-pv, too",
           "message");
    set(cfg, "ready-action", "alarm");
    set(cfg, "ready-timeout", "60");
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg,
           "ready-timeout: no rule says when it is ready; give --ready-match, --ready-notify or "
           "--ready-pv, too",
           "message");
    testOk1(set(cfg, "ready-notify", NULL) == 0 && psConfigCheck(cfg, msg, sizeof(msg)) == 0);
    psConfigFree(cfg);
}

static void readyRule_IsOne(void)
{
    psConfig *cfg = psConfigCreate();

    testOk1(set(cfg, "ready-notify", NULL) == 0 && cfg->readyRule == psReadyNotify);
    testOk1(set(cfg, "ready-pv", "IOC1:up") == -EINVAL && strstr(msg, "another rule"));
    testOk1(set(cfg, "ready-match", "x") == -EINVAL && cfg->readyRule == psReadyNotify);
    testOk1(set(cfg, "ready-pv", "") == 0 && cfg->readyRule == psReadyNotify);
    psConfigFree(cfg);
    cfg = psConfigCreate();
    testOk1(set(cfg, "ready-pv", "IOC1:up") == 0 && cfg->readyRule == psReadyPv);
    testOk1(set(cfg, "ready-pv", "a b") == -EINVAL && set(cfg, "ready-pv", "x,P=y") == -EINVAL);
    isSame(cfg->readyWhat, "IOC1:up", "the PV");
    testOk1(set(cfg, "ready-action", "restart") == 0 && cfg->readyRestart);
    testOk1(set(cfg, "ready-action", "reboot") == -EINVAL && cfg->readyRestart);
    psConfigFree(cfg);
}

static void name_OfALongPathIsItsLastPart(void)
{
    char path[300];
    const char *argv[] = {path};
    psConfig *cfg = psConfigCreate();

    isSame(psConfigName(cfg), "", "name of nothing");
    snprintf(path, sizeof(path), "/%0*d/ab", 59, 0);
    psConfigSetCommand(cfg, 1, argv);
    testOk(strlen(path) == 63 && strcmp(psConfigName(cfg), path) == 0, "a path of 63 bytes stays");
    snprintf(path, sizeof(path), "/%0*d/ab", 60, 0);
    psConfigSetCommand(cfg, 1, argv);
    isSame(psConfigName(cfg), "ab", "name of 64 bytes of path");
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == 0);
    snprintf(path, sizeof(path), "/%0*d/%0*d", 80, 0, 63, 0);
    psConfigSetCommand(cfg, 1, argv);
    testOk(strlen(psConfigName(cfg)) == 63 && psConfigCheck(cfg, msg, sizeof(msg)) == 0,
           "a last part of 63 bytes is a name");
    snprintf(path, sizeof(path), "/tmp/%0*d", 64, 0);
    psConfigSetCommand(cfg, 1, argv);
    testOk1(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL);
    isSame(msg, "name: the file name of the command is not a name of 1 to 63 bytes; give one",
           "message");
    set(cfg, "name", "short");
    testOk(psConfigCheck(cfg, msg, sizeof(msg)) == 0, "with a name of its own it is none");
    set(cfg, "name", "");
    snprintf(path, sizeof(path), "/%0*d/", 80, 0);
    psConfigSetCommand(cfg, 1, argv);
    testOk(psConfigCheck(cfg, msg, sizeof(msg)) == -EINVAL, "a directory has no last part");
    psConfigFree(cfg);
}

/* Records refer to a child by a link, where blanks around a name are not part of it. */
static void name_HasNoBlanksAround(void)
{
    psConfig *cfg = psConfigCreate();

    set(cfg, "name", "  my ioc ");
    isSame(psConfigName(cfg), "my ioc", "name");
    set(cfg, "name", "   ");
    testOk(cfg->name == NULL, "blanks are no name");
    psConfigFree(cfg);
}

static void table_CanBeWalked(void)
{
    psConfig *cfg = psConfigCreate();
    unsigned count = 0, wrong = 0;
    const psOption *option;

    for (; (option = psConfigOption(count)) != NULL; count++) {
        /* a value where none is wanted is refused, none where one is wanted too */
        int status = set(cfg, option->name, option->arg == psOptionArgNone ? "x" : NULL);

        if (status != (option->arg == psOptionArgOptional ? 0 : -EINVAL)) {
            testDiag("%s: %d", option->name, status);
            wrong++;
        }
    }
    testOk(count == 41 && wrong == 0, "%u options, %u wrong", count, wrong);
    psConfigFree(cfg);
}

/* A place or a letter that two options have would hide one of them. */
static void places_AreGivenOnce(void)
{
    const psOption *option, *other;
    unsigned twice = 0;
    unsigned listed = 0;

    for (unsigned i = 0; (option = psConfigOption(i)) != NULL; i++)
        for (unsigned k = 0; k < i && (other = psConfigOption(k)) != NULL; k++)
            if (option->place == other->place || strcmp(option->name, other->name) == 0 ||
                (option->letter && option->letter == other->letter)) {
                testDiag("--%s and --%s", option->name, other->name);
                twice++;
            }
    testOk(twice == 0, "no place, name or letter is given twice");
    for (option = psOptionAfter(psConfigOption, 0); option;
         option = psOptionAfter(psConfigOption, option->place))
        listed++;
    testOk(listed == 41, "%u options are listed", listed);
}

static unsigned randomState = 1;

static unsigned randomBelow(unsigned limit)
{
    randomState = randomState * 1103515245u + 12345u;
    return (randomState >> 16) % limit;
}

/* Pieces of options, values and junk, joined at random. */
static void randomWord(char *out, size_t size)
{
    static const char *const pieces[] = {
        "-",   "--", "=",    "^",     "^^", "^X", "\xff", "\n", " ",     "'", "0",   "-1", "1e9",
        "inf", "n",  "TERM", "unix:", "@",  "%c", "a",    ".",  "86401", "/", "SIG", "o",  "w",
    };
    size_t len = (size_t)snprintf(out, size, "%s", randomBelow(2) ? "--" : "");

    for (unsigned n = randomBelow(6); n > 0 && len + 40 < size; n--) {
        unsigned which = randomBelow(NELEMENTS(pieces) + 26);
        const psOption *option = which < 26 ? psConfigOption(which) : NULL;

        len += (size_t)snprintf(out + len, size - len, "%s",
                                option ? option->name : pieces[which - 26]);
    }
}

static void anyWords_AreTakenOrRefusedWithAReason(void)
{
    enum { rounds = 20000, words = 8 };
    unsigned silent = 0, taken = 0;

    for (int i = 0; i < rounds; i++) {
        char text[words][300];
        const char *argv[words];
        psConfig *cfg = psConfigCreate();
        psGetopt scan = {.at = psConfigOption, .argc = words, .argv = argv};
        const psOption *option;
        const char *value;
        int status;

        for (int k = 0; k < words; k++) {
            randomWord(text[k], sizeof(text[k]));
            argv[k] = text[k];
        }
        do {
            msg[0] = '\0';
            status = psGetoptNext(&scan, &option, &value, msg, sizeof(msg));
            if (status > 0 && psConfigSet(cfg, option->name, value, msg, sizeof(msg)) == 0)
                taken++;
            else if (status != 0 && msg[0] == '\0')
                silent++;
        } while (status != 0);
        psConfig *copy = psConfigCopy(cfg);
        if (scan.index > words || !copy)
            silent++;
        psConfigFree(copy);
        psConfigFree(cfg);
    }
    testOk(silent == 0 && taken > 1000, "%u were taken, %u refused without a word", taken, silent);
}

MAIN(psConfigTest)
{
    (void)argc;
    (void)argv;
    testPlan(186);
    defaults_AreThoseOfTheManual();
    numbers_AreTakenOnlyWhole();
    numbers_LandInTheirMember();
    killSignal_ByNameOrNumber();
    keys_InCaretNotation();
    stopInput_IsDecodedToBytes();
    endpoints_AccumulateButForTheLog();
    modes_TheLastGivenCounts();
    texts_AreCopied();
    copy_IsItsOwn();
    commandLine_IsQuotedAsAShellWould();
    commandLine_OfAnyLength_IsWhole();
    check_WantsACommandAndOrderedHoldoffs();
    watchdogs_AreChecked();
    regularExpression_IsCheckedAtOnce();
    readyTimeoutAndAction_NeedARule();
    readyRule_IsOne();
    name_OfALongPathIsItsLastPart();
    name_HasNoBlanksAround();
    table_CanBeWalked();
    places_AreGivenOnce();
    anyWords_AreTakenOrRefusedWithAReason();
    return testDone();
}
