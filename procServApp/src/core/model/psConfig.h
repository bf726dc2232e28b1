/* SPDX-License-Identifier: EPICS */
/** @file psConfig.h
 *  @brief The configuration of one child: defaults, checks, and options by name.
 *
 *  Public.  Pure: no file is opened, no process started.  Not thread-safe; psSupAddChild()
 *  copies it.  A function that fails leaves the configuration as it was.
 */
#ifndef INC_psConfig_H
#define INC_psConfig_H

#include "psGetopt.h"
#include "psTypes.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One listening endpoint as the user gave it. */
typedef struct psEndpointSpec {
    char *spec;
    bool readOnly; /**< a log endpoint */
} psEndpointSpec;

/** All strings are owned by the configuration; NULL where not given. */
typedef struct psConfig {
    char *name;  /**< NULL: see psConfigName() */
    char **argv; /**< NULL-terminated; argv[0] is the command word */
    int argc;
    char *execFile;   /**< -e: execute this with argv as its arguments; NULL: argv[0] */
    char *dir;        /**< -c: NULL: the server's own */
    char *logFile;    /**< NULL: none; "-": standard output */
    char *logStamp;   /**< strftime format; NULL: no stamps; "": "[" timeFormat "] " */
    char *timeFormat; /**< strftime, "%c" */
    psEndpointSpec endpoints[PS_ENDPOINTS];
    int endpointCount;
    bool allow;       /**< control TCP endpoints on any interface */
    bool restrictLog; /**< log TCP endpoints on loopback */
    psSettings settings;
    bool wait;       /**< the first start is manual */
    int killSignal;  /**< 1...64, 9 */
    char *stopInput; /**< decoded bytes sent as the first stage of a stop; NULL: none */
    size_t stopInputLen;
    psReadyRule readyRule;
    char *readyWhat;        /**< the expression or the PV of that rule; NULL: it has none */
    double readyTimeoutSec; /**< 60 */
    bool readyTimeoutGiven; /**< by an option, which needs a rule */
    bool readyRestart;      /**< a process that is late to become ready is replaced */
    long coreSizeBytes;     /**< soft RLIMIT_CORE of the child; -1: as inherited */
    unsigned char killKey, toggleKey, logoutKey; /**< 0: disabled */
    bool keyGuard;         /**< a key that ends something counts when pressed twice */
    bool audit;            /**< the log says who connects, and who presses keys */
    int historyLines;      /**< that a new console is shown, 0...PS_HISTORY_LINES; 0 */
    double silentAfterSec; /**< without output for so long it is hung, s; 0: no such rule */
    char *watchPv;         /**< PV whose updates show that it is alive; NULL: none */
    double watchAfterSec;  /**< without an update for so long it is hung, s; 0: no such rule */
    double watchdogSec;    /**< without WATCHDOG=1 for so long it is hung, s; 0: no such rule */
    char *hungCommand;     /**< for /bin/sh, before such a restart; NULL: none */
    char *eventCommand;    /**< for /bin/sh, on a crash and other events; NULL: none */
    bool hungRestarts;     /**< a hung process is ended and started again; false: an alarm only */
    bool ignore[256];      /**< typed bytes that never reach the child */
} psConfig;

/** A configuration with the defaults: settings as psSettingsInit(), kill signal 9, keys ^X and
 *  ^T, no command.  @return NULL without memory; to be freed by psConfigFree() */
psConfig *psConfigCreate(void);
/** A copy that shares nothing.  @return NULL without memory */
psConfig *psConfigCopy(const psConfig *cfg);
/** NULL is fine. */
void psConfigFree(psConfig *cfg);

/** The name in messages and records: cfg->name, else the command word; of one that has
 *  PS_NAME_BYTES or more, only what follows its last slash.  If there is neither: "". */
const char *psConfigName(const psConfig *cfg);

/** Set the command and its arguments; they are copied.
 *  @return 0, -EINVAL if there is no command or it is empty, -ENOMEM */
int psConfigSetCommand(psConfig *cfg, int argc, const char *const *argv);

/** Set one thing by the full name of its option ("holdoff", "chdir", "port"...).
 *  The command line and iocsh both come through here, so that an option means the same in both.
 *  @param value NULL for an option without an argument ("oneshot", "wait"...)
 *  @param msg   on failure one line that begins with the name: what is wrong, what is expected
 *  @return 0, -ENOENT no such option, -EINVAL bad value, -ENOSPC too many, -ENOMEM */
int psConfigSet(psConfig *cfg, const char *option, const char *value, char *msg, size_t msgSize);

/** Walks the options that psConfigSet() knows; what the scanner of a command line of a child
 *  needs.  @return NULL past the end */
const psOption *psConfigOption(unsigned index);

/** Is it complete and consistent?  @return 0, or -EINVAL and one line in @p msg; where an option
 *  is wrong, the line begins with its name */
int psConfigCheck(const psConfig *cfg, char *msg, size_t msgSize);

/** The command as a shell would quote it.
 *  @return to be freed by the caller; NULL without a command or without memory */
char *psConfigCommandLine(const psConfig *cfg);

#ifdef __cplusplus
}
#endif
#endif
