/* SPDX-License-Identifier: EPICS */
/** @file psSpawn.h
 *  @brief The start of a process on a terminal.  Level 2.
 *
 *  The start runs in a short-lived thread of its own: exec and chdir may hang on a dead file
 *  server, and nothing else suffers.  The outcome comes back as a job of the loop.
 *  Read docs/design.md "Start of a process" before changing anything here.
 */
#ifndef INC_psSpawn_H
#define INC_psSpawn_H

#include <stddef.h>

#include "process/psInherit.h"
#include "loop/psLoop.h"
#include "process/psPty.h"

typedef enum psSpawnStage {
    psSpawnStageNone,
    psSpawnStagePty,
    psSpawnStageThread,
    psSpawnStageFork,
    psSpawnStageWatch, /**< there was a process, but no pidfd to learn of its end by */
    psSpawnStageTty,
    psSpawnStageDir,
    psSpawnStageLimits,
    psSpawnStageExec
} psSpawnStage;

/** All pointers must live until the outcome is delivered. */
typedef struct psSpawnRequest {
    const char *file; /**< searched in the child's PATH if it has no slash */
    char *const *argv;
    char *const *envp;
    const char *dir;    /**< NULL: stay */
    long coreSizeBytes; /**< -1: as inherited */
    const psInherit *inherit;
    int slave; /**< becomes 0, 1, 2 and the controlling terminal */
} psSpawnRequest;

typedef struct psSpawnOutcome {
    int pid;            /**< > 0: exec succeeded */
    int pidfd;          /**< the receiver's; -1 on failure */
    psSpawnStage stage; /**< where it failed */
    int error;          /**< errno of that, 0 on success */
    const char *call;   /**< the system call that was refused; NULL: the stage says it.  Static */
    double startMono;   /**< exec confirmed at, monotonic s */
} psSpawnOutcome;

typedef struct psSpawn psSpawn;
typedef void (*psSpawnFn)(void *ctx, const psSpawnOutcome *outcome);

/** Begin a start.  @p fn is called exactly once, on the loop thread, never from within.
 *  @return NULL if no thread could be had: *outErr is then a negative errno */
psSpawn *psSpawnBegin(psLoop *loop, const psSpawnRequest *request, psSpawnFn fn, void *ctx,
                      int *outErr);
/** SIGKILL to the process; if there is none yet, it will not get to its exec.  The outcome is
 *  then ECANCELED, or that of a process that dies at once. */
void psSpawnKill(psSpawn *spawn);
/** After fn was called: joins the thread.  Idempotent on NULL. */
void psSpawnFree(psSpawn *spawn);
/** Instead of waiting for fn, when the loop has ended: the process is killed, fn is not called any
 *  more.  A thread that hangs in exec is left behind with its memory.
 *  Blocks: up to 1 s.  Thread: any, but not in the loop's rounds. */
void psSpawnAbandon(psSpawn *spawn);
/** Sentence for a failed outcome: "cannot execute /no/such: No such file or directory",
 *  "cannot open a pseudo terminal: posix_openpt: No space left on device". */
void psSpawnExplain(const psSpawnOutcome *outcome, const psSpawnRequest *request, char *out,
                    size_t size);
/** Does the system give us what any start needs: a terminal, a pidfd?  For --check.
 *  @return 0 or -errno with a sentence in @p msg */
int psSpawnCheckSystem(char *msg, size_t msgSize);
/** Would it start?  File found and executable, directory there.  For --check; does not fork.
 *  @return 0 or -errno with a sentence in @p msg */
int psSpawnCheck(const psSpawnRequest *request, char *msg, size_t msgSize);

#endif
