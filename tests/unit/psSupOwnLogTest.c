/* SPDX-License-Identifier: EPICS */
/* The own log of a supervisor without children: what is written to it, from any thread, and what is
 * lost. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <epicsThread.h>
#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSup.h"

#define STAMP_LENGTH 20 /* "2026-11-25 17:07:39 " */
#define THREADS 4
#define LINES 100

static char dir[] = "/tmp/psSupOwnLogTestXXXXXX";
static char path[100];
static psSup *sup;

static void begin(const char *file)
{
    psSupOptions options;

    psSupOptionsDefault(&options);
    options.ownLog = file;
    options.endWithOneShot = true;
    sup = psSupCreate(&options);
    if (!sup)
        testAbort("no supervisor");
}

static void start(void)
{
    if (psSupStart(sup))
        testAbort("the supervisor does not start");
}

static void end(void)
{
    psSupShutdown(sup);
    testOk1(psSupWait(sup, 30.0) == 0);
    psSupFree(sup);
}

/* The whole file; static. */
static const char *content(void)
{
    static char text[200000];
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

    if (file)
        fclose(file);
    text[got] = '\0';
    return text;
}

static int count(const char *part)
{
    int found = 0;

    for (const char *at = content(); (at = strstr(at, part)); at += strlen(part))
        found++;
    return found;
}

static bool everyLineHasATime(void)
{
    for (const char *line = content(); *line; line = strchr(line, '\n') + 1)
        if (!strchr(line, '\n') || line[4] != '-' || line[13] != ':' ||
            line[STAMP_LENGTH - 1] != ' ')
            return false;
    return true;
}

static void lines_BeforeAndAfterTheStart_AreWritten(void)
{
    begin(path);
    psSupWriteLog(sup, "before");
    start();
    psSupWriteLog(sup, "two\nlines");
    end();
    testOk1(count(" before\n") == 1);
    testOk(count(" two\\x0Alines\n") == 1, "a line feed breaks no line");
    testOk1(count(" ending: the program asks for it\n") == 1);
    testOk1(count(" all children are down; exit code 0\n") == 1);
    testOk1(everyLineHasATime());
    unlink(path);
}

static void writeLines(void *arg)
{
    (void)arg;
    for (int i = 0; i < LINES; i++)
        psSupWriteLog(sup, "from a thread");
}

static void lines_OfManyThreads_AreAllWritten(void)
{
    epicsThreadId threads[THREADS];
    epicsThreadOpts opts = EPICS_THREAD_OPTS_INIT;

    opts.joinable = 1;
    begin(path);
    start();
    for (int i = 0; i < THREADS; i++)
        threads[i] = epicsThreadCreateOpt("writer", writeLines, NULL, &opts);
    for (int i = 0; i < THREADS; i++)
        epicsThreadMustJoin(threads[i]);
    end();
    testOk1(count(" from a thread\n") == THREADS * LINES);
    testOk1(everyLineHasATime());
    unlink(path);
}

/* The loop does not run yet: nobody takes them. */
static void lines_BeyondTheBound_AreCounted(void)
{
    char line[101];

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    begin(path);
    for (int i = 0; i < 2000; i++)
        psSupWriteLog(sup, line);
    start();
    end();
    int written = count(" xxxxxxxxxx"), lost = 0;
    const char *said = strstr(content(), " lines lost\n");
    while (said && said > content() && said[-1] != ' ')
        said--;
    testOk1(said && sscanf(said, "%d lines lost", &lost) == 1);
    testOk(written > 500 && written + lost == 2000, "%d written, %d lost", written, lost);
    unlink(path);
}

static void none_DoesNothing(void)
{
    begin(NULL);
    psSupWriteLog(sup, "nobody reads this");
    start();
    end();
    testOk1(access(path, F_OK) < 0);
}

static void one_ThatCannotBeOpened_EndsNothing(void)
{
    begin("/no/such/folder/log");
    psSupWriteLog(sup, "nobody reads this");
    start();
    end();
}

MAIN(psSupOwnLogTest)
{
    (void)argc;
    (void)argv;
    testPlan(16);
    if (!mkdtemp(dir))
        testAbort("no directory to work in");
    snprintf(path, sizeof(path), "%s/own.log", dir);
    lines_BeforeAndAfterTheStart_AreWritten();
    lines_OfManyThreads_AreAllWritten();
    lines_BeyondTheBound_AreCounted();
    none_DoesNothing();
    one_ThatCannotBeOpened_EndsNothing();
    testOk(rmdir(dir) == 0, "no file is left");
    return testDone();
}
