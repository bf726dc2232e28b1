/* SPDX-License-Identifier: EPICS */
/** @file psTypes.h
 *  @brief Names that every part of procServIoc shares: states, modes, the published status.
 *
 *  Public.  No function here blocks or allocates, and none fails unless it says so; all may be
 *  called in any thread.  The numeric values of the enumerations are part of the PV interface
 *  (docs/reference/records.md): values are only ever appended.
 */
#ifndef INC_psTypes_H
#define INC_psTypes_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <epicsTime.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this program, as --version shows it. */
#define PS_VERSION "1.0.0"
/** Version of the PV interface: it goes up when a client may have to know of a change. */
#define PS_API_LEVEL 1

/** @name Limits.  What happens at each is documented where it is used. @{ */
#define PS_NAME_BYTES 64           /**< a child's name, with its NUL */
#define PS_PV_BYTES 61             /**< the name of a PV, with its NUL */
#define PS_TEXT_BYTES 256          /**< one sentence for a person, with its NUL */
#define PS_COMMAND_TEXT_BYTES 1024 /**< text of a command, with its NUL */
#define PS_BY_BYTES 80             /**< who gave a command: user@host, with its NUL */
#define PS_HISTORY 16              /**< exits remembered per child */
#define PS_TRANSITIONS 1024        /**< published transitions not yet taken, per child */
#define PS_CHILDREN 256            /**< children per supervisor */
#define PS_ENDPOINTS 32            /**< listening endpoints per child */
#define PS_STAGGER_MAX_SEC 3600.0  /**< from one start of a command to all children to the next */
#define PS_QUEUE_LENGTH 1024       /**< commands on their way into the loop */
#define PS_GOALS 64                /**< commands in progress per child */
#define PS_TAIL_BYTES 8192         /**< of the last lines of a console, as published */
#define PS_MONITORED_SEC 2.0       /**< how long a monitor of a console that was seen counts, s */
#define PS_EXIT_TAIL_BYTES 4096    /**< of the last lines before an exit */
#define PS_LAST_LINE_BYTES 512     /**< of the last line, with its NUL */
#define PS_CLIENT_LIST_BYTES 1024  /**< of the list of a console's clients, with its NUL */
#define PS_INPUT_BYTES 1048576     /**< typed bytes a child has not read yet */
#define PS_INPUT_SPARE_BYTES 65536 /**< of them for others, once somebody has typed the rest */
#define PS_HISTORY_LINES 10000     /**< of --history */
#define PS_RING_MIN_BYTES 65536    /**< console ring at rest */
#define PS_RING_MAX_BYTES 1048576  /**< console ring when readers lag */
#define PS_STAT_PERIOD_SEC 5.0     /**< default of psSupOptions.statPeriodSec */
#define PS_STAT_PERIOD_MIN_SEC 0.5 /**< its range; beside 0: never */
#define PS_STAT_PERIOD_MAX_SEC 3600.0
#define PS_LOG_QUEUE_BYTES 16777216 /**< log bytes not yet on disk */
/** @} */

/** What a supervised process is doing.  Only psMachine changes it. */
typedef enum psState {
    psStateStopped,   /**< at rest: asked to be down, or the mode says so */
    psStateWaiting,   /**< at rest: --wait, the first start is manual */
    psStateStarting,  /**< a start is asked of psSpawn and not confirmed */
    psStateRunning,   /**< exec succeeded */
    psStateStopping,  /**< asked to end; a stage's deadline is armed */
    psStateKilling,   /**< SIGKILL sent */
    psStateHoldoff,   /**< at rest: an automatic restart is due later */
    psStateCrashLoop, /**< at rest: gave up until somebody starts or resets it */
    psStateUnknown,   /**< there is no child of that name; in records only */
    psStateCount
} psState;

/** When an ended process is started again. */
typedef enum psMode {
    psModeNever,     /**< procServ OFF */
    psModeAlways,    /**< procServ ON */
    psModeOneShot,   /**< procServ ONESHOT: the program ends after the child */
    psModeOnFailure, /**< only after an end other than exit status 0 */
    psModeCount
} psMode;

/** When a process that runs is ready: psReadiness.h. */
typedef enum psReadyRule {
    psReadyNone,   /**< at once */
    psReadyMatch,  /**< when a line of its output matches */
    psReadyNotify, /**< when it sends READY=1, as to systemd */
    psReadyPv      /**< while a PV is valid and not 0 */
} psReadyRule;

/** How the PV of that rule stands. */
typedef enum psReadyPvState {
    psReadyPvUnknown, /**< no record says so far */
    psReadyPvBad,     /**< not connected, or its alarm is INVALID */
    psReadyPvZero,
    psReadyPvGood /**< valid and not 0 */
} psReadyPvState;

/** How the last process ended. */
typedef enum psExitClass {
    psExitNone,     /**< none has ended yet */
    psExitClean,    /**< exit status 0 */
    psExitError,    /**< another exit status, and nobody asked for the end */
    psExitSignal,   /**< by a signal that was not sent through us */
    psExitKilled,   /**< by us, as somebody asked */
    psExitTimeout,  /**< by SIGKILL, after the grace period was over */
    psExitExecFail, /**< it never ran: pty, fork, chdir or exec failed */
    psExitLost,     /**< another part of the program reaped it, so nothing is known */
    psExitClassCount
} psExitClass;

/** Who or what caused the present process to start. */
typedef enum psStartReason {
    psReasonNone,
    psReasonBoot,
    psReasonOperator, /**< a PV */
    psReasonConsole,  /**< a key */
    psReasonAutoRestart,
    psReasonScript,   /**< iocsh */
    psReasonWatchdog, /**< the one before was hung: --hung-action restart */
    psReasonCount
} psStartReason;

/** What shows that a process is alive.  Each rule has a limit of its own. */
typedef enum psWatchRule {
    psWatchSilent, /**< it prints something: --silent-after */
    psWatchPv,     /**< a PV is updated: --watch-pv, --watch-after */
    psWatchNotify, /**< it sends WATCHDOG=1: --watchdog-sec */
    psWatchRuleCount
} psWatchRule;

/** The one value an alarm server needs: psHealth.h; "Health" in docs/reference/records.md. */
typedef enum psHealth {
    psHealthOk,
    psHealthTransient, /**< just restarted by itself */
    psHealthNotReady,
    psHealthCrashing,
    psHealthDown,
    psHealthHung, /**< it runs, but shows no sign of life */
    psHealthCount
} psHealth;

/** What can be asked of a child. */
typedef enum psVerb {
    psVerbNone,
    psVerbStart,
    psVerbStop,
    psVerbRestart,
    psVerbKill,          /**< the kill signal, then as the mode says */
    psVerbSignal,        /**< value: signal number 1...64, to the child's group */
    psVerbReset,         /**< leave CrashLoop, clear the exit alarm */
    psVerbResetCounters, /**< zero Starts, Restarts, AutoRestarts, Crashes */
    psVerbRotateLog,     /**< reopen the log file */
    psVerbMode,          /**< value: psMode */
    psVerbHoldoff,       /**< value: s */
    psVerbHoldoffMax,    /**< value: s */
    psVerbRestartWindow, /**< value: s */
    psVerbGrace,         /**< value: s */
    psVerbMaxRestarts,   /**< value: count */
    psVerbIn,            /**< text: a line, typed to the process */
    psVerbLockout,       /**< value: 1 on, 0 off; text: why, or none, which leaves it as it is */
    psVerbLockoutMsg,    /**< text: why it is locked out, or will be */
    psVerbCount
} psVerb;

/** How a command stands or ended. */
typedef enum psCmdState {
    psCmdIdle,
    psCmdBusy,
    psCmdDone,
    psCmdFailed,
    psCmdDenied,
    psCmdTimeout,
    psCmdStateCount
} psCmdState;

/** @name Names for people.  Never NULL; out of range gives "?". @{ */
const char *psStateName(psState state);
const char *psModeName(psMode mode);        /**< Never, Always, OneShot, OnFailure */
const char *psModeConsoleName(psMode mode); /**< OFF, ON, ONESHOT, ON: procServ's words */
const char *psExitClassName(psExitClass cls);
const char *psReasonName(psStartReason reason);
const char *psHealthName(psHealth health);
const char *psCmdStateName(psCmdState state);
const char *psSignalName(int signo); /**< "SIGSEGV"; "SIG34" for those without a name */
/** @} */

/** The largest signal number: Linux, all architectures but MIPS. */
#define PS_SIGNAL_MAX 64

/** Signal number of a name ("TERM", "SIGTERM", any case) or number text; -EINVAL if neither,
 *  or if not in 1...64. */
int psSignalParse(const char *text);

/** One ended run. */
typedef struct psExitRecord {
    double timePosix; /**< s since 1970, when it ended */
    psExitClass cls;
    int code;   /**< exit status, 128+N for signal N, -1 if it never ran or is lost */
    int runSec; /**< how long it ran, s */
} psExitRecord;

/** The last command of a child that somebody gave. */
typedef struct psCmdStatus {
    psCmdState state;
    int seq; /**< counts commands from 1 */
    psVerb verb;
    double value;            /**< of verbs that have one */
    char by[PS_BY_BYTES];    /**< user@host, "console <peer>", or "local" */
    epicsTimeStamp time;     /**< when it was given; zero: none yet */
    char msg[PS_TEXT_BYTES]; /**< how it went */
} psCmdStatus;

/** The last command to all children. */
typedef struct psAllStatus {
    uint32_t seq;    /**< counts every change, 0: there was none yet */
    psCmdStatus cmd; /**< its msg counts the children: "3 of 12 done, 1 failed; ioc4: ..." */
} psAllStatus;

/** A command. */
typedef struct psCommand {
    psVerb verb;
    double value;         /**< signal number, mode, seconds, count */
    const char *text;     /**< of verbs that take one (psVerbTakesText); copied; else NULL */
    psStartReason reason; /**< Operator, Console or Script */
    char by[PS_BY_BYTES]; /**< user@host; "" means "local" */
} psCommand;

/** How a command ended: Done, Failed, Denied or Timeout.
 *  @param msg valid during the call
 *  Thread: that of whoever calls it, as the function says that takes it.  It must not block. */
typedef void (*psDoneFn)(void *ctx, psCmdState how, const char *msg);

/** Facts of a child that never change: for records and reports.  The strings live as long as
 *  the supervisor. */
typedef struct psChildFacts {
    const char *name, *commandLine, *dir, *consoles, *logFile;
    const char *readyPv; /**< of --ready-pv; "": none */
    const char *watchPv; /**< of --watch-pv; "": none */
} psChildFacts;

/** Maintenance: while it is on, commands given by people are refused. */
typedef struct psLockout {
    bool on;
    unsigned changes;        /**< counts them */
    char by[PS_BY_BYTES];    /**< who has set it; "": nobody has */
    epicsTimeStamp time;     /**< when */
    char msg[PS_TEXT_BYTES]; /**< why, in the words of somebody; "": nobody has said */
} psLockout;

/** "locked out by ops@ws3 since 2026-11-23 15:49:52: vacuum work", cut to @p size. */
void psLockoutText(const psLockout *lockout, char *out, size_t size);

/** Settings that may change while it runs; ranges and all else about them: psSetting.h. */
typedef struct psSettings {
    psMode mode;
    double holdoffSec;
    double holdoffMaxSec; /**< 0: no doubling; it counts from holdoffSec on */
    double restartWindowSec;
    double graceSec;
    int maxRestarts; /**< 0: no limit */
} psSettings;

/** What is published of a child: a value, copied whole, one per transition. */
typedef struct psStatus {
    uint32_t seq;        /**< number of the transition shown, from 1 */
    epicsTimeStamp time; /**< of that transition */
    psState state;
    bool running;         /**< a process of ours is alive */
    bool ready;           /**< a process runs, and is ready by its rule */
    bool readyLate;       /**< it runs, and should have been ready by now */
    double readyAfterSec; /**< from start to being ready, the last time, s; 0: never */
    bool desiredUp;
    psHealth health;
    char stateMsg[PS_TEXT_BYTES];
    bool alive;                   /**< no watchdog has found it hung */
    char aliveMsg[PS_TEXT_BYTES]; /**< which watchdogs there are, or which one and since when */
    int pid;                      /**< 0: none */
    epicsTimeStamp startTime;     /**< of the present or last process; zero: none yet */
    double startMono;             /**< the same on psClock's monotonic time, s */
    psStartReason startReason;
    int starts;        /**< all */
    int restarts;      /**< all but the first */
    int autoRestarts;  /**< those nobody asked for */
    int crashes;       /**< ends by a signal or a status other than 0 nobody asked for */
    int windowCrashes; /**< within the restart window */
    int lastRunSec;    /**< how long the previous run lasted, s */
    psExitClass exitClass;
    bool exitAlarm; /**< the exit class still deserves its alarm */
    int exitCode;   /**< -1: not so ended */
    int exitSignal; /**< -1: not so ended */
    bool exitCore;
    epicsTimeStamp exitTime; /**< zero: none yet */
    char exitMsg[PS_TEXT_BYTES];
    double exitMaxRssMiB;
    double exitCpuSec;
    int historyCount;                 /**< 0...PS_HISTORY */
    psExitRecord history[PS_HISTORY]; /**< the newest first */
    double nextStartMono;             /**< of a pending automatic start, monotonic s; 0: none */
    psSettings settings;
    bool overridden; /**< a setting differs from the configuration */
    psLockout lockout;
    psCmdStatus cmd;
} psStatus;

/** What is published of a child, each at a pace of its own and with a subscriber of its own. */
typedef enum psTopic {
    psTopicStatus,    /**< psStatus: each transition */
    psTopicConsole,   /**< psConsoleStatus: the newest, a few times per second at most */
    psTopicResources, /**< psResources: the newest, once per period of reading /proc */
    psTopicCount
} psTopic;

/** What is published of a child's console: a value, copied whole.  Texts are valid UTF-8 without
 *  control characters but TAB; control sequences of terminals are left out, and other bytes are
 *  shown as \xHH. */
typedef struct psConsoleStatus {
    uint32_t seq;                          /**< counts what is published, from 1 */
    epicsTimeStamp time;                   /**< of that */
    int clients;                           /**< consoles, reading and writing */
    int loggers;                           /**< consoles, only reading */
    char clientList[PS_CLIENT_LIST_BYTES]; /**< who they are, the newest first */
    unsigned refused;                      /**< connections turned away */
    uint64_t lostBytes;                    /**< not delivered to slow clients */
    uint64_t logBytes;                     /**< size of the log file; 0 if it is no regular file */
    uint64_t logLostBytes;                 /**< that the log lacks */
    int logError;                      /**< errno of the log; 0: all is well, or there is none */
    uint32_t lines;                    /**< that the process has printed since its start */
    double byteRate;                   /**< bytes per second, within the last second or so */
    char lastLine[PS_LAST_LINE_BYTES]; /**< the last complete line; "": none yet */
    size_t tailBytes;                  /**< of tail */
    char tail[PS_TAIL_BYTES];          /**< the last complete lines, LF between them */
    size_t exitTailBytes;              /**< of exitTail */
    char exitTail[PS_EXIT_TAIL_BYTES]; /**< the console's last lines of the run that has ended last
                                        */
} psConsoleStatus;

/** What the processes of a child use: a value, copied whole.  A child's processes are its process
 *  and all others of that session, so that an IOC counts whatever script has started it. */
typedef struct psResources {
    uint32_t seq;        /**< counts what is published, from 1 */
    epicsTimeStamp time; /**< of that */
    int error;           /**< errno, why nothing is known; 0: the next are */
    /* without a process all are 0; sums over the session: */
    double cpuPercent;  /**< of one core, since the reading before */
    double cpuSec;      /**< since the child was started, with processes that have ended */
    double rssMiB;      /**< memory that several processes share counts for each */
    double sizeMiB;     /**< virtual */
    int threads, procs; /**< zombies do not count */
    int ioError;        /**< errno, why the next two are not known; 0: they are */
    double readKBs;     /**< 1000 bytes/s, by system calls, since the reading before */
    double writtenKBs;  /**< the same */
    /* of the process of the session that has the largest share of the descriptors it may have: */
    int fdError; /**< errno, why the next three are not known; 0: they are */
    int fds, fdMax;
    double fdPercent;
    int oomScore; /**< the largest of the session */
} psResources;

/** What this program uses itself. */
typedef struct psSelfUsage {
    bool known;
    double cpuPercent; /**< of one core, since the reading before */
    double rssMiB;
    int fds, threads;
} psSelfUsage;

/** Room for logs: of the file system of a log that has the least. */
typedef struct psLogSpace {
    bool known;         /**< else nobody has looked yet */
    bool hangs;         /**< a file system does not answer; freePercent is that of the others */
    double freePercent; /**< 0...100; 100 if no log is a regular file */
} psLogSpace;

#ifdef __cplusplus
}
#endif
#endif
