/* SPDX-License-Identifier: EPICS */
/* A child whose arguments say what it does: see usage().
 *
 * Not a shell: shells reset the signal mask at start and hide what they were given.  Linked with
 * nothing but libc.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "psTestReport.h"

#define LIFE_SEC 300 /* a forgotten child ends by itself */

static const char *const usage =
    "Usage: psTestChild COMMAND[=VALUE]...\n"
    "\n"
    "Carries out the commands in order, then exits with status 0.\n"
    "A child, and each process it forks, ends after 300 s at the latest.\n"
    "\n"
    "Facts:\n"
    "  report            print facts, one \"key value\" a line, then \"report end\": ids, signal\n"
    "                    mask and dispositions, descriptors, terminal, window, cwd, umask,\n"
    "                    limits, nice, scheduling, affinity, arguments, environment\n"
    "  report=FILE       the same into FILE, which appears when it is complete\n"
    "  size              print \"size ROWS COLS\" of the terminal\n"
    "Output:\n"
    "  say=TEXT          print TEXT and a line end\n"
    "  text=TEXT         print TEXT only\n"
    "  pid               print \"pid N\"\n"
    "  print=N           print the lines \"line 1\" to \"line N\"\n"
    "  write=N           write N bytes, in lines of 64 that count from 0, as fast as possible\n"
    "  flood=RATE        write such lines for ever, RATE bytes per second; 0: as fast as possible\n"
    "  note=FILE:TEXT    append TEXT and a line end to FILE\n"
    "Input:\n"
    "  raw               the terminal passes every byte at once, without echo\n"
    "  canon             the terminal as it was\n"
    "  echo              write back each byte read, at once, until end of file\n"
    "  lines             for each line read print \"got LENGTH TEXT\", until end of file\n"
    "  count=N           read N bytes, then print \"read N\"\n"
    "Time and end:\n"
    "  sleep=SEC         wait, fractions allowed; signals that are trapped do not shorten it\n"
    "  wait              do nothing for ever; input is not read\n"
    "  exit=STATUS       exit at once\n"
    "  die=SIGNAL        end by this signal, even if it was ignored or trapped\n"
    "Signals, by number or name (TERM):\n"
    "  ignore=SIGNAL     ignore it\n"
    "  trap=SIGNAL       print \"trapped NUMBER\" when it comes, and go on\n"
    "  endon=SIGNAL      print \"ending NUMBER\" when it comes, and exit with status 0\n"
    "Processes and terminal:\n"
    "  fork=WHERE        a grandchild that ignores HUP and lives on; WHERE is \"same\" (group),\n"
    "                    \"group\" (its own) or \"session\" (its own); prints \"grandchild PID\"\n"
    "  stubborn=WHERE    the same, ignoring INT and TERM too\n"
    "  chatty=WHERE      as fork, and it prints \"chatter N\" ten times per second\n"
    "  closetty          close 0, 1 and 2, and go on\n"
    "  opentty           open /dev/tty as 0, 1 and 2\n"
    "  loop              begin again with the first command\n";

static struct termios savedMode;

static void fail(const char *what)
{
    printf("failed %s: %s\n", what, strerror(errno));
    fflush(stdout);
    _exit(96);
}

static void writeAll(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t done = write(STDOUT_FILENO, data, len);

        if (done < 0 && errno != EINTR)
            _exit(97);
        if (done > 0) {
            data += done;
            len -= (size_t)done;
        }
    }
}

/* ---- time ---- */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void sleepUntil(double end)
{
    for (double left = end - now(); left > 0; left = end - now()) {
        struct timespec time = {.tv_sec = (time_t)left,
                                .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};

        nanosleep(&time, NULL);
    }
}

static void doSleep(const char *value)
{
    sleepUntil(now() + strtod(value, NULL));
}

static void doWait(const char *value)
{
    (void)value;
    for (;;)
        pause();
}

/* ---- output ---- */

static void doSay(const char *value)
{
    printf("%s\n", value);
}

static void doText(const char *value)
{
    printf("%s", value);
}

static void doPid(const char *value)
{
    (void)value;
    printf("pid %d\n", (int)getpid());
}

static void doPrint(const char *value)
{
    long count = strtol(value, NULL, 10);

    for (long i = 1; i <= count; i++)
        printf("line %ld\n", i);
}

#define LINE_BYTES 64
#define BLOCK_LINES 64

/* Lines of 64 bytes that count from first. */
static void fillLines(char *block, unsigned long first)
{
    char line[LINE_BYTES + 1];

    for (unsigned long i = 0; i < BLOCK_LINES; i++) {
        snprintf(line, sizeof(line), "%010lu %.*s\n", first + i, LINE_BYTES - 12,
                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
        memcpy(block + i * LINE_BYTES, line, LINE_BYTES);
    }
}

static void doWrite(const char *value)
{
    unsigned long left = strtoul(value, NULL, 10), line = 0;
    char block[LINE_BYTES * BLOCK_LINES];

    while (left > 0) {
        unsigned long part = left < sizeof(block) ? left : sizeof(block);

        fillLines(block, line);
        writeAll(block, part);
        left -= part;
        line += BLOCK_LINES;
    }
}

static void doFlood(const char *value)
{
    double rate = strtod(value, NULL), start = now();
    char block[LINE_BYTES * BLOCK_LINES];

    for (unsigned long line = 0;; line += BLOCK_LINES) {
        if (rate > 0)
            sleepUntil(start + (double)(line * LINE_BYTES) / rate);
        fillLines(block, line);
        writeAll(block, sizeof(block));
    }
}

static void doNote(const char *value)
{
    const char *text = strrchr(value, ':');
    char path[512], line[512];

    if (!text || (size_t)(text - value) >= sizeof(path))
        fail("note");
    snprintf(path, sizeof(path), "%.*s", (int)(text - value), value);
    snprintf(line, sizeof(line), "%s\n", text + 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        fail(path);
    close(fd);
}

static void doReport(const char *value)
{
    char temporary[512];

    if (!*value) {
        psTestReport(stdout);
        return;
    }
    snprintf(temporary, sizeof(temporary), "%s.part", value);
    FILE *file = fopen(temporary, "we");
    if (!file)
        fail(temporary);
    psTestReport(file);
    if (fclose(file) || rename(temporary, value))
        fail(value);
}

static void doSize(const char *value)
{
    struct winsize size;

    (void)value;
    if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
        fail("size");
    printf("size %d %d\n", size.ws_row, size.ws_col);
}

/* ---- input ---- */

static void setMode(const struct termios *mode)
{
    if (tcsetattr(STDIN_FILENO, TCSANOW, mode) < 0)
        fail("tcsetattr");
}

static void doRaw(const char *value)
{
    struct termios mode = savedMode;

    (void)value;
    cfmakeraw(&mode);
    setMode(&mode);
}

static void doCanon(const char *value)
{
    (void)value;
    setMode(&savedMode);
}

/* @return false at the end of file */
static int readSome(char *data, size_t size, size_t *outLen)
{
    ssize_t len;

    do {
        len = read(STDIN_FILENO, data, size);
    } while (len < 0 && errno == EINTR);
    *outLen = len > 0 ? (size_t)len : 0;
    return len > 0;
}

static void doEcho(const char *value)
{
    char data[4096];
    size_t len;

    (void)value;
    while (readSome(data, sizeof(data), &len))
        writeAll(data, len);
}

static void doLines(const char *value)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t len;

    (void)value;
    while ((len = getline(&line, &size, stdin)) >= 0 || errno == EINTR) {
        if (len < 0) {
            clearerr(stdin);
            continue;
        }
        if (len > 0 && line[len - 1] == '\n')
            line[--len] = '\0';
        printf("got %ld %s\n", (long)len, line);
        fflush(stdout);
    }
    free(line);
}

static void doCount(const char *value)
{
    unsigned long wanted = strtoul(value, NULL, 10), got = 0;
    char data[4096];
    size_t len;

    while (got < wanted &&
           readSome(data, wanted - got < sizeof(data) ? wanted - got : sizeof(data), &len))
        got += len;
    printf("read %lu\n", got);
}

/* ---- end, signals ---- */

static int parseSignal(const char *text)
{
    static const struct {
        const char *name;
        int signo;
    } names[] = {{"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"ABRT", SIGABRT},
                 {"KILL", SIGKILL}, {"SEGV", SIGSEGV},   {"PIPE", SIGPIPE}, {"TERM", SIGTERM},
                 {"USR1", SIGUSR1}, {"USR2", SIGUSR2},   {"CONT", SIGCONT}, {"STOP", SIGSTOP},
                 {"TSTP", SIGTSTP}, {"WINCH", SIGWINCH}, {"CHLD", SIGCHLD}, {"ALRM", SIGALRM}};
    int signo = (int)strtol(text, NULL, 10);

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(text, names[i].name) == 0)
            signo = names[i].signo;
    if (signo < 1 || signo > 64)
        fail(text);
    return signo;
}

/* Async-signal-safe. */
static void announce(const char *what, int signo)
{
    char text[32];
    size_t len = strlen(what);
    int saved = errno;

    memcpy(text, what, len);
    if (signo >= 10)
        text[len++] = (char)('0' + signo / 10);
    text[len++] = (char)('0' + signo % 10);
    text[len++] = '\n';
    if (write(STDOUT_FILENO, text, len) < 0)
        _exit(98);
    errno = saved;
}

static void onTrap(int signo)
{
    announce("trapped ", signo);
}

static void onEnd(int signo)
{
    announce("ending ", signo);
    _exit(0);
}

static void setAction(const char *value, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};

    /* Another one meanwhile would interrupt what the handler writes. */
    sigfillset(&action.sa_mask);
    if (sigaction(parseSignal(value), &action, NULL) < 0)
        fail("sigaction");
}

static void doIgnore(const char *value)
{
    setAction(value, SIG_IGN);
}

static void doTrap(const char *value)
{
    setAction(value, onTrap);
}

static void doEndOn(const char *value)
{
    setAction(value, onEnd);
}

static void doDie(const char *value)
{
    sigset_t one;
    int signo = parseSignal(value);

    signal(signo, SIG_DFL);
    sigemptyset(&one);
    sigaddset(&one, signo);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    raise(signo);
}

static void doExit(const char *value)
{
    _exit((int)strtol(value, NULL, 10));
}

/* ---- processes, terminal ---- */

static void settle(const char *where, int readyFd)
{
    if (strcmp(where, "group") == 0)
        setpgid(0, 0);
    else if (strcmp(where, "session") == 0)
        setsid();
    else if (strcmp(where, "same") != 0)
        fail(where);
    signal(SIGHUP, SIG_IGN);
    alarm(LIFE_SEC);
    if (write(readyFd, "x", 1) != 1)
        _exit(95);
    close(readyFd);
}

static void forkOne(const char *where, int stubborn, int chatty)
{
    int ready[2];
    char byte;
    pid_t pid;

    if (pipe2(ready, O_CLOEXEC) || (pid = fork()) < 0)
        fail("fork");
    if (pid == 0) {
        if (stubborn) {
            signal(SIGTERM, SIG_IGN);
            signal(SIGINT, SIG_IGN);
        }
        settle(where, ready[1]);
        for (unsigned long i = 0; chatty; i++) {
            printf("chatter %lu\n", i);
            fflush(stdout);
            sleepUntil(now() + 0.1);
        }
        doWait("");
    }
    close(ready[1]);
    /* so that it is what it shall be when it is announced */
    if (read(ready[0], &byte, 1) != 1)
        fail("grandchild");
    close(ready[0]);
    printf("grandchild %d\n", (int)pid);
}

static void doFork(const char *value)
{
    forkOne(value, 0, 0);
}

static void doStubborn(const char *value)
{
    forkOne(value, 1, 0);
}

static void doChatty(const char *value)
{
    forkOne(value, 0, 1);
}

static void doCloseTty(const char *value)
{
    (void)value;
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        close(fd);
}

static void doOpenTty(const char *value)
{
    int fd = open("/dev/tty", O_RDWR);

    (void)value;
    if (fd < 0)
        fail("/dev/tty");
    for (int to = 0; to <= STDERR_FILENO; to++)
        if (to != fd && dup2(fd, to) < 0)
            fail("dup2");
    if (fd > STDERR_FILENO)
        close(fd);
}

static const struct {
    const char *name;
    void (*run)(const char *value);
} commands[] = {
    {"report", doReport},     {"size", doSize},         {"say", doSay},
    {"text", doText},         {"pid", doPid},           {"print", doPrint},
    {"write", doWrite},       {"flood", doFlood},       {"note", doNote},
    {"raw", doRaw},           {"canon", doCanon},       {"echo", doEcho},
    {"lines", doLines},       {"count", doCount},       {"sleep", doSleep},
    {"wait", doWait},         {"exit", doExit},         {"die", doDie},
    {"ignore", doIgnore},     {"trap", doTrap},         {"endon", doEndOn},
    {"fork", doFork},         {"stubborn", doStubborn}, {"chatty", doChatty},
    {"closetty", doCloseTty}, {"opentty", doOpenTty},
};

static void runCommand(const char *text)
{
    size_t length = strcspn(text, "=");
    const char *value = text[length] ? text + length + 1 : "";

    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        if (strlen(commands[i].name) == length && strncmp(text, commands[i].name, length) == 0) {
            commands[i].run(value);
            fflush(stdout);
            return;
        }
    }
    printf("failed: no command \"%s\"; see psTestChild --help\n", text);
    fflush(stdout);
    _exit(94);
}

int main(int argc, char **argv)
{
    psTestReportArguments(argc, argv);
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    alarm(LIFE_SEC);
    tcgetattr(STDIN_FILENO, &savedMode);
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "loop") == 0)
            i = 0;
        else
            runCommand(argv[i]);
    return 0;
}
