/* SPDX-License-Identifier: EPICS */
/** @file psMachine.h
 *  @brief The state machine of one child: (state, event, now) to (state, actions, deadline).
 *
 *  Pure: no descriptor, no thread, no clock of its own.  psMachineTable.c has the one table, which
 *  a tool prints into docs/design.md.  The owner feeds it events, one at a time, and carries out
 *  the actions that it answers with, before the next event.  Nothing here fails or allocates.
 *
 *  Life of a process here: every start gets a new number, its incarnation; every event from a
 *  process carries the number, and an event with an old one is ignored and counted.
 *
 *  All times are monotonic seconds.
 */
#ifndef INC_psMachine_H
#define INC_psMachine_H

#include "base/psTypes.h"
#include "model/psRestartPolicy.h"

/** What can happen.  The first seven are commands. */
typedef enum psEvent {
    psEventStart,
    psEventRestart,
    psEventStop,
    psEventKill,
    psEventSignal,
    psEventMode,
    psEventReset,
    psEventSpawned,
    psEventSpawnFailed,
    psEventExited,
    psEventTimer,
    psEventShutdown,
    psEventHung,  /**< a watchdog found no sign of life */
    psEventAlive, /**< it shows life again */
    psEventUnfit, /**< it runs, but does not do its work: end it, and start it again */
    psEventCount
} psEvent;

/** The event that corresponds to a command.
 *  @return false: there is none, since @p verb does not concern the machine */
bool psMachineEventOf(psVerb verb, psEvent *outEvent);

/** What to do after a step; PS_DO_SPAWN comes after all others. */
enum {
    PS_DO_STOP_INPUT = 1 << 0,  /**< send the stop input */
    PS_DO_KILL_SIGNAL = 1 << 1, /**< kill signal to the group, CONT after it */
    PS_DO_SIGKILL = 1 << 2,     /**< SIGKILL to the group and to what is left of the session */
    PS_DO_SIGNAL = 1 << 3,      /**< out->signo to the group */
    PS_DO_SPAWN = 1 << 4,       /**< begin a start: machine->incarnation */
    PS_DO_CLEAR_ALARM = 1 << 5, /**< the exit deserves no alarm any more */
    PS_DO_EXEC_HANGS = 1 << 6,  /**< report that exec is not confirmed yet */
    PS_DO_CANNOT_KILL = 1 << 7, /**< report that SIGKILL has no effect; commands time out */
    PS_DO_ABANDON = 1 << 8,     /**< shutdown: give the process up */
    PS_DO_FINISHED = 1 << 9,    /**< a OneShot child has ended for good */
    PS_DO_GAVE_UP = 1 << 10     /**< entered CrashLoop */
};

/** How a command stands right after its step. */
typedef enum psVerdict {
    psVerdictNone, /**< the event was no command */
    psVerdictDone,
    psVerdictWait, /**< psGoal decides */
    psVerdictFail
} psVerdict;

/** One event. */
typedef struct psInputEvent {
    psEvent event;
    unsigned long incarnation; /**< Spawned, SpawnFailed, Exited */
    psStartReason reason;      /**< commands: who or what gave it; Unfit: of the start after it */
    bool restarts;             /**< Hung: Unfit follows, unless it shows life before */
    psMode mode;               /**< Mode */
    int signo;                 /**< Signal */
    bool lost;                 /**< Exited: another part of the program reaped it */
    int exitCode;              /**< Exited: status, -1 if by a signal */
    int exitSignal;            /**< Exited: signal, -1 if it exited */
} psInputEvent;

/** What a step answers; filled completely by each. */
typedef struct psOutput {
    unsigned actions; /**< PS_DO_... */
    int signo;        /**< of PS_DO_SIGNAL */
    psVerdict verdict;
    const char *why;       /**< Fail: the reason; Done, Wait: what the command was merged with, or
                                why nothing was to be done; static; NULL: nothing to say */
    psExitClass exitClass; /**< Exited, SpawnFailed: of this end; else psExitNone */
    bool asked;            /**< Exited: somebody asked for it */
    bool hung;             /**< Exited: we ended it because it was hung */
    bool moved;            /**< the state changed, or a process event was accepted */
} psOutput;

/** How a stop proceeds. */
typedef enum psStage {
    psStageNone,
    psStageInput,  /**< stop input sent */
    psStageSignal, /**< kill signal sent */
    psStageKill    /**< SIGKILL sent */
} psStage;

/** What follows the exit being waited for. */
typedef enum psAfterExit { psAfterExitByMode, psAfterExitStart, psAfterExitStop } psAfterExit;

/** The owner reads freely; only psMachine*.c write. */
typedef struct psMachine {
    /* configuration */
    psSettings settings;
    int killSignal;
    bool hasStopInput;
    /* what it does */
    psState state;
    bool desiredUp;
    bool ending;               /* shutdown has begun */
    bool byPolicy;             /* Stopped because the mode said so */
    bool lastClean;            /* the last end was exit status 0 */
    bool lastUnasked;          /* nobody asked for the last end or failed start, and nobody has
                                  started it by hand since */
    unsigned long incarnation; /* of the present or last process, from 1 */
    psStage stage;
    psAfterExit afterExit;
    psStartReason nextReason; /* of the start after the exit */
    psStartReason autoReason; /* of the next automatic start */
    double deadline;          /* monotonic s of psEventTimer; HUGE_VAL: none */
    /* the present or last process */
    double startMono; /* asked of psSpawn, then confirmed, or failed */
    psStartReason startReason;
    uint64_t signalsSent; /* for an operator: bit N-1 for signal N */
    bool asked;           /* somebody asked it to end */
    bool hung;            /* Running, and it shows no sign of life */
    bool unfit;           /* nobody asked, but it is to be ended, and started again */
    bool graceRanOut;
    double killingSince;
    bool cannotKill;
    psRestartPolicy policy;
    /* counters */
    int starts, autoRestarts, crashes;
    int restartsBase;    /* 1: the first start was before the counters were reset */
    unsigned long stale; /* process events of an older incarnation */
} psMachine;

#define PS_EXEC_HANGS_SEC 5.0  /**< a start not confirmed by then is reported */
#define PS_KILL_REPEAT_SEC 1.0 /**< SIGKILL is sent again after so long */
#define PS_CANNOT_KILL_SEC 5.0 /**< SIGKILL without effect for so long is reported */
#define PS_ABANDON_SEC 1.0     /**< at shutdown a process is given up so long after SIGKILL */

/** State Stopped, desired down, all counters 0.
 *  @param settings     copied
 *  @param killSignal   1...64
 *  @param hasStopInput a stop begins with the stop input */
void psMachineInit(psMachine *machine, const psSettings *settings, int killSignal,
                   bool hasStopInput, double now);
/** The first event of a life, unless a command came before: to Starting, or to Waiting with
 *  @p wait. */
void psMachineBoot(psMachine *machine, bool wait, double now, psOutput *out);
/** One event.  Stale events answer with nothing and count in machine->stale. */
void psMachineStep(psMachine *machine, const psInputEvent *event, double now, psOutput *out);
/** Use other numbers from now on.  The mode in @p settings is ignored: it changes by
 *  psEventMode.  A pending hold-off is computed anew if what it depends on has changed. */
void psMachineSettings(psMachine *machine, const psSettings *settings, double now);
/** Zero the counters of starts, automatic restarts and crashes. */
void psMachineResetCounters(psMachine *machine);

/** No process, and no start under way. */
static inline bool psMachineAtRest(const psMachine *machine)
{
    return machine->state == psStateStopped || machine->state == psStateWaiting ||
           machine->state == psStateHoldoff || machine->state == psStateCrashLoop;
}

/** Is it being ended because it was hung? */
static inline bool psMachineIsHungEnd(const psMachine *machine)
{
    return machine->unfit && machine->autoReason == psReasonWatchdog;
}

/** All starts but the first. */
static inline int psMachineRestarts(const psMachine *machine)
{
    int restarts = machine->starts - 1 + machine->restartsBase;

    return restarts > 0 ? restarts : 0;
}

/** Crashes and failed starts that nobody asked for, within the restart window before @p now;
 *  PS_WINDOW_CRASHES at most. */
int psMachineWindowCrashes(const psMachine *machine, double now);
/** When psMachineWindowCrashes() next changes by itself; HUGE_VAL: never. */
double psMachineWindowChange(const psMachine *machine, double now);

/** Name of a row of the table; "?" where there is none.  Never NULL. */
const char *psEventName(psEvent event);
/** Text of a cell: what happens on @p event in @p state.  Never NULL. */
const char *psMachineCell(psState state, psEvent event);

#endif
