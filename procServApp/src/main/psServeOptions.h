/* SPDX-License-Identifier: EPICS */
/** @file psServeOptions.h
 *  @brief What is asked of our IOC, and how its parts report what they find.
 */
#ifndef INC_psServeOptions_H
#define INC_psServeOptions_H

#include <stdbool.h>

#include "psSup.h"

#define PS_REASON_BYTES 1024 /**< one line about the IOC for a person, with its NUL */

/** `--ca-relay`: how Channel Access clients find all IOCs of this host (psRelay.h). */
typedef enum psRelayMode {
    psRelayAuto, /**< not given: as full with several children, else as udp */
    psRelayOff,
    psRelayUdp,
    psRelayFull
} psRelayMode;

/** What the user wants of the IOC.  All pointers must live until the program ends. */
typedef struct psServeOptions {
    psSup *sup;          /**< NULL in a trial: nothing is supervised there */
    const char *argv0;   /**< in messages; and to run this program again for a trial when
                              /proc/self/exe cannot be read */
    const char *name;    /**< of the command line's child; NULL: there is none */
    const char *readyPv; /**< of that child; NULL: none */
    const char *watchPv; /**< of that child; NULL: none */
    const char
        *supName;       /**< of the supervisor, which has no child on the command line; else NULL */
    const char *prefix; /**< with its separator, as given; NULL: $(NAME):PS: */
    const char *script; /**< IOC shell script; NULL: the program's own records */
    const char *acf;    /**< access security file of the user; NULL: the installed one */
    const char *ownLog; /**< file of the own log, which is the supervisor's; NULL: none */
    bool insecurePvs;   /**< without acf there is no access security, and commands work */
    char *const *iocEnv; /**< NAME=VALUE for our IOC only, NULL at the end; NULL: none */
    psRelayMode relay;
    bool shell; /**< run an IOC shell on standard input afterwards: in the foreground,
                     on a terminal that no child's console uses.  Its end ends nothing */
} psServeOptions;

/** What a trial of the IOC is for. */
typedef enum psTrialMode {
    psTrialStart,   /**< may the IOC be started so? */
    psTrialCheck,   /**< --check: also each command and each child of the script, and each link */
    psTrialChildren /**< only find the script's procServ commands; its database is left alone */
} psTrialMode;

/** Called with one finding, one line without line feed.  @p bad is true for errors, not for good
 *  news and warnings.  The same type as psSupCheckCreate() takes. */
typedef void (*psReportFn)(void *ctx, bool bad, const char *line);

#endif
