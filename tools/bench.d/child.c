/* SPDX-License-Identifier: EPICS */
/*
 * The supervised child of tools/bench.
 *
 *   child idle SHARED                       does nothing
 *   child echo SHARED                       raw terminal: writes back what it reads
 *   child flood SHARED BYTES                on each SIGUSR2: BYTES in lines of 80, then END
 *   child pace SHARED RATE                  writes lines of 80, RATE bytes per second
 *   child die SHARED STAMPS LIVES MS        lives MS milliseconds, exits; LIVES times
 *   child burst SHARED STAMPS LIVES BYTES   writes BYTES and exits at once; LIVES times
 *   child signals SHARED STAMPS             notes when a SIGUSR1 arrives
 *
 * SHARED is a file to map (benchShared); STAMPS collects lines of a fixed size, "S" a start, "D"
 * just before an exit, "G" a signal.  `die` and `burst` wait for SIGUSR2 in their first life, so
 * that the driver can get ready, and do nothing in the one after the last.
 */
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>

#include "common.h"

#define STAMP_FORMAT "%c %019llu\n"
#define STAMP_BYTES 22
#define BLOCK_LINES 50

static benchShared *shared;
static int stampFd = -1;

static void stamp(char kind, uint64_t ns)
{
    char line[STAMP_BYTES + 1];

    snprintf(line, sizeof(line), STAMP_FORMAT, kind, (unsigned long long)ns);
    if (write(stampFd, line, STAMP_BYTES) != STAMP_BYTES)
        die("cannot write a stamp");
}

static void openStamps(const char *path)
{
    stampFd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (stampFd < 0)
        die("cannot open %s", path);
}

/* How often an earlier life of this child noted its end. */
static uint64_t livesSoFar(void)
{
    struct stat st;

    if (fstat(stampFd, &st))
        die("cannot stat the stamps");
    return (uint64_t)st.st_size / (2 * STAMP_BYTES);
}

static void mapShared(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || ftruncate(fd, sizeof(*shared)))
        die("cannot open %s", path);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        die("cannot map %s", path);
    close(fd);
}

/* procServ leaves signals blocked in its children: start from a known mask. */
static void setMask(sigset_t *go)
{
    sigemptyset(go);
    sigaddset(go, SIGUSR2);
    sigprocmask(SIG_SETMASK, go, NULL);
}

static void publishPid(void)
{
    __atomic_store_n(&shared->pid, (uint64_t)getpid(), __ATOMIC_RELEASE);
}

static void waitGo(const sigset_t *go)
{
    int sig;

    if (sigwait(go, &sig))
        die("cannot wait for a signal");
}

__attribute__((noreturn)) static void idle(void)
{
    for (;;)
        pause();
}

/* Write all; the time of the longest single write is published. */
static void writeTimed(const char *data, size_t size)
{
    while (size > 0) {
        uint64_t begin = nowNs(), took;

        shared->writeSince = begin;
        ssize_t n = write(1, data, size);
        took = nowNs() - begin;
        shared->writeSince = 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            die("cannot write");
        if (took > shared->longestNs)
            shared->longestNs = took;
        shared->bytes += (uint64_t)n;
        data += n;
        size -= (size_t)n;
    }
}

static void fillLine(char *line)
{
    line[0] = 'L';
    for (int i = 1 + BENCH_DIGITS; i < BENCH_LINE_BYTES; i++)
        line[i] = (char)('a' + i % 26);
    line[1 + BENCH_DIGITS] = ' ';
    line[BENCH_LINE_BYTES] = '\n';
}

static void numberLine(char *line, uint64_t n)
{
    for (int i = BENCH_DIGITS; i > 0; i--) {
        line[i] = (char)('0' + n % 10);
        n /= 10;
    }
}

/* BLOCK_LINES lines a write, as a program writes whose output is buffered. */
static void writeLines(uint64_t bytes, uint64_t first)
{
    static char block[BLOCK_LINES][BENCH_LINE_BYTES + 1];
    uint64_t left = bytes / sizeof(block[0]);

    for (int i = 0; i < BLOCK_LINES; i++)
        fillLine(block[i]);
    while (left > 0) {
        uint64_t count = left < BLOCK_LINES ? left : BLOCK_LINES;

        for (uint64_t i = 0; i < count; i++)
            numberLine(block[i], first++);
        writeTimed(block[0], count * sizeof(block[0]));
        left -= count;
    }
}

__attribute__((noreturn)) static void flood(uint64_t bytes, const sigset_t *go)
{
    publishPid();
    for (;;) {
        waitGo(go);
        shared->bytes = 0;
        shared->longestNs = 0;
        shared->ended = 0;
        shared->begun = nowNs();
        writeLines(bytes, 0);
        writeTimed(BENCH_END "\n", strlen(BENCH_END "\n"));
        shared->ended = nowNs();
        shared->floods++;
    }
}

/* A block each time that one is due. */
__attribute__((noreturn)) static void pace(uint64_t rate)
{
    const uint64_t blockBytes = BLOCK_LINES * (BENCH_LINE_BYTES + 1);
    const uint64_t gapNs = blockBytes * 1000000000 / rate;
    struct timespec due;

    publishPid();
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (uint64_t line = 0;; line += BLOCK_LINES) {
        writeLines(blockBytes, line);
        uint64_t ns = (uint64_t)due.tv_nsec + gapNs;
        due.tv_sec += (time_t)(ns / 1000000000);
        due.tv_nsec = (long)(ns % 1000000000);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
}

__attribute__((noreturn)) static void echo(void)
{
    struct termios tio;
    char data[4096];
    ssize_t n;

    if (tcgetattr(0, &tio))
        die("standard input is no terminal");
    cfmakeraw(&tio);
    tcsetattr(0, TCSANOW, &tio);
    publishPid();
    while ((n = read(0, data, sizeof(data))) > 0) {
        if (write(1, data, (size_t)n) != n)
            die("cannot write");
    }
    exit(0);
}

__attribute__((noreturn)) static void mortal(uint64_t born, uint64_t lives, uint64_t ms,
                                             const sigset_t *go)
{
    uint64_t lived = livesSoFar();

    stamp('S', born);
    publishPid();
    if (lived >= lives)
        idle();
    if (lived == 0)
        waitGo(go);
    sleepNs(ms * 1000000u);
    stamp('D', nowNs());
    _exit(0);
}

__attribute__((noreturn)) static void burst(uint64_t born, uint64_t lives, uint64_t bytes,
                                            const sigset_t *go)
{
    uint64_t lived = livesSoFar();
    uint64_t lines = bytes / (BENCH_LINE_BYTES + 1);

    stamp('S', born);
    publishPid();
    if (lived >= lives) {
        writeTimed(BENCH_END "\n", strlen(BENCH_END "\n"));
        idle();
    }
    if (lived == 0)
        waitGo(go);
    writeLines(lines * (BENCH_LINE_BYTES + 1), lived * lines);
    stamp('D', nowNs());
    _exit(0);
}

static void onSignal(int sig)
{
    (void)sig;
    stamp('G', nowNs());
}

__attribute__((noreturn)) static void signals(void)
{
    struct sigaction action = {.sa_handler = onSignal};

    sigaction(SIGUSR1, &action, NULL);
    publishPid();
    idle();
}

int main(int argc, char **argv)
{
    uint64_t born = nowNs();
    const char *what = argc > 1 ? argv[1] : "";
    sigset_t go;

    if (argc < 3)
        die("usage: see the head of child.c");
    alarm(BENCH_LIFETIME_SEC);
    setMask(&go);
    mapShared(argv[2]);
    if (argc > 3 && strcmp(what, "flood") != 0 && strcmp(what, "pace") != 0)
        openStamps(argv[3]);
    if (strcmp(what, "echo") == 0)
        echo();
    if (strcmp(what, "flood") == 0 && argc == 4)
        flood(number(argv[3]), &go);
    if (strcmp(what, "pace") == 0 && argc == 4 && number(argv[3]) > 0)
        pace(number(argv[3]));
    if (strcmp(what, "die") == 0 && argc == 6)
        mortal(born, number(argv[4]), number(argv[5]), &go);
    if (strcmp(what, "burst") == 0 && argc == 6)
        burst(born, number(argv[4]), number(argv[5]), &go);
    if (strcmp(what, "signals") == 0 && argc == 4)
        signals();
    publishPid();
    idle();
}
