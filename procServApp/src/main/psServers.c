/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <envDefs.h>
#include <epicsStdio.h>
#include <epicsThread.h>
#include <rsrv.h>

#include "psServers.h"

/* Set by Base when its PVA server listens.  RSRV_SERVER_PORT, its like of the CA server, is cut
 * to four digits in 7.0.8.1. */
#define PVA_PORT "PVAS_SERVER_PORT"
/* A line of casr() for each address that the CA server listens on.  The report is all there is:
 * the list itself is private to the server. */
#define CA_LISTENS "CAS-TCP server on "

#define THREAD_SEC 2.0 /* for a thread that was created to enter itself in Base's list */
#define LOOK_SEC 0.001

/* No other timer queue of Base's can exist as early as that. */
int psServersTimer(char *msg, size_t msgSize)
{
    for (double waited = 0; waited < THREAD_SEC; waited += LOOK_SEC) {
        if (epicsThreadGetId("timerQueue"))
            return 0;
        epicsThreadSleep(LOOK_SEC);
    }
    epicsSnprintf(msg, msgSize, "cannot create the thread for the IOC's timer");
    return -EAGAIN;
}

void psServersForget(void)
{
    unsetenv(PVA_PORT);
}

/* Does the user want none?  Base takes the names of servers for words between blanks. */
static bool isIgnored(const char *server)
{
    const char *list = envGetConfigParamPtr(&EPICS_IOC_IGNORE_SERVERS);
    size_t len = strlen(server);

    for (const char *word = list; word && *word; word += strspn(word, " ")) {
        size_t end = strcspn(word, " ");

        if (end == len && strncmp(word, server, len) == 0)
            return true;
        word += end;
    }
    return false;
}

/* @return 1: it runs as wanted, 0: it does not, -ENOMEM */
static int caRuns(void)
{
    char *text = NULL;
    size_t len = 0;

    if (isIgnored("rsrv"))
        return 1;
    FILE *report = open_memstream(&text, &len);

    if (!report)
        return -ENOMEM;
    FILE *before = epicsGetThreadStdout();
    epicsSetThreadStdout(report);
    casr(1);
    epicsSetThreadStdout(before);
    int runs = fclose(report) ? -ENOMEM : strstr(text, CA_LISTENS) != NULL;
    free(text);
    return runs;
}

static bool pvaRuns(void)
{
    const char *port = getenv(PVA_PORT);

    return port && *port;
}

/* Base starts one after the other, and may fail between them. */
void psServersFailed(const char *why, char *out, size_t size)
{
    bool pva = pvaRuns();
    bool ca = !isIgnored("rsrv") && caRuns() == 1;
    const char *what = "no PVs";

    if (ca && !pva)
        what = "PVs by Channel Access only";
    else if (pva && !ca)
        what = "PVs by PV Access only";
    epicsSnprintf(out, size, "%s: %s", what, why);
}

int psServersCheck(char *msg, size_t msgSize)
{
    bool pva = pvaRuns();
    int ca = caRuns();

    if (ca < 0) {
        epicsSnprintf(msg, msgSize, "out of memory");
        return ca;
    }
    if (ca && pva)
        return 0;
    epicsSnprintf(msg, msgSize, "the %s server%s not run",
                  ca    ? "PVA"
                  : pva ? "CA"
                        : "CA and PVA",
                  ca || pva ? " does" : "s do");
    return -ENOENT;
}
