/* SPDX-License-Identifier: EPICS */
/** @file psSpawn.h
 *  @brief The start of a process, on a terminal or with files of the caller's.
 *
 *  A start runs in a short-lived thread of its own: exec and chdir may hang on a dead file
 *  server, and nothing else is affected.  The outcome comes back as a job of the loop.  What a
 *  start needs is made by psSpawnCreate(), so that a start needs no memory except that of its
 *  thread.  Read docs/design.md "Start of a process" before changing anything here.
 */
#ifndef INC_psSpawn_H
#define INC_psSpawn_H

#include <stdbool.h>
#include <stddef.h>

#include "loop/psLoop.h"
#include "process/psSpawnRequest.h"

typedef struct psSpawnOutcome {
    int pid;            /**< > 0: exec succeeded */
    int pidfd;          /**< the receiver's; -1 on failure */
    psSpawnStage stage; /**< where it failed */
    int error;          /**< errno of that; 0 on success */
    const char *call; /**< the system call that was refused; NULL: the stage says enough.  Static */
    double startMono; /**< exec confirmed at, monotonic s */
} psSpawnOutcome;

typedef struct psSpawn psSpawn;
typedef void (*psSpawnFn)(void *ctx, const psSpawnOutcome *outcome);

/** @param request copied; what it points to must live as long as the object
 *  Thread: any.  @return NULL without memory, a mutex, or an event */
psSpawn *psSpawnCreate(psLoop *loop, const psSpawnRequest *request);
/** Start a process, one at a time.
 *  @param files become its descriptors 0, 1 and 2; the caller's, open until the outcome
 *  @param fn    called exactly once if 0 is returned, never from within; it may start anew
 *  Thread: loop.  Blocks: never.
 *  @return 0; -EAGAIN no thread could be created; otherwise -errno of what is missing */
int psSpawnStart(psSpawn *spawn, const psSpawnFiles *files, psSpawnFn fn, void *ctx);
/** Has a start begun whose outcome has not been delivered?  NULL: false. */
bool psSpawnBusy(const psSpawn *spawn);
/** SIGKILL to the process of a start in progress; if there is none yet, it will not get to its
 *  exec.  The outcome is then ECANCELED, or that of a process that dies at once. */
void psSpawnKill(psSpawn *spawn);
/** A start in progress is killed, and its fn is not called any more.  A thread that hangs in exec
 *  keeps running with its memory.  NULL is fine.
 *  Blocks: up to 1 s, only if a start is in progress.  Thread: any, but not in the loop's rounds.
 */
void psSpawnFree(psSpawn *spawn);
/** A sentence for an outcome: "cannot execute /no/such: No such file or directory", "cannot open a
 *  pseudo terminal: posix_openpt: Too many open files", "started".  Thread: any. */
void psSpawnExplain(const psSpawnOutcome *outcome, const psSpawnRequest *request, char *out,
                    size_t size);
/** Does the system give us what any start needs: a terminal, a pidfd?  For --check.
 *  @return 0 or -errno with a sentence in @p msg */
int psSpawnCheckSystem(char *msg, size_t msgSize);
/** Would it start?  File found and executable, directory there.  For --check; does not fork.
 *  @return 0 or -errno with a sentence in @p msg */
int psSpawnCheck(const psSpawnRequest *request, char *msg, size_t msgSize);

#endif
