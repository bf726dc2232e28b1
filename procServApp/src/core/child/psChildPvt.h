/* SPDX-License-Identifier: EPICS */
/** @file psChildPvt.h
 *  @brief What the parts of a child share: the struct.  For the room child/ only.
 *
 *  The parts, each using those before it: psChildText (sentences for people), psChildStatus and
 *  psChildConsole (what is published), psChildReady and psChildNotify (is it ready?), psChildHook
 *  (commands of the user), psChildWatch (is it alive?), psChildPty (its terminal), psChildProcess
 *  (start and end), psChildStep (from an event to what it leads to), psChildTyped (what is typed to
 *  it), psChildCommand (what is asked of it), psChildKeys (keys), psChild (its life).
 */
#ifndef INC_psChildPvt_H
#define INC_psChildPvt_H

#include <stdatomic.h>

#include "child/psChild.h"
#include "child/psChildLaunch.h"
#include "console/psConsole.h"
#include "console/psInput.h"
#include "console/psMatcher.h"
#include "model/psGoal.h"
#include "model/psHealth.h"
#include "model/psMachine.h"
#include "model/psReadiness.h"
#include "model/psWatchdog.h"
#include "process/psNotify.h"
#include "process/psPty.h"
#include "process/psReap.h"
#include "process/psSpawn.h"

typedef struct psChildHooks psChildHooks; /* psChildHook.c */

struct psChild {
    /* fixed after psChildCreate */
    const psChildOps *ops;
    void *ctx; /* of ops */
    psLoop *loop;
    const char *argv0;
    const char *banner;  /* program and version */
    psConfig *cfg;       /* owned */
    const char *name;    /* cfg's */
    char *serverDir;     /* owned; NULL: unknown */
    char *serverStarted; /* formatted time; owned */
    psChildLaunch launch;
    char *commandLine; /* of facts; owned; NULL without memory */
    psText consoles;   /* of facts */
    psChildFacts facts;
    psFeed *feed;           /* owned */
    psSpawnRequest request; /* of every start */
    psSpawn *spawn;         /* owned */
    /** What happens to the process, as an event for the machine.
     *  @param why a start failed, else NULL */
    void (*happened)(psChild *child, const psInputEvent *event, const char *why);

    /* all below: loop thread only */
    bool begun; /* psChildStart() was called */
    psMachine machine;
    psGoals goals;
    psConsole console;
    bool finished;        /* OneShot, and ended for good */
    char *pvs;            /* what the banner says of PVs; owned; NULL: nothing */
    psTimer machineTimer; /* the machine's and the goals' deadlines */
    psTimer readyTimer;   /* when it is late to be ready */
    psTimer factsTimer;   /* health and WindowCrashes change by the clock */

    /* psChildStatus */
    psStatus status; /* what is published next */
    psHealthTrack health;
    int exitCode; /* for the program: of the last end, if nobody asked for it; else 0 */
    char stoppedBy[PS_BY_BYTES];

    /* psChildConsole */
    psTimer consoleTimer;     /* armed: something has changed */
    double consoleMono;       /* when it was published last */
    uint64_t consoleLinesEnd; /* of the lines that were published last: psConsoleOutput.linesEnd */
    psJob consoleJob;         /* looks again when it is due; of any thread */
    bool consoleNews;         /* its publication is scheduled */
    _Atomic double monitoredMono; /* when its text was last known to be monitored; any thread */
    psJob monitoredJob;           /* hastens what is due; of any thread */
    psText exitTail;              /* the console's last lines of the run that has ended last */
    double rateMono;              /* since when its output is measured ... */
    uint64_t rateBytes;           /* ... from this number of bytes on */
    double rate;                  /* bytes/s, measured last */
    bool rateIdle;                /* nothing was printed since: no timer runs */

    /* psChildReady */
    psReadiness readiness;
    psMatcher *matcher;        /* owned; NULL: its rule has no expression */
    psJob readyJob;            /* readiness has changed */
    int readyNoticed;          /* which of its notices was printed last for this process */
    double readyMono;          /* when readiness was published last */
    psTimer readyNewsTimer;    /* publishes it, not too often */
    bool readyUnfit;           /* this process is ended, as it was not ready in time */
    atomic_int readyPv;        /* psReadyPvState, as the record sees it */
    atomic_bool readyPvWasBad; /* since the loop looked last */
    psJob readyPvJob;          /* looks; of any thread */

    /* psChildNotify */
    psNotify notify;
    unsigned notifyRefused;  /* messages, since the last notice */
    double notifyNoticeMono; /* when there may be the next one */

    /* psChildPty */
    psPty pty;
    psWatch ptyWatch;
    psInput input;       /* typed, on its way to the terminal */
    unsigned cols, rows; /* of the terminal, kept over restarts; 0: default */

    /* psChildTyped */
    unsigned fullTimes;   /* how often somebody has typed all that can wait, but for the spare */
    psTimer stalledTimer; /* somebody waits to type more: when the child counts as not reading */
    psTimer lostTimer;    /* reports what was typed in vain */
    bool lostByMemory;    /* of that, some for want of memory */
    double lostMono;      /* when something was last typed in vain ... */
    double lostSinceMono; /* ... and first, of what is not reported yet */

    /* psChildKeys */
    double pressedMono;               /* when ^X or ^R was last pressed to some effect; 0: never */
    unsigned long pressedIncarnation; /* newest start before that */
    bool pressedToKill;               /* it was to kill */

    /* psChildWatch */
    psWatchdog watchdog;
    psTimer watchTimer;        /* the watchdog's deadline as it was when it was armed */
    bool paused;               /* somebody had us stop it by a signal */
    unsigned counting;         /* rules of the watchdog that counted when that was last published */
    double remarkMono;         /* when to say that the PV is not updated at all; HUGE_VAL: never */
    psJob watchJob;            /* a sign from another thread is worth a look */
    _Atomic double pvFromMono; /* updates before that are not this process's */
    atomic_uint pvUpdates;     /* of the PV, in all */

    /* psChildHook */
    psChildHooks *hooks; /* owned; NULL: no command is to be run */
    char *prefix;        /* of its PVs, for them; owned; NULL: not known */

    /* psChildProcess */
    psJob failedJob;        /* reports a start that could not even begin */
    psSpawnOutcome failure; /* of it */
    bool spawnWaits;        /* a start waits for the last session to be empty */
    int pid;                /* 0: none */
    psReap reap;
    psReapInfo exitInfo;
    int lastSid; /* session of the last process; 0: known to be empty */
    double sessionDeadline, sessionDelay;
    psTimer sessionTimer; /* looks again which processes are left */
    bool abandoned;       /* the process, or its start, was given up at the end */
};

/** Monotonic now, s. */
static inline double psChildNow(const psChild *child)
{
    return psClockMono(psLoopClock(child->loop));
}

#endif
