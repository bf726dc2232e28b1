/* SPDX-License-Identifier: EPICS */
/*
 * A run is a start by psSpawn without a terminal, and its end by psReap.  Standard input is a file
 * in memory that is complete before the start: nothing has to be fed to a command that may not
 * read.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/psTypes.h"
#include "process/psRunner.h"

#define READ_BYTES 4096
#define READS_PER_ROUND 16
#define VARIABLE_BYTES (PS_TEXT_BYTES + 64) /* NAME=VALUE */

struct psRunner {
    /* fixed after psRunnerCreate */
    psLoop *loop;
    const psRunnerOps *ops;
    void *ctx;
    double limitSec;
    const char *const *names;
    char shell[8], option[3]; /* of argv */
    char *argv[4];            /* [2] is owned */
    char **envp;              /* owned array: those of the plan, then our variables */
    char *variables;          /* owned; VARIABLE_BYTES for each */
    psSpawnRequest request;
    psSpawn *spawn;

    /* loop thread only */
    bool busy;
    int in, out; /* for the command, until it has started; -1 */
    int from;    /* what it prints; -1 */
    psWatch watch;
    psReap reap;
    psTimer timer;
    int pid; /* 0: none */
    size_t printed;
    psRunnerEnd end;
};

/* ---- life ---- */

static bool isSetByUs(const psRunnerPlan *plan, const char *variable)
{
    for (const char *const *name = plan->names; *name; name++) {
        size_t len = strlen(*name);

        if (strncmp(variable, *name, len) == 0 && variable[len] == '=')
            return true;
    }
    return false;
}

static int prepareEnvironment(psRunner *runner, const psRunnerPlan *plan)
{
    size_t count = 0, used = 0;

    while (plan->envp[count])
        count++;
    runner->envp = calloc(count + PS_RUNNER_VARIABLES + 1, sizeof(*runner->envp));
    runner->variables = calloc(PS_RUNNER_VARIABLES, VARIABLE_BYTES);
    if (!runner->envp || !runner->variables)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (!isSetByUs(plan, plan->envp[i]))
            runner->envp[used++] = plan->envp[i];
    for (int i = 0; i < PS_RUNNER_VARIABLES && plan->names[i]; i++)
        runner->envp[used++] = runner->variables + (size_t)i * VARIABLE_BYTES;
    return 0;
}

psRunner *psRunnerCreate(psLoop *loop, const psRunnerPlan *plan, const psRunnerOps *ops, void *ctx)
{
    psRunner *runner = calloc(1, sizeof(*runner));

    if (!runner)
        return NULL;
    runner->loop = loop;
    runner->ops = ops;
    runner->ctx = ctx;
    runner->limitSec = plan->limitSec;
    runner->names = plan->names;
    runner->in = runner->out = runner->from = -1;
    runner->reap = (psReap)PS_REAP_INIT;
    snprintf(runner->shell, sizeof(runner->shell), "/bin/sh");
    snprintf(runner->option, sizeof(runner->option), "-c");
    runner->argv[0] = runner->shell;
    runner->argv[1] = runner->option;
    runner->argv[2] = strdup(plan->command);
    if (!runner->argv[2] || prepareEnvironment(runner, plan)) {
        psRunnerFree(runner);
        return NULL;
    }
    runner->request = (psSpawnRequest){
        .file = runner->shell,
        .argv = runner->argv,
        .envp = runner->envp,
        .dir = plan->dir,
        .coreSizeBytes = -1,
        .inherit = plan->inherit,
    };
    runner->spawn = psSpawnCreate(loop, &runner->request);
    if (!runner->spawn) {
        psRunnerFree(runner);
        return NULL;
    }
    return runner;
}

static void closeFd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Nothing is watched any more, and all descriptors are closed. */
static void clear(psRunner *runner)
{
    psLoopDisarm(&runner->timer);
    psLoopUnwatch(&runner->watch);
    closeFd(&runner->in);
    closeFd(&runner->out);
    closeFd(&runner->from);
}

void psRunnerFree(psRunner *runner)
{
    if (!runner)
        return;
    if (runner->pid > 0) {
        kill(-runner->pid, SIGKILL);
        psReapStop(&runner->reap);
    }
    psSpawnFree(runner->spawn);
    clear(runner);
    free(runner->argv[2]);
    free(runner->envp);
    free(runner->variables);
    free(runner);
}

/* ---- the end of a run ---- */

static void over(psRunner *runner)
{
    clear(runner);
    runner->pid = 0;
    runner->busy = false;
    runner->ops->ended(runner->ctx, &runner->end);
}

static void handOut(psRunner *runner, const char *bytes, size_t len)
{
    size_t room = PS_RUNNER_OUTPUT_BYTES - runner->printed;
    size_t taken = len < room ? len : room;

    runner->printed += taken;
    runner->end.dropped += len - taken;
    if (taken > 0)
        runner->ops->output(runner->ctx, bytes, taken);
}

/* @return false: nothing is left for now */
static bool readSome(psRunner *runner)
{
    char bytes[READ_BYTES];
    ssize_t n;

    do {
        n = read(runner->from, bytes, sizeof(bytes));
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        handOut(runner, bytes, (size_t)n);
    else if (n == 0)
        psLoopUnwatch(&runner->watch); /* it has closed its output, and may run on */
    return n > 0;
}

static void readable(void *ctx, unsigned events)
{
    psRunner *runner = ctx;

    (void)events;
    for (int i = 0; i < READS_PER_ROUND; i++)
        if (!readSome(runner))
            break;
}

/* What is left in the pipe.  A process of another group may go on filling it, hence a bound. */
static void drain(psRunner *runner)
{
    for (int i = 0; i < PS_RUNNER_OUTPUT_BYTES / READ_BYTES; i++)
        if (!readSome(runner))
            break;
}

static void reaped(void *ctx, const psReapInfo *info)
{
    psRunner *runner = ctx;

    runner->end.info = *info;
    if (!info->lost)
        kill(-runner->pid, SIGKILL); /* its zombie keeps the number from being reused */
    psReapStop(&runner->reap);
    drain(runner);
    over(runner);
}

static void killAll(psRunner *runner)
{
    if (runner->pid > 0)
        kill(-runner->pid, SIGKILL);
    else
        psSpawnKill(runner->spawn);
}

static void due(void *ctx)
{
    psRunner *runner = ctx;

    runner->end.timedOut = true;
    killAll(runner);
}

void psRunnerKill(psRunner *runner)
{
    if (!psRunnerBusy(runner))
        return;
    psLoopAssertInside(runner->loop);
    runner->end.killed = true;
    killAll(runner);
}

/* ---- start ---- */

static void started(void *ctx, const psSpawnOutcome *outcome)
{
    psRunner *runner = ctx;
    char why[PS_TEXT_BYTES];

    closeFd(&runner->in);
    closeFd(&runner->out);
    if (outcome->pid <= 0) {
        psSpawnExplain(outcome, &runner->request, why, sizeof(why));
        runner->end.why = why;
        over(runner);
        return;
    }
    runner->pid = outcome->pid;
    psReapStart(&runner->reap, runner->loop, outcome->pid, outcome->pidfd, reaped, runner);
    /* where that fails, it is read when the command has ended */
    (void)psLoopWatch(runner->loop, &runner->watch, runner->from, EPOLLIN, readable, runner);
}

static void setVariables(psRunner *runner, const char *const *values)
{
    for (int i = 0; runner->names[i]; i++)
        snprintf(runner->variables + (size_t)i * VARIABLE_BYTES, VARIABLE_BYTES, "%s=%.*s",
                 runner->names[i], PS_TEXT_BYTES - 1, values[i]);
}

/* A file with this text, at its beginning.  @return it or -errno */
static int textFile(const char *text, size_t len)
{
    int fd = memfd_create("procServ", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    for (size_t done = 0; done < len;) {
        ssize_t n = pwrite(fd, text + done, len - done, (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int status = n < 0 ? -errno : -EIO;

            close(fd);
            return status;
        }
        done += (size_t)n;
    }
    return fd;
}

/* The new process must not find one of these where its standard descriptors are to be. */
static int above(int fd)
{
    if (fd > STDERR_FILENO || fd < 0)
        return fd;
    int other = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int status = other < 0 ? -errno : other;

    close(fd);
    return status;
}

static int openFiles(psRunner *runner, const char *input, size_t inputLen)
{
    int ends[2];
    int in = above(textFile(input, inputLen));

    if (in < 0)
        return in;
    runner->in = in;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    runner->from = ends[0];
    int out = above(ends[1]);
    if (out < 0)
        return out;
    runner->out = out;
    return fcntl(runner->from, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int psRunnerStart(psRunner *runner, const char *const *values, const void *input, size_t inputLen)
{
    psLoopAssertInside(runner->loop);
    if (runner->busy)
        return -EBUSY;
    memset(&runner->end, 0, sizeof(runner->end));
    runner->end.info.code = runner->end.info.signo = -1;
    runner->printed = 0;
    setVariables(runner, values);
    int status = openFiles(runner, input, inputLen);
    psSpawnFiles files = {runner->in, runner->out, false};
    if (!status)
        status = psSpawnStart(runner->spawn, &files, started, runner);
    if (status) {
        clear(runner);
        return status;
    }
    runner->busy = true;
    psLoopArm(runner->loop, &runner->timer, psLoopNow(runner->loop) + runner->limitSec, due,
              runner);
    return 0;
}

bool psRunnerBusy(const psRunner *runner)
{
    return runner && runner->busy;
}
