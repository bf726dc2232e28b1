/* SPDX-License-Identifier: EPICS */
/* The trial writes findings on its standard output, one per line: "bad TEXT", "good TEXT", and
 * "command DIR<tab>WORD<tab>...".  On standard error it writes each step that begins, and Base
 * whatever it likes: the first line of a step is kept, to explain a trial that ends by exit(),
 * abort() or the deadline. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dbDefs.h>
#include <epicsStdio.h>
#include <epicsTime.h>

#include "psBaseText.h"
#include "psProgress.h"
#include "psTrial.h"
#include "psTrialWords.h"

#define ARGS 16          /* of the trial's command line */
#define LINE_BYTES 65536 /* of one line of the trial; the rest is left out */

extern char **environ;

/* One of the two streams, cut into lines. */
typedef struct stream {
    int fd;
    char *line; /* LINE_BYTES; owned here */
    size_t len;
} stream;

typedef struct trial {
    const psTrialSink *sink;
    char subject[512]; /* what is tried, for a person */
    int errors;
    char step[128]; /* what it was doing last */
    char said[512]; /* the first line of Base during that */
} trial;

/* By psTrialMode. */
static const char *const modes[] = {"start", "check", "children"};

int psTrialModeParse(const char *text)
{
    for (size_t i = 0; i < NELEMENTS(modes); i++)
        if (strcmp(modes[i], text) == 0)
            return (int)i;
    return -EINVAL;
}

/* ---- start ---- */

static void add(const char **argv, int *argc, const char *option, const char *value)
{
    if (!value)
        return;
    argv[(*argc)++] = option;
    argv[(*argc)++] = value;
    argv[*argc] = NULL;
}

static void fillArgs(const psServeOptions *options, psTrialMode mode, const char **argv)
{
    int argc = 0;

    argv[argc++] = options->argv0;
    add(argv, &argc, "--check-ioc", modes[mode]);
    add(argv, &argc, "--name", options->name);
    add(argv, &argc, "--check-name", options->supName);
    add(argv, &argc, "--prefix", options->prefix);
    add(argv, &argc, "--script", options->script);
    add(argv, &argc, "--acf", options->acf);
    add(argv, &argc, "--own-log", options->ownLog); /* compared with those of children */
}

/* Base's threads block every signal, ignored ones would stay ignored, and Base's threads may run in
 * real time: the trial begins with none of it.  (glibc leaves its own signals, 32 and 33, ignored:
 * psTrialIoc.c mends that.)  @return 0 or -errno */
static int spawnAs(const char *program, const char *const *argv, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    struct sched_param normal = {.sched_priority = 0};
    sigset_t none, all;

    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return -error;
    error = posix_spawnattr_init(&attr);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    sigemptyset(&none);
    sigfillset(&all);
    error = posix_spawnattr_setsigmask(&attr, &none);
    if (!error)
        error = posix_spawnattr_setsigdefault(&attr, &all);
    if (!error)
        error = posix_spawnattr_setschedpolicy(&attr, SCHED_OTHER);
    if (!error)
        error = posix_spawnattr_setschedparam(&attr, &normal);
    if (!error)
        error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETSCHEDULER);
    if (!error)
        error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (!error)
        error = posix_spawn_file_actions_adddup2(&actions, err, 2);
    if (!error)
        error = posix_spawn(pid, program, &actions, &attr, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static int spawnTrial(const psServeOptions *options, psTrialMode mode, int out, int err, pid_t *pid)
{
    const char *argv[ARGS];
    const char *program = options->argv0;
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (len > 0) { /* by its path: the new process has another /proc/self by then */
        self[len] = '\0';
        program = access(self, X_OK) ? program : self;
    }
    fillArgs(options, mode, argv);
    return spawnAs(program, argv, out, err, pid);
}

/* ---- what it says ---- */

static void takeCommand(trial *self, char *line)
{
    const char *words[PS_TRIAL_WORDS + 1];
    int count = psTrialWordsSplit(line, words);

    if (self->sink->command && count > 1)
        self->sink->command(self->sink->ctx, words[0], count - 1, words + 1);
}

static void takeFinding(trial *self, char *line)
{
    if (strncmp(line, "command ", 8) == 0) {
        takeCommand(self, line + 8);
        return;
    }
    bool bad = strncmp(line, "bad ", 4) == 0;
    if (!bad && strncmp(line, "good ", 5) != 0)
        return;
    self->errors += bad;
    self->sink->report(self->sink->ctx, bad, line + (bad ? 4 : 5));
}

static void takeNoise(trial *self, char *line)
{
    size_t mark = sizeof(PS_PROGRESS_MARK) - 1;

    if (strncmp(line, PS_PROGRESS_MARK, mark) == 0) {
        epicsSnprintf(self->step, sizeof(self->step), "%s", line + mark);
        self->said[0] = '\0';
    } else if (!self->said[0]) {
        psBaseLine(line, self->said, sizeof(self->said));
    }
}

/* Read once.  false at the end. */
static bool readLines(stream *from, trial *self, void (*take)(trial *, char *))
{
    char buf[4096];
    ssize_t got = read(from->fd, buf, sizeof(buf));

    for (ssize_t i = 0; i < got; i++) {
        if (buf[i] == '\n') {
            from->line[from->len] = '\0';
            take(self, from->line);
            from->len = 0;
        } else if (from->len < LINE_BYTES - 1) {
            from->line[from->len++] = buf[i];
        }
    }
    return got > 0 || (got < 0 && errno == EINTR);
}

/* Until both streams end.  false: the deadline came first. */
static bool listenToBoth(stream *out, stream *err, trial *self, double deadlineSec)
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

/* ---- how it ended ---- */

static void nameSubject(trial *self, const psServeOptions *options)
{
    if (options->script)
        epicsSnprintf(self->subject, sizeof(self->subject), "%s", options->script);
    else if (options->acf)
        epicsSnprintf(self->subject, sizeof(self->subject), "access security: %s", options->acf);
    else
        epicsSnprintf(self->subject, sizeof(self->subject), "the IOC");
}

static void reportError(trial *self, const char *how)
{
    char line[1536];

    epicsSnprintf(line, sizeof(line), "%s: the test of it %s%s%s%s%s", self->subject, how,
                  self->step[0] ? " while " : "", self->step, self->said[0] ? ": " : "",
                  self->said);
    self->errors++;
    self->sink->report(self->sink->ctx, true, line);
}

/* It said nothing bad, but how did it end? */
static void judge(trial *self, bool inTime, int wait, double deadlineSec)
{
    char how[64];

    if (self->errors)
        return;
    if (!inTime)
        epicsSnprintf(how, sizeof(how), "took more than %.0f s", deadlineSec);
    else if (WIFSIGNALED(wait))
        epicsSnprintf(how, sizeof(how), "was ended by %s", psSignalName(WTERMSIG(wait)));
    else if (WEXITSTATUS(wait))
        epicsSnprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(wait));
    else
        return;
    reportError(self, how);
}

static void closeEnd(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

/* With both pipes open.  @return 0 or -errno: there was no trial */
static int run(trial *self, const psServeOptions *options, psTrialMode mode, double deadlineSec,
               int out[2], int err[2])
{
    stream outStream = {.fd = out[0], .line = malloc(LINE_BYTES)};
    stream errStream = {.fd = err[0], .line = malloc(LINE_BYTES)};
    int status = outStream.line && errStream.line ? 0 : -ENOMEM;
    pid_t pid = -1;

    status = status ? status : spawnTrial(options, mode, out[1], err[1], &pid);
    closeEnd(&out[1]);
    closeEnd(&err[1]);
    if (!status) {
        int wait = 0;
        bool inTime = listenToBoth(&outStream, &errStream, self, deadlineSec);

        if (!inTime)
            kill(pid, SIGKILL);
        while (waitpid(pid, &wait, 0) < 0 && errno == EINTR)
            ;
        judge(self, inTime, wait, deadlineSec);
    }
    free(outStream.line);
    free(errStream.line);
    return status;
}

int psTrialRun(const psServeOptions *options, psTrialMode mode, double deadlineSec,
               const psTrialSink *sink)
{
    trial self = {.sink = sink};
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    int status = 0;

    nameSubject(&self, options);
    if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        status = -errno;
    else
        status = run(&self, options, mode, deadlineSec, out, err);
    if (status) {
        char line[256];

        epicsSnprintf(line, sizeof(line), "cannot test the IOC: %s", strerror(-status));
        sink->report(sink->ctx, true, line);
        self.errors++;
    }
    for (int i = 0; i < 2; i++) {
        closeEnd(&out[i]);
        closeEnd(&err[i]);
    }
    return self.errors;
}

/* ---- for a short answer ---- */

typedef struct firstError {
    char *msg;
    size_t msgSize;
    bool have;
} firstError;

static void noteFirst(void *ctx, bool bad, const char *line)
{
    firstError *first = ctx;

    if (!bad || first->have)
        return;
    first->have = true;
    epicsSnprintf(first->msg, first->msgSize, "%s", line);
}

int psTrialFirst(const psServeOptions *options, psTrialMode mode, double deadlineSec, char *msg,
                 size_t msgSize)
{
    firstError first = {.msg = msg, .msgSize = msgSize};
    psTrialSink sink = {.report = noteFirst, .ctx = &first};

    return psTrialRun(options, mode, deadlineSec, &sink) ? -EINVAL : 0;
}
