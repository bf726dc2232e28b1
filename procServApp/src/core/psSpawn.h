/* SPDX-License-Identifier: EPICS */
/** @file psSpawn.h
 *  @brief A pty, and the start of a process on it.  Level 2.
 *
 *  The start runs in a short-lived thread of its own: exec and chdir may hang on a dead file
 *  server, and nothing else suffers.  The outcome comes back as a job of the loop.
 *  Read docs/design.md "Start of a process" before changing anything here.
 */
#ifndef INC_psSpawn_H
#define INC_psSpawn_H

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "psLoop.h"

/** What a process started by us gets instead of what EPICS threads have: saved by main()
 *  before any thread starts. */
typedef struct psInherit {
    bool saved;                    /**< false: take the defaults of a new login */
    int schedPolicy;
    struct sched_param schedParam;
    int niceValue;
    cpu_set_t affinity;
    bool haveAffinity;
    struct rlimit limits[RLIM_NLIMITS];
    bool haveLimits;
} psInherit;
/** Save the caller's own.  Call before raising any limit.  Thread: main, before others. */
void psInheritSave(psInherit *out);

typedef struct psPty {
    int master, slave; /**< both close-on-exec, master non-blocking; -1: closed */
    char name[64];     /**< of the slave, /dev/pts/N */
} psPty;
#define PS_PTY_INIT {-1, -1, ""}
/** 24 by 80, IUTF8 on, IXON off; neither becomes our controlling terminal.
 *  @return 0 or -errno */
int psPtyOpen(psPty *out);
void psPtyClose(psPty *pty); /**< idempotent */
/** Tell the terminal its size; clamped to 10...500, 0 leaves that side as it is. */
void psPtySetSize(psPty *pty, unsigned cols, unsigned rows);
/** Is the slave in canonical mode (bounded lines)? */
bool psPtyCanonical(const psPty *pty);

typedef enum psSpawnStage {
    psSpawnStageNone, psSpawnStagePty, psSpawnStageThread, psSpawnStageFork,
    psSpawnStageTty, psSpawnStageDir, psSpawnStageLimits, psSpawnStageExec
} psSpawnStage;

/** All pointers must live until the outcome is delivered. */
typedef struct psSpawnRequest {
    const char *file;       /**< searched in the child's PATH if it has no slash */
    char *const *argv;
    char *const *envp;
    const char *dir;        /**< NULL: stay */
    long coreSizeBytes;     /**< -1: as inherited */
    const psInherit *inherit;
    int slave;              /**< becomes 0, 1, 2 and the controlling terminal */
} psSpawnRequest;

typedef struct psSpawnOutcome {
    int pid;                /**< > 0: exec succeeded */
    int pidfd;              /**< the receiver's; -1 on failure */
    psSpawnStage stage;     /**< where it failed */
    int error;              /**< errno of that, 0 on success */
    double startMono;       /**< exec confirmed at, monotonic s */
} psSpawnOutcome;

typedef struct psSpawn psSpawn;
typedef void (*psSpawnFn)(void *ctx, const psSpawnOutcome *outcome);

/** Begin a start.  @p fn is called exactly once, on the loop thread, never from within.
 *  @return NULL if no thread could be had: *outErr is then a negative errno */
psSpawn *psSpawnBegin(psLoop *loop, const psSpawnRequest *request, psSpawnFn fn, void *ctx,
                      int *outErr);
/** SIGKILL to the process if there is one already; exec then fails or it dies at once. */
void psSpawnKill(psSpawn *spawn);
/** After fn was called: joins the thread.  Idempotent on NULL. */
void psSpawnFree(psSpawn *spawn);
/** Sentence for a failed outcome: "cannot execute /no/such: No such file or directory". */
void psSpawnExplain(const psSpawnOutcome *outcome, const psSpawnRequest *request, char *out,
                    size_t size);
/** Would it start?  File found and executable, directory there.  For --check; does not fork.
 *  @return 0 or -errno with a sentence in @p msg */
int psSpawnCheck(const psSpawnRequest *request, char *msg, size_t msgSize);

#endif
