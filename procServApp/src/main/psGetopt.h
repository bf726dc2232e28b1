/* SPDX-License-Identifier: EPICS */
/** @file psGetopt.h
 *  @brief Options out of argv as GNU getopt_long finds them, with "+" order.  Pure.
 *
 *  An own one, since glibc's has global state, prints by itself, and would find abbreviations of
 *  procServ's options ambiguous as soon as we add options: here an abbreviation is resolved
 *  among procServ's own options first.  Error texts are glibc's.
 */
#ifndef INC_psGetopt_H
#define INC_psGetopt_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct psProgram;

typedef enum psOptionArg { psOptionArgNone, psOptionArgRequired, psOptionArgOptional } psOptionArg;

typedef enum psOptionGroup {
    psOptionGroupConsole,
    psOptionGroupLog,
    psOptionGroupChild,
    psOptionGroupRestart,
    psOptionGroupStop,
    psOptionGroupServer,
    psOptionGroupIoc,
    psOptionGroupOther,
    psOptionGroupCount
} psOptionGroup;

/** One row of the program's option table. */
typedef struct psOption {
    const char *name; /**< without "--" */
    char letter;      /**< 0: none */
    bool ours;        /**< procServ has no such option */
    psOptionArg arg;
    psOptionGroup group; /**< where --help shows it */
    const char *value;   /**< what --help calls the argument; NULL: none */
    const char *help;    /**< one line; NULL: internal, not shown */
    /** Carries it out; NULL: psConfigSet() of that name. */
    void (*apply)(struct psProgram *program, const char *value);
} psOption;

typedef struct psGetopt {
    /* given by the caller */
    const psOption *options;
    size_t count;
    const char *argv0; /**< in error texts */
    int argc;
    char *const *argv;
    int index; /**< next word to look at; begin with 1; at the end the first that is no
                    option */
    /* private */
    const char *cluster; /* next letter of "-abc"; NULL: none */
} psGetopt;

/** The next option.
 *  @param err       what is wrong is printed here, one line
 *  @param outOption the row found
 *  @param outValue  its argument; NULL where there is none.  Points into argv
 *  @return 1 found, 0 no more, -EINVAL a wrong one was skipped: go on */
int psGetoptNext(psGetopt *self, FILE *err, const psOption **outOption, const char **outValue);

#endif
