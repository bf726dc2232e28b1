/* SPDX-License-Identifier: EPICS */
/** @file psSupPvt.h
 *  @brief What the parts of the supervisor share: the struct.  For the room sup/ only.
 *
 *  The parts, each using those before it: psSupLog (the own log), psSupBeat (the heartbeat of the
 *  loop), psSupChildren (the list), psSupAll (commands to all children), psSupEnd (the end of all),
 *  psSupCommand (requests of other threads), psSupQuery (answers to them), psSup (its life).
 */
#ifndef INC_psSupPvt_H
#define INC_psSupPvt_H

#include <stdatomic.h>

#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "child/psChild.h"
#include "console/psTerminal.h"
#include "loop/psQueue.h"
#include "sup/psSup.h"
#include "sup/psSupBeat.h"
#include "sup/psSupLog.h"

typedef enum psPhase {
    psPhaseUp,
    psPhaseChildren, /* children go through their stages */
    psPhaseFlush,    /* consoles and logs */
    psPhaseDown
} psPhase;

/** A command to all children, in progress; see psSupAll.h. */
typedef struct psAllRound psAllRound;

struct psSup {
    /* fixed after psSupCreate */
    psSupOptions options;
    char **envp; /* owned */
    psLoop *loop;
    psQueue *queue;
    epicsEventId downEvent;
    int descriptorLimit;
    psChildSetup setup; /* of every child */
    psSupLog log;
    psSupBeat beat;
    struct psSupStat *stat;         /* NULL: not wanted yet, or without memory; fixed then */
    double startMono;               /* when it was created, of the clock, s */
    epicsMutexId addLock;           /* one psSupAddChild() at a time */
    epicsMutexId lock;              /* leaf; guards the next four */
    psChild *children[PS_CHILDREN]; /* the list only grows; the children are the loop's */
    int childCount;
    psAllStatus allStatus; /* of the last command to all children */
    double staggerSec;     /* from one of their starts to the next */
    bool started;
    epicsThreadId thread;
    int exitCode;               /* of psSupWait; set before downEvent */
    _Atomic int shutdownsAsked; /* by psSupShutdown() and not begun yet */
    psJob shutdownJob;
    psJob startAllJob;
    psTerminal terminal; /* the caller's until psSupStart, then the loop's */
    /* loop thread only */
    psChild *terminalChild; /* the terminal is a console of this one; NULL: of none */
    bool warnedDescriptors; /* that there are not enough has been reported */
    psPhase phase;
    psAllRound *round; /* NULL: none */
    psTimer flushTimer;
    psJob settledJob; /* looks whether the end, or its next phase, has come */
};

/** Say how many descriptors so many children need.  In psSup.c.  Thread: any.
 *  @return false: they need no more than @p limit, and @p line is untouched */
bool psSupExplainDescriptors(int children, int reserved, int limit, char *line, size_t lineSize);
/** The launching terminal may have another size: pass it on.  In psSupCommand.c.  Thread: loop. */
void psSupFitTerminal(psSup *sup);

#endif
