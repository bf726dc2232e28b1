/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <epicsUnitTest.h>

#include "psSpawnFixture.h"

extern char **environ;

void psSpawnFixtureOpen(psSpawnFixture *f)
{
    memset(f, 0, sizeof(*f));
    f->pty = (psPty)PS_PTY_INIT;
    f->reap = (psReap)PS_REAP_INIT;
    f->loop = psLoopCreate(psClockSystem());
    if (!f->loop)
        testAbort("psLoopCreate");
}

static void closeStart(psSpawnFixture *f)
{
    psLoopUnwatch(&f->watch);
    psReapStop(&f->reap);
    psPtyClose(&f->pty);
}

void psSpawnFixtureClose(psSpawnFixture *f)
{
    closeStart(f);
    psLoopFree(f->loop);
}

void psSpawnFixturePrepare(psSpawnFixture *f, const char *const *words)
{
    static const char *argv[64];
    int argc = 1, status;

    closeStart(f);
    status = psPtyOpen(&f->pty, NULL);
    if (status)
        testAbort("psPtyOpen: %s", strerror(-status));
    argv[0] = psTestChildProgram();
    while (*words)
        argv[argc++] = *words++;
    argv[argc] = NULL;
    f->request = (psSpawnRequest){
        .file = argv[0], .argv = (char *const *)argv, .envp = environ, .coreSizeBytes = -1};
    f->outcomes = f->ends = 0;
    f->textLen = 0;
    f->text[0] = '\0';
}

static void onOutcome(void *ctx, const psSpawnOutcome *outcome)
{
    psSpawnFixture *f = ctx;

    f->outcomes++;
    f->outcome = *outcome;
}

void psSpawnFixtureBegin(psSpawnFixture *f)
{
    f->spawn = psSpawnCreate(f->loop, &f->request);
    if (!f->spawn)
        testAbort("psSpawnCreate");
    psSpawnFiles files = {f->pty.slave, f->pty.slave, true};
    int status = psSpawnStart(f->spawn, &files, onOutcome, f);
    if (status || f->outcomes)
        testAbort("psSpawnStart: %s, outcome delivered from within: %d", strerror(-status),
                  f->outcomes);
}

static void await(psSpawnFixture *f, const int *counter, const char *what)
{
    double deadline = psClockMono(psClockSystem()) + PS_SPAWN_TEST_SEC;

    while (!*counter) {
        if (psClockMono(psClockSystem()) > deadline)
            testAbort("no %s within %.0f s; text: %s", what, PS_SPAWN_TEST_SEC, f->text);
        psLoopRound(f->loop, 1.0);
    }
}

void psSpawnFixtureAwaitOutcome(psSpawnFixture *f)
{
    await(f, &f->outcomes, "outcome");
    psSpawnFree(f->spawn);
    f->spawn = NULL;
}

static void readText(void *ctx, unsigned events)
{
    psSpawnFixture *f = ctx;
    char data[4096];
    ssize_t len;

    (void)events;
    while ((len = read(f->pty.master, data, sizeof(data))) > 0) {
        for (ssize_t i = 0; i < len; i++)
            if (data[i] != '\r' && f->textLen < sizeof(f->text) - 1)
                f->text[f->textLen++] = data[i];
    }
    f->text[f->textLen] = '\0';
}

static void onEnd(void *ctx, const psReapInfo *info)
{
    psSpawnFixture *f = ctx;

    readText(f, 0);
    f->ends++;
    f->end = *info;
}

void psSpawnFixtureAwaitEnd(psSpawnFixture *f)
{
    psReapStart(&f->reap, f->loop, f->outcome.pid, f->outcome.pidfd, onEnd, f);
    if (psLoopWatch(f->loop, &f->watch, f->pty.master, EPOLLIN, readText, f))
        testAbort("cannot watch the terminal");
    await(f, &f->ends, "end of the child");
    psLoopUnwatch(&f->watch);
    psReapStop(&f->reap);
}

void psSpawnFixtureRun(psSpawnFixture *f)
{
    psSpawnFixtureBegin(f);
    psSpawnFixtureAwaitOutcome(f);
    if (f->outcome.pid > 0)
        psSpawnFixtureAwaitEnd(f);
}

const char *psSpawnFixtureFact(const psSpawnFixture *f, const char *key)
{
    static char values[4][512];
    static int next;
    char *value = values[next++ % 4];
    size_t length = strlen(key);

    *value = '\0';
    for (const char *line = f->text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, length) == 0 && line[length] == ' ') {
            line += length + 1;
            snprintf(value, sizeof(values[0]), "%.*s", (int)strcspn(line, "\n"), line);
            break;
        }
    }
    return value;
}
