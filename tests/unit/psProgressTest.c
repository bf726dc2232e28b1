/* SPDX-License-Identifier: EPICS */
/* What of errlog gets to standard error while the IOC starts. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <errlog.h>
#include <testMain.h>

#include "psProgress.h"

static const char fault[] = "syntax error at line 5\n";
static const char start[] = "iocRun: All initialization complete\n";
static const char port[] = "cas WARNING: Configured TCP port was unavailable.\n";

/* What is shown of the three; static. */
static const char *shown(psChatter chatter)
{
    static char text[1000];
    FILE *file = tmpfile();
    int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);

    if (!file || kept < 0 || dup2(fileno(file), STDERR_FILENO) < 0)
        testAbort("standard error cannot be led to a file");
    psProgressChatter(chatter);
    errlogPrintf("%s", fault);
    errlogPrintf("%s", start);
    errlogPrintf("%s", port);
    psProgressChatter(psChatterAll); /* waits for errlog */
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t got = pread(fileno(file), text, sizeof(text) - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    fclose(file);
    return text;
}

static void expect(psChatter chatter, const char *one, const char *two, const char *three)
{
    const char *text = shown(chatter);
    char wanted[1000];

    snprintf(wanted, sizeof(wanted), "%s%s%s", one, two, three);
    testOk(strcmp(text, wanted) == 0, "%d shows: %s", (int)chatter, text);
}

MAIN(psProgressTest)
{
    char said[200] = "it failed";

    testPlan(4);
    if (psProgressStart())
        testAbort("out of memory");
    psProgressBegin("testing");
    expect(psChatterAll, fault, start, port);
    expect(psChatterNoPorts, fault, start, "");
    expect(psChatterFaults, fault, "", "");
    psProgressExplain(said, sizeof(said));
    testOk(strcmp(said, "it failed: syntax error at line 5") == 0, "%s", said);
    psProgressStop();
    return testDone();
}
