/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psAddOptions.h"

static void testSplit(void)
{
    static const char *const wanted[] = {"-P", "20001", "a b", "c'd\"e", "f g\\", "", "h"};
    char **words = NULL;
    int count = psAddSplit("  -P\t20001 'a b' \"c'd\\\"e\" f\\ g\\\\ '' h ", &words);

    testOk(count == NELEMENTS(wanted), "%d words", count);
    for (int i = 0; i < count && i < (int)NELEMENTS(wanted); i++)
        testOk(strcmp(words[i], wanted[i]) == 0, "word %d is <%s>", i, words[i]);
    testOk(count < 0 || !words[count], "NULL ends them");
    free(words);
    testOk(psAddSplit("a 'b", &words) == -EINVAL, "an open quote is refused");
    count = psAddSplit("", &words);
    testOk(count == 0 && !words[0], "nothing gives no word");
    free(words);
}

/* Apply the text to a new configuration.  NULL: refused, with a message. */
static psConfig *apply(const char *text)
{
    char msg[PS_TEXT_BYTES] = "";
    char **words = NULL;
    psConfig *cfg = psConfigCreate();
    int count = psAddSplit(text, &words);
    int status = psAddApply(cfg, count, (const char *const *)words, msg, sizeof(msg));

    free(words);
    if (!status)
        return cfg;
    testDiag("%s: %s", text, msg);
    testOk(msg[0] != '\0', "a refusal has a message");
    psConfigFree(cfg);
    return NULL;
}

static void testMessages(void)
{
    static const struct {
        const char *text, *msg;
    } cases[] = {
        {"--nosuch x y", "unrecognized option '--nosuch'"},
        {"--holdoff x -- y", "--holdoff: 'x' must be a number of seconds from 0 to 86400"},
        {"-Z x", "invalid option -- 'Z'"},
        {"-P", "option requires an argument -- 'P'"},
        {"--log x", "option '--log' is ambiguous; possibilities: '--logport' '--logfile' "
                    "'--logstamp' '--logoutcmd'"},
        {"--wait", "no command given"},
    };

    for (size_t i = 0; i < NELEMENTS(cases); i++) {
        char msg[PS_TEXT_BYTES] = "";
        char **words = NULL;
        psConfig *cfg = psConfigCreate();
        int count = psAddSplit(cases[i].text, &words);

        psAddApply(cfg, count, (const char *const *)words, msg, sizeof(msg));
        testOk(strcmp(msg, cases[i].msg) == 0, "%s: %s", cases[i].text, msg);
        free(words);
        psConfigFree(cfg);
    }
}

static void testApply(void)
{
    static const char *const wrong[] = {"",
                                        "-P 20001",
                                        "--nosuch x y",
                                        "-Z x",
                                        "--holdoff",
                                        "--holdoff x -- y",
                                        "-oZ cmd",
                                        "--oneshot=1 cmd",
                                        "-P 20001 --",
                                        "--log x cmd",
                                        "-f cmd",
                                        "--max x cmd"};
    psConfig *cfg = apply("-P 20001 -L/tmp/x.log --holdoff=5 --grace 7 -o -- ./st.cmd -v");

    testOk(cfg && cfg->endpointCount == 1, "one endpoint");
    testOk(cfg && cfg->settings.holdoffSec == 5 && cfg->settings.graceSec == 7, "settings");
    testOk(cfg && cfg->settings.mode == psModeOneShot, "-o is one shot");
    testOk(cfg && cfg->logFile && strcmp(cfg->logFile, "/tmp/x.log") == 0, "log file");
    testOk(cfg && cfg->argc == 2 && strcmp(cfg->argv[1], "-v") == 0, "command");
    psConfigFree(cfg);
    cfg = apply("--wait cat -P 5");
    testOk(cfg && cfg->wait && cfg->argc == 3, "options end at the command");
    psConfigFree(cfg);
    cfg = apply("-woP20001 --logs=%T --hold 3 --max-r=2 -- cat");
    testOk(cfg && cfg->wait && cfg->settings.mode == psModeOneShot && cfg->endpointCount == 1,
           "letters in one word, as on the command line");
    testOk(cfg && cfg->logStamp && strcmp(cfg->logStamp, "%T") == 0, "an optional argument");
    testOk(cfg && cfg->settings.holdoffSec == 3 && cfg->settings.maxRestarts == 2, "abbreviations");
    psConfigFree(cfg);
    cfg = apply("--logstamp cat -x");
    testOk(cfg && cfg->logStamp && cfg->argc == 2, "an optional argument left out");
    psConfigFree(cfg);
    for (size_t i = 0; i < NELEMENTS(wrong); i++)
        testOk(!apply(wrong[i]), "refused: \"%s\"", wrong[i]);
}

MAIN(psAddOptionsTest)
{
    testPlan(0);
    testSplit();
    testApply();
    testMessages();
    return testDone();
}
