/* SPDX-License-Identifier: EPICS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dbDefs.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psTrialWords.h"

/* What is written is one line, and is read as it was. */
static void thereAndBack(void)
{
    static const char *const words[] = {"procServAdd", "",    "a\tb",    "c\nd",
                                        "\\",          "\\t", "e \"f\"", "\\\\n"};
    const char *read[PS_TRIAL_WORDS + 1];
    char *line = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&line, &len);

    for (size_t i = 0; i < NELEMENTS(words); i++) {
        if (i)
            fputc('\t', to);
        psTrialWordPut(to, words[i]);
    }
    fclose(to);
    testOk(!strchr(line, '\n'), "one line: %s", line);
    int count = psTrialWordsSplit(line, read);
    testOk(count == NELEMENTS(words) && !read[count], "%d words", count);
    for (size_t i = 0; i < NELEMENTS(words); i++)
        testOk(strcmp(read[i], words[i]) == 0, "word %d is <%s>", (int)i, words[i]);
    free(line);
}

static void tooMany(void)
{
    const char *read[PS_TRIAL_WORDS + 1];
    char line[2 * PS_TRIAL_WORDS + 10];

    memset(line, '\t', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    testOk1(psTrialWordsSplit(line, read) == PS_TRIAL_WORDS && !read[PS_TRIAL_WORDS]);
}

MAIN(psTrialWordsTest)
{
    testPlan(0);
    thereAndBack();
    tooMany();
    return testDone();
}
