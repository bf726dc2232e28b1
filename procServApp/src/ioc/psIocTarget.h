/* SPDX-License-Identifier: EPICS */
/** @file psIocTarget.h
 *  @brief What an output record acts on: a child, or the supervisor as a whole, of which there is
 *         one.
 *
 *  Thread: any.  Blocks: never.
 */
#ifndef INC_psIocTarget_H
#define INC_psIocTarget_H

#include "psIocChild.h"
#include "psLink.h"
#include "psVerb.h"

/** What one put leads to, where that depends on the state of the child. */
typedef struct psTargetPlan {
    const char *refusal; /**< NULL: it is done; else why not (static) */
    bool setsMode;       /**< the restart mode is changed first */
    psMode mode;
    double value; /**< of the command */
} psTargetPlan;

/** A command of a child: row of a record type's table.  What is no row is a setting, which keeps
 *  its value and follows changes made elsewhere; so does a row that says what holds. */
typedef struct psOutItem {
    psItem item;
    psVerb verb;
    psRange only; /**< the values it takes, beside 0, which does nothing */
    /** @p out is all zero; NULL: the command is given as it is */
    void (*plan)(const psStatus *now, psTargetPlan *out);
    /** What holds, of a text the number of its changes; NULL: it is a command */
    double (*actual)(const psStatus *now);
    const char *(*text)(const psStatus *now); /**< what holds, of a text */
} psOutItem;

/** A command or a setting of the supervisor: row of the table for links that name no child. */
typedef struct psOutSystemItem {
    psItem item;
    psVerb verb;  /**< of the command that submit gets; psVerbNone: it is none to all children */
    psRange only; /**< the values it takes; for a command beside 0, which does nothing */
    /** Carry it out.  @return 0: done will be called exactly once; else -errno */
    int (*submit)(const psCommand *cmd, psDoneFn done, void *ctx);
    /** What holds.  @return 0 or -errno; NULL: it is a command */
    int (*actual)(double *out);
} psOutSystemItem;

typedef struct psTarget {
    psIocChild *child;     /**< NULL: the supervisor */
    const psOutItem *item; /**< of the child, as is the next; NULL: none */
    const psSetting *setting;
    const psOutSystemItem *system; /**< of the supervisor; NULL: a child's */
    psVerb verb;
    psRange range;
    bool isSetting; /**< else a command: 0 does nothing, and VAL is 0 at the end */
} psTarget;

/** From the link of a record.  Thread: the one that runs iocInit.
 *  @return 0, or -ENOMEM without memory or threads for the child */
int psTargetInit(psTarget *target, const psLinkTarget *link);

/** Queue a command; -ENOENT if there is no child of that name, or no supervisor.
 *  @param done called on any thread, perhaps before this returns, so it must not take the lock of
 *              the record */
int psTargetSubmit(const psTarget *target, const psCommand *cmd, psDoneFn done, void *ctx);
/** A line on the consoles concerned, and in their logs. */
int psTargetTell(const psTarget *target, const char *text);
/** Publish a command that was refused.  @param done as of psTargetSubmit()
 *  @return as psTargetSubmit() */
int psTargetDenied(const psTarget *target, const psCommand *cmd, const char *reason, psDoneFn done,
                   void *ctx);

/** Record that the put of @p by to @p record was refused since that is disabled. */
void psTargetRefused(const psTarget *target, const char *record, const char *by);

/** What holds; for a command 0.
 *  @param known the status of the child, if the caller has it; else NULL
 *  @return 0, or -errno: nothing is supervised, and nothing holds */
int psTargetActual(const psTarget *target, const psStatus *known, double *out);
/** The same of a text, cut to @p size. */
int psTargetText(const psTarget *target, char *out, size_t size);
/** Is the child locked out, and the target closed for it?
 *  @param known as of psTargetActual()
 *  @param outWhy NULL, or the reason, of PS_TEXT_BYTES; untouched if false is returned */
bool psTargetLockedOut(const psTarget *target, const psStatus *known, char *outWhy);

/** A command has ended: number of the newest state that the records of the target may show.  For
 *  one to all children that is how it ended; what each of them has come to is noted, too. */
uint32_t psTargetEnded(const psTarget *target);
/** Do the records of all children show what was noted by the last psTargetEnded()?  Always so where
 *  the target is one child. */
bool psTargetReached(const psTarget *target);
/** If the records show state @p seq, or as soon as they do, have the observers polled by another
 *  thread. */
void psTargetPollIfShown(const psTarget *target, uint32_t seq);
/** Be polled from now on.  Thread: the one that runs iocInit. */
void psTargetObserve(const psTarget *target, psIocObserver *observer);

#endif
