/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <errlog.h>

#include "psLaunch.h"
#include "psOwnLog.h"

/* -d: no daemon, and everything on standard output; with -f the terminal is a console anyway. */
void psLaunchDebug(const psProgram *program)
{
    char msg[PS_TEXT_BYTES];

    errlogSetConsole(stdout);
    if (!program->child || program->foreground)
        return;
    if (program->child->logFile && strcmp(program->child->logFile, "-") != 0)
        fprintf(stderr, "%s: debug: console traffic goes to %s, not to standard output\n",
                program->argv0, program->child->logFile);
    else if (psConfigSet(program->child, "logfile", "-", msg, sizeof(msg)))
        fprintf(stderr, "%s: --%s\n", program->argv0, msg);
}

/* Base writes to standard output as it likes, into what children print with `-L -`.  With -d, and
 * where a shell uses it, it is for everything. */
void psLaunchStdout(const psProgram *program, bool shell)
{
    if (!program->noIoc && !program->debug && !shell && (program->foreground || program->ownLog))
        psOwnLogTakeStdout(program->argv0);
}

static bool isSameTerminal(int one, int other)
{
    struct stat first, second;

    return fstat(one, &first) == 0 && fstat(other, &second) == 0 && S_ISCHR(first.st_mode) &&
           S_ISCHR(second.st_mode) && first.st_rdev == second.st_rdev;
}

/* procServ's: with -f a terminal on standard input is one more console, but for -L - .  A job in
 * the background is left alone: the terminal would stop us. */
void psLaunchTerminal(const psProgram *program, psSup *sup)
{
    const char *log = program->child ? program->child->logFile : NULL;
    pid_t group = tcgetpgrp(0);

    if (!program->foreground || !program->child || (log && strcmp(log, "-") == 0))
        return;
    if (group >= 0 && group != getpgrp())
        return;
    int status = psSupAttachTerminal(sup, psSupAt(sup, 0), 0);
    if (!status && isSameTerminal(STDIN_FILENO, STDERR_FILENO))
        psOwnLogTerminal();
    else if (status && status != -ENOTTY)
        psOwnLogSay("%s: cannot use the terminal: %s", program->argv0, strerror(-status));
}

/* What the caller of a daemon reads; procServ's texts. */
void psLaunchReport(const psProgram *program, int pid)
{
    const psConfig *child = program->child;
    bool logPort = false;
    bool logFile;

    if (program->quiet)
        return;
    fprintf(stderr, "%s: spawning daemon process: %d\n", program->argv0, pid);
    if (!child)
        return;
    for (int i = 0; i < child->endpointCount; i++)
        logPort = logPort || child->endpoints[i].readOnly;
    logFile =
        child->logFile && (strcmp(child->logFile, "-") == 0 || access(child->logFile, W_OK) == 0);
    if (!logFile && !logPort)
        fprintf(stderr, "Warning: No log file and no port for log connections specified.\n");
    else if (!logFile)
        fprintf(stderr, "Warning: No log file specified.\n");
}
