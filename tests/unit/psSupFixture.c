/* SPDX-License-Identifier: EPICS */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <epicsTime.h>
#include <epicsUnitTest.h>

#include "model/psVerb.h"
#include "psSupFixture.h"

/* ---- the supervisor ---- */

static void noteEnded(void *ctx, int exitCode)
{
    psSupFixture *f = ctx;

    f->ended++;
    f->endedCode = exitCode;
}

void psSupFixtureOpen(psSupFixture *f, bool endWithOneShot)
{
    psSupOptions options;
    const char *tmp = getenv("TMPDIR");

    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "%.40s/psTestXXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->dir))
        testAbort("mkdtemp %s: %s", f->dir, strerror(errno));
    f->news = epicsEventMustCreate(epicsEventEmpty);
    psSupOptionsDefault(&options);
    options.banner = "procServIoc test";
    options.endWithOneShot = endWithOneShot;
    options.statPeriodSec = PS_STAT_PERIOD_MIN_SEC;
    options.ended = noteEnded;
    options.ctx = f;
    f->sup = psSupCreate(&options);
    if (!f->sup)
        testAbort("psSupCreate");
}

int psSupFixtureWait(psSupFixture *f)
{
    int code = psSupWait(f->sup, PS_TEST_SEC);

    if (code == -ETIMEDOUT)
        testAbort("waited %g s for the supervisor's end", PS_TEST_SEC);
    return code;
}

static void removeFiles(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
}

void psSupFixtureClose(psSupFixture *f)
{
    if (f->sup) {
        psSupShutdown(f->sup);
        psSupFixtureWait(f);
        psSupFree(f->sup);
    }
    epicsEventDestroy(f->news);
    removeFiles(f->dir);
}

/* ---- children ---- */

void psSupFixtureSet(psConfig *cfg, const char *option, const char *value)
{
    char msg[256];

    if (psConfigSet(cfg, option, value, msg, sizeof(msg)) != 0)
        testAbort("%s %s: %s", option, value ? value : "", msg);
}

psConfig *psSupFixtureCommand(const psSupFixture *f, const char *name, const char *const *argv)
{
    psConfig *cfg = psConfigCreate();
    char path[128];
    int argc = 0;

    while (argv[argc])
        argc++;
    if (!cfg || psConfigSetCommand(cfg, argc, argv) != 0)
        testAbort("configuration of %s", name);
    psSupFixtureSet(cfg, "name", name);
    psSupFixtureSet(cfg, "holdoff", "0.05");
    psSupFixtureSet(cfg, "killsig", "TERM");
    snprintf(path, sizeof(path), "unix:%s/%s.sock", f->dir, name);
    psSupFixtureSet(cfg, "port", path);
    snprintf(path, sizeof(path), "%s/%s.log", f->dir, name);
    psSupFixtureSet(cfg, "logfile", path);
    return cfg;
}

psConfig *psSupFixtureConfig(const psSupFixture *f, const char *name, const char *const *words)
{
    const char *argv[32] = {psTestChildProgram()};
    int argc = 1;

    while (*words && argc < 31)
        argv[argc++] = *words++;
    return psSupFixtureCommand(f, name, argv);
}

static void trigger(void *ctx)
{
    epicsEventMustTrigger(ctx);
}

void psSupFixtureAdd(psSupFixture *f, psConfig *cfg)
{
    char msg[256];

    if (psSupAddChild(f->sup, cfg, msg, sizeof(msg)) != 0)
        testAbort("psSupAddChild: %s", msg);
    psSupSubscribe(psSupFind(f->sup, psConfigName(cfg)), psTopicStatus, trigger, f->news);
    psConfigFree(cfg);
}

void psSupFixtureStart(psSupFixture *f)
{
    int status = psSupStart(f->sup);

    if (status)
        testAbort("psSupStart: %s", strerror(-status));
}

/* ---- waiting ---- */

psStatus psSupFixtureUntil(psSupFixture *f, const char *name, bool (*is)(const psStatus *, long),
                           long arg, const char *what)
{
    epicsUInt64 deadline = epicsMonotonicGet() + (epicsUInt64)(PS_TEST_SEC * 1e9);
    psChild *child = psSupFind(f->sup, name);
    psStatus status;

    if (!child)
        testAbort("no child %s", name);
    for (;;) {
        epicsUInt64 now = epicsMonotonicGet();

        psSupStatus(child, &status);
        if (is(&status, arg))
            return status;
        if (now >= deadline)
            testAbort("waited %g s for %s of %s; it is: %s (%s), %d starts; %s", PS_TEST_SEC, what,
                      name, psStateName(status.state), status.stateMsg, status.starts,
                      status.exitMsg);
        epicsEventWaitWithTimeout(f->news, (double)(deadline - now) * 1e-9);
    }
}

static bool isState(const psStatus *status, long state)
{
    return (long)status->state == state;
}

psStatus psSupFixtureState(psSupFixture *f, const char *name, psState state)
{
    return psSupFixtureUntil(f, name, isState, (long)state, psStateName(state));
}

static bool isRun(const psStatus *status, long n)
{
    return status->state == psStateRunning && status->starts >= n;
}

psStatus psSupFixtureRuns(psSupFixture *f, const char *name, int n)
{
    char what[32];

    snprintf(what, sizeof(what), "run number %d", n);
    return psSupFixtureUntil(f, name, isRun, n, what);
}

/* ---- commands ---- */

static void commandDone(void *ctx, psCmdState how, const char *msg)
{
    psTestCommand *command = ctx;

    command->calls++;
    command->how = how;
    snprintf(command->msg, sizeof(command->msg), "%s", msg);
    psSupStatus(psSupFind(command->sup, command->name), &command->then);
    epicsEventMustTrigger(command->event);
}

void psTestCommandGive(psTestCommand *command, psSupFixture *f, const char *name, psVerb verb,
                       double value)
{
    psCommand cmd = {.verb = verb, .value = value, .reason = psReasonOperator};

    memset(command, 0, sizeof(*command));
    command->event = epicsEventMustCreate(epicsEventEmpty);
    command->sup = f->sup;
    snprintf(command->name, sizeof(command->name), "%s", name);
    snprintf(cmd.by, sizeof(cmd.by), "ops@test");
    int status = psSupSubmit(f->sup, psSupFind(f->sup, name), &cmd, commandDone, command);
    if (status)
        testAbort("%s of %s: %s", psVerbName(verb), name, strerror(-status));
}

psCmdState psTestCommandWait(psTestCommand *command)
{
    if (epicsEventWaitWithTimeout(command->event, PS_TEST_SEC) != epicsEventOK)
        testAbort("waited %g s for the end of a command", PS_TEST_SEC);
    epicsEventDestroy(command->event);
    if (command->how != psCmdDone)
        testDiag("command: %s", command->msg);
    return command->how;
}

psCmdState psSupFixtureDo(psSupFixture *f, const char *name, psVerb verb, double value)
{
    psTestCommand command;

    psTestCommandGive(&command, f, name, verb, value);
    return psTestCommandWait(&command);
}

/* ---- consoles ---- */

void psTestConsoleOpen(psTestConsole *console, const psSupFixture *f, const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    memset(console, 0, sizeof(*console));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.sock", f->dir, name);
    console->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (console->fd < 0 || connect(console->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        testAbort("connect to %s: %s", address.sun_path, strerror(errno));
}

void psTestConsoleClose(psTestConsole *console)
{
    if (console->fd >= 0)
        close(console->fd);
    console->fd = -1;
    psTextClear(&console->got);
}

void psTestConsoleType(psTestConsole *console, const char *text)
{
    size_t len = strlen(text);

    if (send(console->fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        testAbort("typing: %s", strerror(errno));
}

/* @return false at the end of the connection */
static bool readMore(psTestConsole *console, const char *what)
{
    struct pollfd ready = {.fd = console->fd, .events = POLLIN};
    char bytes[65536];

    if (poll(&ready, 1, (int)(PS_TEST_SEC * 1000)) != 1)
        testAbort("waited %g s for '%s' on a console; last: %s", PS_TEST_SEC, what,
                  console->got.data ? console->got.data + console->behind : "");
    ssize_t n = read(console->fd, bytes, sizeof(bytes));
    if (n <= 0)
        return false;
    psTextAppend(&console->got, bytes, (size_t)n);
    return true;
}

bool psTestConsoleExpect(psTestConsole *console, const char *text)
{
    size_t len = strlen(text);

    for (;;) {
        const char *found = NULL;

        if (console->got.len >= console->behind + len)
            found = memmem(console->got.data + console->behind, console->got.len - console->behind,
                           text, len);
        if (found) {
            console->behind = (size_t)(found - console->got.data) + len;
            return true;
        }
        if (!readMore(console, text)) {
            testDiag("the console ended before '%s'", text);
            return false;
        }
    }
}

void psTestConsoleDrain(psTestConsole *console)
{
    while (readMore(console, "its end")) {
    }
}

/* ---- files ---- */

psText psSupFixtureLog(const psSupFixture *f, const char *name)
{
    psText text = PS_TEXT_INIT;
    char path[128], bytes[65536];
    size_t n;

    snprintf(path, sizeof(path), "%s/%s.log", f->dir, name);
    FILE *file = fopen(path, "re");
    if (!file)
        testAbort("%s: %s", path, strerror(errno));
    while ((n = fread(bytes, 1, sizeof(bytes), file)) > 0)
        psTextAppend(&text, bytes, n);
    fclose(file);
    if (!text.data)
        psTextAppend(&text, "", 0);
    return text;
}
