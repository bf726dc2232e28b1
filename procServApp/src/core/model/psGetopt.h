/* SPDX-License-Identifier: EPICS */
/** @file psGetopt.h
 *  @brief One option as a row of a table, and the scanner that finds options in a command line.
 *
 *  Public, pure: the command line of the program and that of procServAdd are read by the same
 *  scanner.  It finds options as GNU getopt_long does with "+" order: the first word that is not
 *  an option ends them, as does "--".  glibc's own is not used, since it keeps global state, prints
 *  by itself, and would call abbreviations of procServ's options ambiguous as soon as we add
 *  options: here an abbreviation is resolved among procServ's own options first.  Error texts
 *  are glibc's.
 */
#ifndef INC_psGetopt_H
#define INC_psGetopt_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum psOptionArg { psOptionArgNone, psOptionArgRequired, psOptionArgOptional } psOptionArg;

/** Where --help shows an option. */
typedef enum psOptionGroup {
    psOptionGroupConsole,
    psOptionGroupLog,
    psOptionGroupChild,
    psOptionGroupRestart,
    psOptionGroupStop,
    psOptionGroupReady,
    psOptionGroupWatch,
    psOptionGroupServer,
    psOptionGroupIoc,
    psOptionGroupOther,
    psOptionGroupCount
} psOptionGroup;

/** First place of an option that procServ does not have. */
#define PS_OPTION_OURS 100

/** What the scanner and --help need to know about an option. */
typedef struct psOption {
    const char *name; /**< without "--" */
    char letter;      /**< 0: none */
    int place;        /**< in --help and in lists of possibilities: each number once.  procServ's
                           own options have its order; the others begin with PS_OPTION_OURS */
    psOptionArg arg;
    psOptionGroup group;
    const char *value; /**< what --help calls the argument; NULL: none */
    const char *help;  /**< one line; NULL: internal, not shown */
} psOption;

/** A psOption as a row is written; tools/check-docs looks for it. */
#define PS_OPTION(name, letter, place, arg, group, value, help)                                    \
    {                                                                                              \
        name, letter, place, psOptionArg##arg, psOptionGroup##group, value, help                   \
    }

/** Walks a table of options; NULL past its end. */
typedef const psOption *(*psOptionAt)(unsigned index);

/** The option that follows @p place, by place; NULL: none. */
const psOption *psOptionAfter(psOptionAt at, int place);

/** A scan in progress.  Copies nothing: argv has to live as long. */
typedef struct psGetopt {
    /* given by the caller */
    psOptionAt at;
    int argc;
    const char *const *argv;
    int index; /**< next word to look at, given by the caller; at the end the first word that is
                    no option */
    /* private */
    const char *cluster; /* next letter of "-abc"; NULL: none */
} psGetopt;

/** The next option.
 *  @param outOption the row found
 *  @param outValue  its argument; NULL where there is none.  Points into argv
 *  @param msg       what is wrong, one line without a line feed
 *  @return 1 found, 0 no more, -EINVAL a wrong one was skipped: the scan may go on */
int psGetoptNext(psGetopt *self, const psOption **outOption, const char **outValue, char *msg,
                 size_t msgSize);

#ifdef __cplusplus
}
#endif
#endif
