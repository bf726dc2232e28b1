/* SPDX-License-Identifier: EPICS */
/* psSpawn: which file is started and where, what fails and how, kill, leaks; psPty. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <epicsUnitTest.h>
#include <testMain.h>

#include "psSpawnFixture.h"
#include "psTestUtil.h"

static char dirName[] = "/tmp/psSpawnTest.XXXXXX";
static psSpawnFixture f;

static const char *pathOf(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", dirName, name);
    return path;
}

static void makeFile(const char *name, const char *content, mode_t mode)
{
    const char *path = pathOf(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, content, strlen(content)) < 0 || fchmod(fd, mode) || close(fd))
        testAbort("%s: %s", path, strerror(errno));
}

static void noteOutcome(void *ctx, const psSpawnOutcome *outcome)
{
    (void)ctx;
    f.outcomes++;
    f.outcome = *outcome;
}

static void prepare(const char *word)
{
    const char *words[] = {word, NULL};

    psSpawnFixturePrepare(&f, words);
}

/* ---- starts that work ---- */

static void start_IsConfirmedWithItsPid(void)
{
    double before = psClockMono(psClockSystem());
    char line[32], msg[256];

    testDiag("start_IsConfirmedWithItsPid");
    prepare("pid");
    psSpawnFixtureRun(&f);
    testOk(f.outcomes == 1 && f.outcome.pid > 0 && f.outcome.error == 0 &&
               f.outcome.stage == psSpawnStageNone,
           "started");
    testOk(f.outcome.startMono >= before && f.outcome.startMono <= before + PS_SPAWN_TEST_SEC,
           "start time");
    snprintf(line, sizeof(line), "pid %d\n", f.outcome.pid);
    testOk(strcmp(f.text, line) == 0, "printed \"%s\"", f.text);
    testOk(!f.end.lost && f.end.code == 0, "exit status %d", f.end.code);
    psSpawnExplain(&f.outcome, &f.request, msg, sizeof(msg));
    testOk(strcmp(msg, "started") == 0, "%s", msg);
    testOk1(psSpawnCheck(&f.request, msg, sizeof(msg)) == 0 && !*msg);
}

static void directory_IsEnteredBeforeTheFileIsLookedFor(void)
{
    char msg[256];

    testDiag("directory_IsEnteredBeforeTheFileIsLookedFor");
    makeFile("here", "#!/bin/sh\npwd\n", 0755);
    prepare("unused");
    f.request.file = "./here";
    f.request.dir = dirName;
    testOk1(psSpawnCheck(&f.request, msg, sizeof(msg)) == 0);
    psSpawnFixtureRun(&f);
    testOk(f.outcome.pid > 0 && strncmp(f.text, dirName, strlen(dirName)) == 0, "in %s", f.text);
}

static void scriptWithoutInterpreter_IsGivenToTheShell(void)
{
    const char *words[] = {"one", "two words", NULL};

    testDiag("scriptWithoutInterpreter_IsGivenToTheShell");
    makeFile("plain", "echo \"$#: $2\"\n", 0755);
    psSpawnFixturePrepare(&f, words);
    f.request.file = pathOf("plain");
    psSpawnFixtureRun(&f);
    testOk(strcmp(f.text, "2: two words\n") == 0, "printed \"%s\"", f.text);
}

static void foreignProgram_IsNotGivenToTheShell(void)
{
    /* what a program of another machine's looks like where it does not count as one here */
    static const char head[] = "\177ELF\002\001\001\0\0\nexit 0\n";

    testDiag("foreignProgram_IsNotGivenToTheShell");
    makeFile("foreign", "", 0755);
    FILE *out = fopen(pathOf("foreign"), "we");
    if (!out || fwrite(head, sizeof(head), 1, out) != 1 || fclose(out))
        testAbort("cannot write %s", pathOf("foreign"));
    prepare("unused");
    f.request.file = pathOf("foreign");
    psSpawnFixtureRun(&f);
    testOk(f.outcome.error == ENOEXEC && f.outcome.stage == psSpawnStageExec, "refused: %s",
           strerror(f.outcome.error));
}

static void file_IsSearchedInTheChildsPath(void)
{
    char path[256], msg[256];
    char *env[] = {path, NULL}, *none[] = {NULL};

    testDiag("file_IsSearchedInTheChildsPath");
    makeFile("psUnlikely", "#!/bin/sh\necho found\n", 0755);
    makeFile("psForbidden", "#!/bin/sh\necho found\n", 0644);
    snprintf(path, sizeof(path), "PATH=/no/such:/etc/passwd:%s", dirName);
    prepare("unused");
    f.request.file = "psUnlikely";
    f.request.envp = env;
    testOk1(psSpawnCheck(&f.request, msg, sizeof(msg)) == 0);
    psSpawnFixtureRun(&f);
    testOk(strcmp(f.text, "found\n") == 0, "last of three: \"%s\"", f.text);

    prepare("unused");
    f.request.file = "psUnlikely";
    f.request.envp = env;
    f.request.dir = dirName;
    snprintf(path, sizeof(path), "PATH=/no/such:");
    psSpawnFixtureRun(&f);
    testOk(strcmp(f.text, "found\n") == 0, "empty element is the directory: \"%s\"", f.text);

    prepare("unused");
    f.request.file = "psForbidden";
    f.request.envp = env;
    snprintf(path, sizeof(path), "PATH=%s:/no/such", dirName);
    psSpawnFixtureRun(&f);
    testOk(f.outcome.error == EACCES, "what was denied is reported: %s", strerror(f.outcome.error));
    testOk1(psSpawnCheck(&f.request, msg, sizeof(msg)) == -EACCES);

    prepare("unused");
    f.request.file = "true";
    f.request.envp = none;
    psSpawnFixtureRun(&f);
    testOk(f.outcome.pid > 0 && f.end.code == 0, "no PATH: the system's own");
}

/* ---- starts that fail ---- */

static void start_ThatCannotBe_IsToldInOneSentence(void)
{
    static const struct {
        const char *file, *dir;
        int error;
        psSpawnStage stage;
        const char *sentence;
    } cases[] = {
        {"/no/such", NULL, ENOENT, psSpawnStageExec,
         "cannot execute /no/such: No such file or directory"},
        {"psNoSuch", NULL, ENOENT, psSpawnStageExec,
         "cannot execute psNoSuch: No such file or directory"},
        {"/etc", NULL, EACCES, psSpawnStageExec, "cannot execute /etc: Permission denied"},
        {"/etc/passwd", NULL, EACCES, psSpawnStageExec,
         "cannot execute /etc/passwd: Permission denied"},
        {"/etc/passwd/x", NULL, ENOTDIR, psSpawnStageExec,
         "cannot execute /etc/passwd/x: Not a directory"},
        {"", NULL, ENOENT, psSpawnStageExec, "cannot execute : No such file or directory"},
        {"/bin/true", "/no/such", ENOENT, psSpawnStageDir,
         "cannot change to directory /no/such: No such file or directory"},
        {"/bin/true", "/etc/passwd", ENOTDIR, psSpawnStageDir,
         "cannot change to directory /etc/passwd: Not a directory"},
    };
    char msg[256], expected[256];

    testDiag("start_ThatCannotBe_IsToldInOneSentence");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        prepare("unused");
        f.request.file = cases[i].file;
        f.request.dir = cases[i].dir;
        psSpawnFixtureRun(&f);
        testOk(f.outcome.pid == 0 && f.outcome.pidfd == -1 && f.outcome.stage == cases[i].stage &&
                   f.outcome.error == cases[i].error,
               "case %d: stage %d, %s", (int)i, f.outcome.stage, strerror(f.outcome.error));
        psSpawnExplain(&f.outcome, &f.request, msg, sizeof(msg));
        snprintf(expected, sizeof(expected), "%s", cases[i].sentence);
        testOk(strcmp(msg, expected) == 0, "\"%s\"", msg);
        int status = psSpawnCheck(&f.request, msg, sizeof(msg));
        testOk(status == -cases[i].error && strcmp(msg, expected) == 0,
               "psSpawnCheck says the same: %d \"%s\"", status, msg);
    }
}

static void terminal_ThatIsNone_FailsTheStart(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    testDiag("terminal_ThatIsNone_FailsTheStart");
    prepare("unused");
    int slave = f.pty.slave;
    f.pty.slave = fd;
    psSpawnFixtureRun(&f);
    f.pty.slave = slave;
    testOk(f.outcome.stage == psSpawnStageTty && f.outcome.error == ENOTTY, "stage %d, %s",
           f.outcome.stage, strerror(f.outcome.error));
    close(fd);
}

/* The kernel's word for it is that of a full disk. */
static void terminal_NoneLeft_DoesNotReadLikeADisk(void)
{
    psSpawnOutcome outcome = {
        .pidfd = -1, .stage = psSpawnStagePty, .error = ENOSPC, .call = "posix_openpt"};
    char msg[256];

    testDiag("terminal_NoneLeft_DoesNotReadLikeADisk");
    prepare("unused");
    psSpawnExplain(&outcome, &f.request, msg, sizeof(msg));
    testOk(!strstr(msg, "space") && strstr(msg, "no pseudo terminal is left (kernel.pty.max is "),
           "\"%s\"", msg);
    outcome.error = EMFILE;
    psSpawnExplain(&outcome, &f.request, msg, sizeof(msg));
    testOk(strstr(msg, "posix_openpt: Too many open files (RLIMIT_NOFILE is ") != NULL, "\"%s\"",
           msg);
}

static bool isOurChild(const char *pid)
{
    char path[288], text[512];
    int parent, fd;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *rest = strrchr(text, ')');
    return rest && sscanf(rest, ") %*c %d", &parent) == 1 && parent == getpid();
}

/* Running or zombie. */
static bool haveChildren(void)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir)))
        found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && isOurChild(entry->d_name);
    if (dir)
        closedir(dir);
    return found;
}

static void start_LeavesNothingBehindAfterFailure(void)
{
    testDiag("start_LeavesNothingBehindAfterFailure");
    testOk(!haveChildren(), "no process of ours is left");
}

static void childrenReapedByTheKernel_StillStart(void)
{
    testDiag("childrenReapedByTheKernel_StillStart");
    signal(SIGCHLD, SIG_IGN);
    prepare("wait"); /* not gone before there is a pidfd of it */
    psSpawnFixtureBegin(&f);
    psSpawnFixtureAwaitOutcome(&f);
    if (testOk(f.outcome.pid > 0, "it starts")) {
        kill(f.outcome.pid, SIGKILL);
        psSpawnFixtureAwaitEnd(&f);
    }
    testOk(f.end.lost, "its end is lost");
    prepare("unused");
    f.request.file = "/no/such";
    psSpawnFixtureRun(&f);
    testOk(f.outcome.error == ENOENT, "a failure is reported");
    signal(SIGCHLD, SIG_DFL);
}

/* ---- one after the other ---- */

static psSpawnOutcome startAgain(psSpawn *spawn, bool killed)
{
    double deadline = psClockMono(psClockSystem()) + PS_SPAWN_TEST_SEC;

    psSpawnFiles files = {f.pty.slave, f.pty.slave, true};
    f.outcomes = 0;
    if (psSpawnStart(spawn, &files, noteOutcome, NULL))
        testAbort("psSpawnStart");
    if (killed)
        psSpawnKill(spawn);
    while (!f.outcomes) {
        if (psClockMono(psClockSystem()) > deadline)
            testAbort("no outcome within %.0f s", PS_SPAWN_TEST_SEC);
        psLoopRound(f.loop, 1.0);
    }
    return f.outcome;
}

static void startEnds(psSpawnOutcome outcome)
{
    kill(outcome.pid, SIGKILL);
    waitpid(outcome.pid, NULL, 0);
    close(outcome.pidfd);
}

static void spawn_IsUsedAgain(void)
{
    testDiag("spawn_IsUsedAgain");
    makeFile("comesAndGoes", "#!/bin/sh\nexec sleep 1000\n", 0755);
    prepare("unused");
    f.request.file = pathOf("comesAndGoes");
    psSpawn *spawn = psSpawnCreate(f.loop, &f.request);
    testOk(!psSpawnBusy(spawn) && !psSpawnBusy(NULL), "idle");
    psSpawnOutcome first = startAgain(spawn, false);
    testOk(first.pid > 0 && !psSpawnBusy(spawn), "started");
    startEnds(first);
    unlink(pathOf("comesAndGoes"));
    psSpawnOutcome failed = startAgain(spawn, false);
    testOk(failed.pid == 0 && failed.error == ENOENT && failed.pidfd == -1, "failed: %s",
           strerror(failed.error));
    makeFile("comesAndGoes", "#!/bin/sh\nexec sleep 1000\n", 0755);
    psSpawnOutcome killed = startAgain(spawn, true);
    testOk(killed.pid > 0 || killed.error == ECANCELED, "killed: %s", strerror(killed.error));
    if (killed.pid > 0)
        startEnds(killed);
    psSpawnKill(spawn);
    psSpawnOutcome last = startAgain(spawn, false);
    testOk(last.pid > 0 && last.error == 0 && last.stage == psSpawnStageNone,
           "nothing of all that is left: %s", strerror(last.error));
    startEnds(last);
    psSpawnFree(spawn);
    unlink(pathOf("comesAndGoes"));
}

/* ---- kill ---- */

static void kill_AtOnce_EndsTheStart(void)
{
    int cancelled = 0, killed = 0, other = 0;
    char msg[256];

    testDiag("kill_AtOnce_EndsTheStart");
    for (int i = 0; i < 50; i++) {
        prepare("wait");
        psSpawnFixtureBegin(&f);
        psSpawnKill(f.spawn);
        psSpawnFixtureAwaitOutcome(&f);
        if (f.outcome.pid > 0)
            psSpawnFixtureAwaitEnd(&f);
        if (f.outcome.pid == 0 && f.outcome.error == ECANCELED)
            cancelled++;
        else if (f.outcome.pid > 0 && f.end.signo == SIGKILL)
            killed++;
        else
            other++;
    }
    testOk(other == 0, "%d cancelled, %d killed, %d else", cancelled, killed, other);
    f.outcome = (psSpawnOutcome){.stage = psSpawnStageExec, .error = ECANCELED};
    f.request.file = "/bin/x";
    psSpawnExplain(&f.outcome, &f.request, msg, sizeof(msg));
    testOk(strcmp(msg, "start of /bin/x cancelled") == 0, "\"%s\"", msg);
}

/* A file whose exec hangs for as long as we do not give up our lease on it.
 * @return -1 if this file system has no leases */
static int leaseProgram(void)
{
    makeFile("leased", "#!/bin/sh\necho at last\n", 0755);
    signal(SIGIO, SIG_IGN);
    int fd = open(pathOf("leased"), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void beginHanging(void)
{
    prepare("unused");
    f.request.file = pathOf("leased");
    psSpawnFixtureBegin(&f);
    /* that nothing comes can only be seen by waiting */
    for (double end = psClockMono(psClockSystem()) + 0.2; psClockMono(psClockSystem()) < end;)
        psLoopRound(f.loop, 0.05);
}

static void exec_ThatHangs_HoldsUpNobody(void)
{
    int lease = leaseProgram();

    testDiag("exec_ThatHangs_HoldsUpNobody");
    if (lease < 0) {
        testSkip(5, "no file leases here");
        return;
    }
    beginHanging();
    testOk(f.outcomes == 0, "the loop runs while exec hangs");
    psSpawnKill(f.spawn);
    psSpawnFixtureAwaitOutcome(&f);
    testPass("a kill ends it");
    if (f.outcome.pid > 0) {
        psSpawnFixtureAwaitEnd(&f);
        testOk(f.end.signo == SIGKILL && !*f.text, "it died of signal %d", f.end.signo);
    } else {
        testOk(f.outcome.error == ECANCELED, "cancelled");
    }
    unlink(pathOf("leased"));
    close(lease);

    lease = leaseProgram();
    beginHanging();
    testOk(f.outcomes == 0, "hangs again");
    close(lease);
    psSpawnFixtureAwaitOutcome(&f);
    psSpawnFixtureAwaitEnd(&f);
    testOk(strcmp(f.text, "at last\n") == 0, "and goes on when it can: \"%s\"", f.text);
}

/* ---- leaks ---- */

static void starts_LeakNothing(void)
{
    int fds, threads, fdsAfter, threadsAfter;

    testDiag("starts_LeakNothing");
    prepare("exit=0");
    psPtyClose(&f.pty);
    fds = psTestDescriptors();
    threads = psTestThreads();
    for (int i = 0; i < 100; i++) {
        prepare("exit=0");
        if (i % 4 == 0)
            f.request.file = "/no/such";
        if (i % 4 == 1)
            f.request.dir = "/no/such";
        psSpawnFixtureRun(&f);
    }
    psPtyClose(&f.pty);
    fdsAfter = psTestDescriptors();
    threadsAfter = psTestThreads();
    testOk(fds == fdsAfter, "descriptors: %d before, %d after 100 starts", fds, fdsAfter);
    testOk(threads == threadsAfter, "threads: %d before, %d after", threads, threadsAfter);
    testOk(!haveChildren(), "no zombies");
}

/* ---- pty ---- */

static void pty_HasSizeAndMode(void)
{
    const char *words[] = {"report", NULL}, *raw[] = {"raw", "wait", NULL};

    testDiag("pty_HasSizeAndMode");
    psSpawnFixturePrepare(&f, words);
    testOk1(psPtyCanonical(&f.pty));
    testOk(fcntl(f.pty.master, F_GETFL) & O_NONBLOCK, "master does not block");
    testOk1(fcntl(f.pty.master, F_GETFD) == FD_CLOEXEC);
    testOk1(fcntl(f.pty.slave, F_GETFD) == FD_CLOEXEC);
    psSpawnFixtureRun(&f);
    testOk(strcmp(psSpawnFixtureFact(&f, "window"), "24 80") == 0, "24 by 80");
    testOk(strcmp(psSpawnFixtureFact(&f, "ixon"), "0") == 0, "IXON off");
    testOk(strcmp(psSpawnFixtureFact(&f, "iutf8"), "1") == 0, "IUTF8 on");
    testOk(strcmp(psSpawnFixtureFact(&f, "tty"), f.pty.name) == 0, "it is %s", f.pty.name);

    psSpawnFixturePrepare(&f, words);
    psPtySetSize(&f.pty, 132, 0);
    psPtySetSize(&f.pty, 0, 3);
    psSpawnFixtureRun(&f);
    testOk(strcmp(psSpawnFixtureFact(&f, "window"), "10 132") == 0, "at least 10: %s",
           psSpawnFixtureFact(&f, "window"));
    psSpawnFixturePrepare(&f, words);
    psPtySetSize(&f.pty, 70000, 65536 + 40);
    psSpawnFixtureRun(&f);
    testOk(strcmp(psSpawnFixtureFact(&f, "window"), "500 500") == 0, "at most 500: %s",
           psSpawnFixtureFact(&f, "window"));

    psSpawnFixturePrepare(&f, raw);
    psSpawnFixtureBegin(&f);
    psSpawnFixtureAwaitOutcome(&f);
    double deadline = psClockMono(psClockSystem()) + PS_SPAWN_TEST_SEC;
    while (psPtyCanonical(&f.pty) && psClockMono(psClockSystem()) < deadline)
        psLoopRound(f.loop, 0.01);
    testOk1(!psPtyCanonical(&f.pty));
    kill(f.outcome.pid, SIGKILL);
    psSpawnFixtureAwaitEnd(&f);
    psPtyClose(&f.pty);
    psPtyClose(&f.pty);
    testOk1(f.pty.master == -1 && f.pty.slave == -1 && !psPtyCanonical(&f.pty));
    psPtySetSize(&f.pty, 80, 24);
}

static void pty_DoesNotBecomeOurs(void)
{
    int status = 0;

    testDiag("pty_DoesNotBecomeOurs");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        psPty pty = PS_PTY_INIT;

        setsid(); /* a leader without a terminal would get the next it opens */
        if (psPtyOpen(&pty, NULL))
            _exit(1);
        _exit(open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0 ? 2 : 0);
    }
    waitpid(pid, &status, 0);
    testOk(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status 0x%x", status);
}

static void removeFiles(void)
{
    const char *names[] = {"here", "plain", "foreign", "psUnlikely", "psForbidden", "leased"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(pathOf(names[i]));
    testOk(rmdir(dirName) == 0, "cleaned up");
}

MAIN(psSpawnTest)
{
    testPlan(76);
    if (!mkdtemp(dirName))
        testAbort("%s: %s", dirName, strerror(errno));
    psSpawnFixtureOpen(&f);
    start_IsConfirmedWithItsPid();
    directory_IsEnteredBeforeTheFileIsLookedFor();
    scriptWithoutInterpreter_IsGivenToTheShell();
    foreignProgram_IsNotGivenToTheShell();
    file_IsSearchedInTheChildsPath();
    start_ThatCannotBe_IsToldInOneSentence();
    terminal_ThatIsNone_FailsTheStart();
    terminal_NoneLeft_DoesNotReadLikeADisk();
    start_LeavesNothingBehindAfterFailure();
    childrenReapedByTheKernel_StillStart();
    spawn_IsUsedAgain();
    kill_AtOnce_EndsTheStart();
    exec_ThatHangs_HoldsUpNobody();
    starts_LeakNothing();
    pty_HasSizeAndMode();
    pty_DoesNotBecomeOurs();
    psSpawnFixtureClose(&f);
    removeFiles();
    return testDone();
}
