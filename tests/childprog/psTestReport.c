/* SPDX-License-Identifier: EPICS */
/* Facts about this process. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "psTestReport.h"

extern char **environ;

static int savedArgc;
static char **savedArgv;

void psTestReportArguments(int argc, char **argv)
{
    savedArgc = argc;
    savedArgv = argv;
}

static void reportIds(FILE *out)
{
    int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

    fprintf(out, "pid %d\nppid %d\n", (int)getpid(), (int)getppid());
    fprintf(out, "pgrp %d\nsession %d\n", (int)getpgrp(), (int)getsid(0));
    fprintf(out, "leader %s\n", getsid(0) == getpid() ? "yes" : "no");
    fprintf(out, "uid %d %d\ngid %d %d\n", (int)getuid(), (int)geteuid(), (int)getgid(),
            (int)getegid());
    fprintf(out, "ctty %s\n", tty >= 0 ? "yes" : "no");
    if (tty >= 0) {
        fprintf(out, "foreground %s\n", tcgetpgrp(tty) == getpgrp() ? "yes" : "no");
        close(tty);
    }
}

/* What /proc/self/status shows of signals and the like. */
static void reportStatus(FILE *out)
{
    static const char *const keys[] = {
        "SigPnd",  "ShdPnd",     "SigBlk",  "SigIgn", "SigCgt", "Cpus_allowed_list",
        "Seccomp", "NoNewPrivs", "Threads", "CapEff"};
    char line[1024];
    FILE *file = fopen("/proc/self/status", "re");

    while (file && fgets(line, sizeof(line), file)) {
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
            size_t length = strlen(keys[i]);

            if (strncmp(line, keys[i], length) == 0 && line[length] == ':')
                fprintf(out, "%s %s", keys[i],
                        line + length + 1 + strspn(line + length + 1, " \t"));
        }
    }
    if (file)
        fclose(file);
}

/* By the system call: the C library hides 32 and 33. */
static void reportActions(FILE *out)
{
    unsigned long mask = 0;

    syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &mask, sizeof(mask));
    fprintf(out, "mask %lx\n", mask);
    for (int signo = 1; signo <= 64; signo++) {
        unsigned long action[32] = {0}; /* the handler comes first */

        if (syscall(SYS_rt_sigaction, signo, NULL, action, sizeof(mask)) == 0 && action[0])
            fprintf(out, "action %d %s\n", signo, action[0] == 1 ? "ignored" : "caught");
    }
}

static void reportFds(FILE *out)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char target[512];
        int fd = (int)strtol(entry->d_name, NULL, 10);

        if (entry->d_name[0] == '.' || fd == dirfd(dir) || (fd > 2 && fd == fileno(out)))
            continue;
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        fprintf(out, "fd %d %s flags %x\n", fd, target, (unsigned)fcntl(fd, F_GETFL));
    }
    if (dir)
        closedir(dir);
}

static void reportTerminal(FILE *out)
{
    struct termios mode;
    struct winsize size;

    if (tcgetattr(STDIN_FILENO, &mode) < 0) {
        fprintf(out, "tty none\n");
        return;
    }
    fprintf(out, "tty %s\n", ttyname(STDIN_FILENO));
    fprintf(out, "termios %x %x %x %x\n", mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag);
    fprintf(out, "icanon %d\necho %d\nisig %d\n", !!(mode.c_lflag & ICANON),
            !!(mode.c_lflag & ECHO), !!(mode.c_lflag & ISIG));
    fprintf(out, "ixon %d\niutf8 %d\nicrnl %d\nonlcr %d\n", !!(mode.c_iflag & IXON),
            !!(mode.c_iflag & IUTF8), !!(mode.c_iflag & ICRNL), !!(mode.c_oflag & ONLCR));
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
        fprintf(out, "window %d %d\n", size.ws_row, size.ws_col);
}

static void reportLimit(FILE *out, rlim_t limit)
{
    if (limit == RLIM_INFINITY)
        fprintf(out, " unlimited");
    else
        fprintf(out, " %llu", (unsigned long long)limit);
}

static void reportLimits(FILE *out)
{
    static const char *const names[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = "cpu",           [RLIMIT_FSIZE] = "fsize",
        [RLIMIT_DATA] = "data",         [RLIMIT_STACK] = "stack",
        [RLIMIT_CORE] = "core",         [RLIMIT_RSS] = "rss",
        [RLIMIT_NPROC] = "nproc",       [RLIMIT_NOFILE] = "nofile",
        [RLIMIT_MEMLOCK] = "memlock",   [RLIMIT_AS] = "as",
        [RLIMIT_LOCKS] = "locks",       [RLIMIT_SIGPENDING] = "sigpending",
        [RLIMIT_MSGQUEUE] = "msgqueue", [RLIMIT_NICE] = "nice",
        [RLIMIT_RTPRIO] = "rtprio",     [RLIMIT_RTTIME] = "rttime",
    };

    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit limit;

        if (!names[i] || getrlimit((__rlimit_resource_t)i, &limit) < 0)
            continue;
        fprintf(out, "limit %s", names[i]);
        reportLimit(out, limit.rlim_cur);
        reportLimit(out, limit.rlim_max);
        fprintf(out, "\n");
    }
}

static void reportScheduling(FILE *out)
{
    struct sched_param param = {0};
    char text[64] = "";
    FILE *file = fopen("/proc/self/oom_score_adj", "re");

    sched_getparam(0, &param);
    fprintf(out, "sched %d %d\n", sched_getscheduler(0), param.sched_priority);
    fprintf(out, "nice %d\n", getpriority(PRIO_PROCESS, 0));
    fprintf(out, "timerslack %d\n", prctl(PR_GET_TIMERSLACK));
    if (file && fgets(text, sizeof(text), file))
        fprintf(out, "oomadj %s", text);
    if (file)
        fclose(file);
}

static void reportPlace(FILE *out)
{
    char path[4096];
    mode_t mask = umask(022);
    int deathSignal = 0;

    umask(mask);
    fprintf(out, "umask %03o\n", (unsigned)mask);
    fprintf(out, "cwd %s\n", getcwd(path, sizeof(path)) ? path : "?");
    prctl(PR_GET_PDEATHSIG, &deathSignal);
    fprintf(out, "pdeathsig %d\ndumpable %d\n", deathSignal, prctl(PR_GET_DUMPABLE));
}

void psTestReport(FILE *out)
{
    reportIds(out);
    reportStatus(out);
    reportActions(out);
    reportFds(out);
    reportTerminal(out);
    reportPlace(out);
    reportLimits(out);
    reportScheduling(out);
    for (int i = 0; i < savedArgc; i++)
        fprintf(out, "arg %d %s\n", i, savedArgv[i]);
    for (char **variable = environ; *variable; variable++)
        fprintf(out, "env %s\n", *variable);
    fprintf(out, "report end\n");
    fflush(out);
}
