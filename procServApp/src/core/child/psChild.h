/* SPDX-License-Identifier: EPICS */
/** @file psChild.h
 *  @brief One supervised process: owns machine, pty, console; carries out the machine's
 *  actions.  Level 4, used by psSup only.
 *
 *  Thread: loop, but for psChildCreate(), psChildFree() and what reads `feed`.
 */
#ifndef INC_psChild_H
#define INC_psChild_H

#include <ellLib.h>

#include "model/psConfig.h"
#include "console/psConsole.h"
#include "child/psFeed.h"
#include "model/psGoal.h"
#include "model/psHealth.h"
#include "console/psInput.h"
#include "loop/psLoop.h"
#include "model/psMachine.h"
#include "process/psReap.h"
#include "process/psSpawn.h"

typedef struct psChild psChild;

/** What a child needs of its supervisor.  Called on the loop thread. */
typedef struct psChildOps {
    int (*admit)(void *ctx); /**< one console connection more?  0, or the limit reached */
    /** It came to rest, or is OneShot and finished; at the end: a console is gone. */
    void (*settled)(void *ctx);
    bool (*quit)(void *ctx, const char **outWhyNot); /**< ^Q: begin the end of all */
} psChildOps;

struct psChild {
    ELLNODE node; /* psSup.children */
    /* fixed after psChildCreate */
    psConfig *cfg; /* owned */
    const char *name;
    const psChildOps *ops;
    void *ctx;
    psLoop *loop;
    const psInherit *inherit;
    const char *argv0;
    const char *banner;           /* program and version */
    char *serverDir;              /* owned */
    char *serverStarted;          /* formatted time; owned */
    char **argv;                  /* for exec; owned array, strings are cfg's */
    char **envp;                  /* owned, with PROCSERV_INFO */
    psFeed *feed;                 /* owned */
    psText commandLine, consoles; /* behind facts */
    psChildFacts facts;
    /* loop thread only */
    bool begun;
    psMachine machine;
    psGoals goals;
    psHealthTrack health;
    psConsole console;
    psInput input;
    psPty pty;
    psWatch ptyWatch;
    psSpawn *spawn;         /* a start in progress; owned */
    psSpawnRequest request; /* of it */
    psSpawnOutcome failure; /* of a start that could not even begin */
    psJob failedJob;
    bool spawnWaits; /* for the last session to be empty */
    psReap reap;
    int pid; /* 0: none */
    psReapInfo exitInfo;
    bool exitHeld; /* the process ended, its session is not empty yet */
    int lastSid;   /* session of the last process */
    double sessionDeadline, sessionDelay;
    psTimer sessionTimer; /* looks again who is left */
    psTimer machineTimer; /* the machine's and the goals' deadlines */
    psTimer factsTimer;   /* health and WindowCrashes change by the clock */
    unsigned cols, rows;  /* of the terminal, kept over restarts; 0: default */
    bool finished;        /* OneShot and done */
    bool abandoned;
    int exitCode;    /* for the program: of the last end that says something */
    psStatus status; /* what is published next */
    char stoppedBy[PS_BY_BYTES];
};

/** Opens its endpoints and log.  @return NULL: *outStatus and one line say why */
psChild *psChildCreate(psLoop *loop, const psConfig *cfg, const psChildOps *ops, void *ctx,
                       const psInherit *inherit, char *const *envp, const char *argv0,
                       const char *banner, int *outStatus, char *msg, size_t msgSize);
/** After the loop ended, or before it began. */
void psChildFree(psChild *child);
/** Accept consoles, and start as mode and --wait say. */
void psChildBegin(psChild *child);
/** Carry out a command; @p done as psSupSubmit(). */
void psChildCommand(psChild *child, const psCommand *cmd, psDoneFn done, void *ctx);
/** Record a refused command. */
void psChildDenied(psChild *child, const psCommand *cmd, const char *reason);
void psChildTell(psChild *child, const char *text);
/** Begin its end; again: at once. */
void psChildShutdown(psChild *child);
/** At rest for good. */
bool psChildDown(const psChild *child);
/** End commands, consoles and publication. */
void psChildEnd(psChild *child);

#endif
