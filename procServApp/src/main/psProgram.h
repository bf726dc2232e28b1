/* SPDX-License-Identifier: EPICS */
/** @file psProgram.h
 *  @brief A command line, understood: what is to be done.
 */
#ifndef INC_psProgram_H
#define INC_psProgram_H

#include <stdbool.h>
#include <stdio.h>

#include "psConfig.h"
#include "psServeOptions.h"

/** What --version and the banner say: scripts look for "procServ Process Server". */
#define PS_PROGRAM_VERSION "procServ Process Server 2.9.0 by procServIoc " PS_VERSION

typedef enum psAction {
    psActionRun,
    psActionHelp,       /**< print `out`, exit 0 */
    psActionVersion,    /**< the same */
    psActionUsageError, /**< print `out` and `err`, exit 1 */
    psActionCheck,      /**< --check */
    psActionCheckIoc    /**< --check-ioc: psTrialIoc() */
} psAction;

/** A command line, understood.  Strings not marked otherwise point into argv or the environment. */
typedef struct psProgram {
    psAction action;
    char *out, *err; /**< for standard output and error, in every action; never NULL */
    const char *argv0;
    psConfig *child; /**< owned here; NULL with --script and no command */
    char *supName;   /**< -n with --script and no command: of the supervisor; owned; else NULL */
    bool foreground; /**< -f */
    bool debug;      /**< -d: no daemon, console traffic and diagnostics on standard output */
    bool quiet;      /**< -q */
    const char *pidFile; /**< NULL: none */
    const char *infoFile;
    const char *ownLog; /**< of the program itself */
    /* the IOC */
    bool noIoc;
    const char *prefix; /**< NULL: not given */
    const char *script;
    const char *acf;
    bool insecurePvs;
    psRelayMode relay;
    double statPeriodSec;  /**< 0: never */
    double staggerSec;     /**< of commands to all children */
    const char *trialMode; /**< the value of --check-ioc, for psTrialModeParse() */
    char **iocEnv;         /**< NAME=VALUE..., NULL at the end; the array is owned here */
    int iocEnvCount;
    /* private to psOptions.c and psOptionRows.c */
    FILE *outFile, *errFile; /* write `out` and `err`; NULL once parsed */
    size_t outLen, errLen;
    bool haveEndpoint;       /* some -P: new style */
    bool wrong;              /* a value that cannot be used: reported in err */
    bool wrongUsage;         /* the usage is shown beside it */
    const char *logFile;     /* of -L: the program's own if there is no command */
    const char *childOption; /* first option given that needs a command */
    const char *iocOption;   /* first option given that needs the IOC */
} psProgram;

#endif
