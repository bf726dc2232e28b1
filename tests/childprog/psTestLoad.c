/* SPDX-License-Identifier: EPICS */
/* A child that uses what it is told to: each line of its input is a command, see usage().  What it
 * has done it prints, as "done COMMAND".
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 65536

static const char *const usage = "Usage: psTestLoad\n"
                                 "\n"
                                 "Prints \"ready PID\", then carries out each line of its input:\n"
                                 "  burn=SEC     use so much CPU time\n"
                                 "  kid=SEC      start a process that does, and wait for it\n"
                                 "  memory=MIB   take so much memory and write to it\n"
                                 "  open=N       open N descriptors more\n"
                                 "  threads=N    start N threads more\n"
                                 "  read=BYTES   read so much from /dev/zero\n"
                                 "  write=BYTES  write so much to /dev/null\n";

static void fail(const char *what)
{
    printf("psTestLoad: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double cpuSec(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + 1e-9 * (double)used.tv_nsec;
}

static void doBurn(double sec)
{
    double end = cpuSec() + sec;

    while (cpuSec() < end)
        ;
}

static void doKid(double sec)
{
    pid_t kid = fork();

    if (kid < 0)
        fail("fork");
    if (kid == 0) {
        doBurn(sec);
        _exit(0);
    }
    while (waitpid(kid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void doMemory(double mib)
{
    size_t size = (size_t)(mib * 1024 * 1024);
    char *block = malloc(size); /* kept */

    if (!block)
        fail("malloc");
    memset(block, 1, size);
    /* or the compiler would leave it out */
    if (block[size / 2] != 1)
        fail("memory");
}

static void doOpen(double count)
{
    while (count-- >= 1)
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            fail("/dev/null");
}

static void *rest(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static void doThreads(double count)
{
    pthread_t thread;

    while (count-- >= 1)
        if (pthread_create(&thread, NULL, rest, NULL))
            fail("thread");
}

static void transfer(const char *path, int flags, double bytes)
{
    static char block[BLOCK_BYTES];
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0)
        fail(path);
    while (bytes > 0) {
        size_t size = bytes < BLOCK_BYTES ? (size_t)bytes : BLOCK_BYTES;
        ssize_t done = flags == O_RDONLY ? read(fd, block, size) : write(fd, block, size);

        if (done <= 0)
            fail(path);
        bytes -= (double)done;
    }
    close(fd);
}

static void doRead(double bytes)
{
    transfer("/dev/zero", O_RDONLY, bytes);
}

static void doWrite(double bytes)
{
    transfer("/dev/null", O_WRONLY, bytes);
}

static const struct {
    const char *name;
    void (*run)(double value);
} commands[] = {
    {"burn=", doBurn},       {"kid=", doKid},   {"memory=", doMemory}, {"open=", doOpen},
    {"threads=", doThreads}, {"read=", doRead}, {"write=", doWrite},
};

static void carryOut(const char *line)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        size_t len = strlen(commands[i].name);

        if (strncmp(line, commands[i].name, len) == 0) {
            commands[i].run(strtod(line + len, NULL));
            printf("done %s\n", line);
            return;
        }
    }
    printf("unknown: %s\n", line);
}

int main(int argc, char **argv)
{
    char line[128];

    (void)argv;
    if (argc > 1) {
        fputs(usage, stderr);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready %d\n", (int)getpid());
    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\r\n")] = '\0';
        carryOut(line);
    }
    return 0;
}
