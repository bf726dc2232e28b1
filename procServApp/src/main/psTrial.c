/* SPDX-License-Identifier: EPICS */
/* The trial writes findings on its standard output, "bad TEXT" or "good TEXT" a line, and Base
 * whatever it likes on standard error: of that the first line that tells of an error is kept, to
 * explain a trial that ends by exit(), abort() or the deadline. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsTime.h>

#include "psTrial.h"

#define ARGS 64 /* of the trial's command line; more --ioc-env are left out */

extern char **environ;

/* One of the two streams, cut into lines. */
typedef struct stream {
    int fd;
    char line[512];
    size_t len;
} stream;

typedef struct trial {
    char subject[512]; /* what is tried, for a person */
    void (*report)(void *ctx, bool bad, const char *line);
    void *ctx;
    int errors;
    char hint[512]; /* the first line of Base that tells of an error */
} trial;

static void add(const char **argv, int *argc, const char *option, const char *value)
{
    if (*argc + 3 > ARGS || !value)
        return;
    argv[(*argc)++] = option;
    argv[(*argc)++] = value;
    argv[*argc] = NULL;
}

static void fillArgs(const psServeOptions *options, const char **argv)
{
    int argc = 0;

    argv[argc++] = options->argv0;
    argv[argc++] = "--check-ioc";
    argv[argc] = NULL;
    add(argv, &argc, "--name", options->name);
    add(argv, &argc, "--prefix", options->prefix);
    add(argv, &argc, "--script", options->script);
    add(argv, &argc, "--acf", options->acf);
    for (char *const *env = options->iocEnv; env && *env; env++)
        add(argv, &argc, "--ioc-env", *env);
}

static int spawn(const psServeOptions *options, const int out[2], const int err[2], pid_t *pid)
{
    const char *argv[ARGS + 1];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none, all;
    const char *program = access("/proc/self/exe", X_OK) ? options->argv0 : "/proc/self/exe";
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len > 0) { /* the new process has another /proc/self by then */
        self[len] = '\0';
        program = self;
    }
    fillArgs(options, argv);
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none); /* threads of Base block everything */
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    int status = posix_spawn(pid, program, &actions, &attr, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return -status;
}

bool psTrialTellsError(const char *line)
{
    static const char *const words[] = {"error",    "fail",   "can't",   "cannot",
                                        "unable",   "bad ",   "invalid", "not ",
                                        "overflow", "exceed", "denied",  "unknown"};

    for (size_t i = 0; i < NELEMENTS(words); i++)
        if (strcasestr(line, words[i]))
            return true;
    return false;
}

void psTrialPlain(char *line)
{
    char *to = line;

    for (const char *from = line; *from;) {
        if (from[0] == '\033' && from[1] == '[') {
            from += 2 + strspn(from + 2, "0123456789;");
            from += *from != '\0';
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

static void takeFinding(trial *self, const char *line)
{
    bool bad = strncmp(line, "bad ", 4) == 0;

    if (!bad && strncmp(line, "good ", 5) != 0)
        return;
    self->errors += bad;
    self->report(self->ctx, bad, line + (bad ? 4 : 5));
}

static void takeNoise(trial *self, const char *line)
{
    if (!self->hint[0] && psTrialTellsError(line))
        epicsSnprintf(self->hint, sizeof(self->hint), "%s", line);
    psTrialPlain(self->hint);
}

/* Read once.  false at the end. */
static bool readLines(stream *from, trial *self, void (*take)(trial *, const char *))
{
    char buf[4096];
    ssize_t got = read(from->fd, buf, sizeof(buf));

    for (ssize_t i = 0; i < got; i++) {
        if (buf[i] == '\n') {
            from->line[from->len] = '\0';
            take(self, from->line);
            from->len = 0;
        } else if (from->len < sizeof(from->line) - 1) {
            from->line[from->len++] = buf[i];
        }
    }
    return got > 0 || (got < 0 && errno == EINTR);
}

/* Until both streams end.  false: the deadline came first. */
static bool listen2(stream *out, stream *err, trial *self, double deadlineSec)
{
    double end = (double)epicsMonotonicGet() * 1e-9 + deadlineSec;
    struct pollfd fds[2] = {{.fd = out->fd, .events = POLLIN}, {.fd = err->fd, .events = POLLIN}};

    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        double left = end - (double)epicsMonotonicGet() * 1e-9;

        if (left <= 0 || poll(fds, 2, (int)(left * 1e3) + 1) == 0)
            return false;
        if (fds[0].revents && !readLines(out, self, takeFinding))
            fds[0].fd = -1;
        if (fds[1].revents && !readLines(err, self, takeNoise))
            fds[1].fd = -1;
    }
    return true;
}

static void nameSubject(trial *self, const psServeOptions *options)
{
    if (options->script)
        epicsSnprintf(self->subject, sizeof(self->subject), "%s", options->script);
    else if (options->acf)
        epicsSnprintf(self->subject, sizeof(self->subject), "access security: %s", options->acf);
    else
        epicsSnprintf(self->subject, sizeof(self->subject), "the IOC");
}

/* It said nothing bad, but how did it end? */
static void judge(trial *self, bool inTime, int status, double deadlineSec)
{
    char line[1536];
    const char *hint = self->hint[0] ? self->hint : "without a word";

    if (self->errors)
        return;
    if (!inTime)
        epicsSnprintf(line, sizeof(line), "%s: its trial took more than %.0f s: %s", self->subject,
                      deadlineSec, hint);
    else if (WIFSIGNALED(status))
        epicsSnprintf(line, sizeof(line), "%s: its trial ended by %s: %s", self->subject,
                      psSignalName(WTERMSIG(status)), hint);
    else if (WEXITSTATUS(status))
        epicsSnprintf(line, sizeof(line), "%s: its trial ended with status %d: %s", self->subject,
                      WEXITSTATUS(status), hint);
    else
        return;
    self->errors++;
    self->report(self->ctx, true, line);
}

static void closePipe(int ends[2])
{
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0)
            close(ends[i]);
        ends[i] = -1;
    }
}

int psTrialRun(const psServeOptions *options, double deadlineSec,
               void (*report)(void *ctx, bool bad, const char *line), void *ctx)
{
    trial self = {.report = report, .ctx = ctx};
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    pid_t pid = -1;
    int status = 0;

    nameSubject(&self, options);
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        status = -errno;
    else
        status = spawn(options, out, err, &pid);
    if (status) {
        char line[256];

        epicsSnprintf(line, sizeof(line), "cannot try the IOC: %s", strerror(-status));
        report(ctx, true, line);
        closePipe(out);
        closePipe(err);
        return 1;
    }
    stream outStream = {.fd = out[0]}, errStream = {.fd = err[0]};

    close(out[1]);
    close(err[1]);
    out[1] = err[1] = -1;
    bool inTime = listen2(&outStream, &errStream, &self, deadlineSec);
    if (!inTime)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    judge(&self, inTime, status, deadlineSec);
    closePipe(out);
    closePipe(err);
    return self.errors;
}
