/* SPDX-License-Identifier: EPICS */
/*
 * Would a start work?  Asked by --check; nothing is started.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/psExec.h"
#include "process/psPidfd.h"
#include "process/psPty.h"
#include "process/psSpawn.h"

#define INTERPRETER_BYTES 256 /* the kernel reads no more of a script's first line */
#define SCRIPTS 4             /* whose interpreter is a script; the kernel allows no more */

static void explain(psSpawnStage stage, int error, const char *call, const psSpawnRequest *request,
                    char *msg, size_t msgSize)
{
    psSpawnOutcome outcome = {.pidfd = -1, .stage = stage, .error = error, .call = call};

    psSpawnExplain(&outcome, request, msg, msgSize);
}

int psSpawnCheckSystem(char *msg, size_t msgSize)
{
    psPty pty = PS_PTY_INIT;
    const char *call = NULL;
    int status = psPtyOpen(&pty, &call);

    psPtyClose(&pty);
    if (status) {
        explain(psSpawnStagePty, -status, call, NULL, msg, msgSize);
        return status;
    }
    int pidfd = psPidfdOpen(getpid());
    if (pidfd < 0) {
        explain(psSpawnStageWatch, -pidfd, "pidfd_open", NULL, msg, msgSize);
        return pidfd;
    }
    close(pidfd);
    return 0;
}

/* The path after "#!".  @return false: there is none, or the file cannot be read */
static bool readInterpreter(int dir, const char *path, char out[INTERPRETER_BYTES])
{
    char head[INTERPRETER_BYTES];
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof(head) - 1);

    if (fd >= 0)
        close(fd);
    head[got > 0 ? got : 0] = '\0';
    if (strncmp(head, "#!", 2) != 0)
        return false;
    const char *begin = head + 2 + strspn(head + 2, " \t");
    size_t len = strcspn(begin, " \t\n");
    memcpy(out, begin, len);
    out[len] = '\0';
    return len > 0;
}

/* What exec would say to this path.  A script is as good as its interpreter, which exec reports as
 * if the script were not there.
 * @param interpreter set if that is what is wrong */
static int checkFile(int dir, const char *path, int depth, char interpreter[INTERPRETER_BYTES])
{
    char line[INTERPRETER_BYTES];
    struct stat info;

    if (fstatat(dir, path, &info, 0) < 0)
        return errno;
    if (!S_ISREG(info.st_mode))
        return EACCES;
    if (faccessat(dir, path, X_OK, AT_EACCESS) < 0)
        return errno;
    if (depth == SCRIPTS || !readInterpreter(dir, path, line))
        return 0;
    int error = checkFile(dir, line, depth + 1, interpreter);
    if (error && !interpreter[0])
        memcpy(interpreter, line, sizeof(line));
    return error;
}

int psSpawnCheck(const psSpawnRequest *request, char *msg, size_t msgSize)
{
    psExecPlan plan = PS_EXEC_PLAN_INIT;
    char interpreter[INTERPRETER_BYTES] = "";
    int dir = AT_FDCWD, error = ENOENT;
    bool denied = false;

    if (request->dir) {
        dir = open(request->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || faccessat(dir, ".", X_OK, AT_EACCESS) < 0) {
            error = errno;
            if (dir >= 0)
                close(dir);
            explain(psSpawnStageDir, error, NULL, request, msg, msgSize);
            return -error;
        }
    }
    if (psExecPlanInit(&plan, request) < 0) {
        error = ENOMEM;
    } else {
        for (char **path = plan.paths; *path && error; path++) {
            error = checkFile(dir, *path, 0, interpreter);
            denied = denied || error == EACCES;
        }
        if (error && denied)
            error = EACCES;
    }
    psExecPlanClear(&plan);
    if (dir >= 0)
        close(dir);
    if (error && interpreter[0])
        snprintf(msg, msgSize, "cannot execute %s: its interpreter %.*s: %s", request->file,
                 (int)strcspn(interpreter, "\r"), interpreter,
                 strchr(interpreter, '\r')
                     ? "the line ends in CR LF, which Linux takes for part of it"
                     : strerror(error));
    else if (error)
        explain(psSpawnStageExec, error, NULL, request, msg, msgSize);
    else if (msgSize)
        msg[0] = '\0';
    return -error;
}
