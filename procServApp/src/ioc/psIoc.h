/* SPDX-License-Identifier: EPICS */
/** @file psIoc.h
 *  @brief What a program that links the procServ library may call: which supervisor the records
 *         show, and how open their commands are.
 *
 *  In an IOC of your own, nothing here needs to be called: the first procServAdd creates a
 *  supervisor, and it ends with the IOC.
 */
#ifndef INC_psIoc_H
#define INC_psIoc_H

#include "psSup.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Let records and iocsh commands use @p sup, which its creator starts, ends and frees.
 *  NULL takes it away: no record and no command uses it any more once this has returned.
 *  Thread: any but the supervisor's loop, outside of iocInit.
 *  Blocks: until an iocsh command that uses a supervisor has ended. */
void psIocSetSup(psSup *sup);

/** Begin all children that were added, and from now on each one when it is added.  iocInit does
 *  so; this is for a program whose IOC cannot start.  Thread: as psIocSetSup(). */
void psIocBegin(void);

/** Run a procServ command of the IOC shell by its words, without the shell's quotes and macros:
 *  for one that was found elsewhere.  What is wrong with it goes to standard error, as in the
 *  shell.
 *  @param argv the command's name first
 *  Thread: as psIocSetSup().  Blocks: as the command does.
 *  @return 0, or -ENOENT: there is no such command */
int psIocCommand(int argc, const char *const *argv);

/** Receives the commands of a script that is only tested.  Both functions are called on the thread
 *  that runs the script. */
typedef struct psIocTrial {
    void (*add)(void *ctx, const psConfig *cfg);  /**< a child as procServAdd describes it */
    void (*refused)(void *ctx, const char *line); /**< one line: a command is wrong */
    void *ctx;
} psIocTrial;

/** From now on procServAdd only passes the child to @p trial, and procServStart and procServCmd do
 *  nothing.  @p trial must live until the program ends.  Thread: main, before any script. */
void psIocSetTrial(const psIocTrial *trial);

/** Let commands and settings work although access security is not active.
 *  Thread: any.  Blocks: never. */
void psIocSetInsecure(bool on);

/** How the program loads the rules of access security again, where that is not simply asInit. */
typedef struct psIocAccessOps {
    /** One call at a time, on a thread of its own.  It may block.
     *  @return 0; -errno and one line in @p msg: the rules are as before; -ENOENT: there are none
     *          to load, which is no error of the rules */
    int (*reload)(void *ctx, char *msg, size_t msgSize);
    void *ctx;
} psIocAccessOps;
/** @param ops must live until the program ends.  Thread: any, before iocInit. */
void psIocSetAccessOps(const psIocAccessOps *ops);
/** What is wrong with the rules that should hold: AcfState is Error as long as there is something.
 *  @param why copied; NULL: nothing is
 *  Thread: any.  Blocks: never. */
void psIocSetAccessError(const char *why);

#ifdef __cplusplus
}
#endif
#endif
