/* SPDX-License-Identifier: EPICS */
/** @file psSupPvt.h
 *  @brief What the parts of the supervisor share.  Private to psSup*.c.
 */
#ifndef INC_psSupPvt_H
#define INC_psSupPvt_H

#include <stdatomic.h>

#include <ellLib.h>
#include <epicsEvent.h>
#include <epicsMutex.h>
#include <epicsThread.h>

#include "child/psChild.h"
#include "loop/psQueue.h"
#include "sup/psSup.h"
#include "console/psTerminal.h"

typedef enum psPhase {
    psPhaseUp,
    psPhaseChildren, /* children go through their stages */
    psPhaseFlush,    /* consoles and logs */
    psPhaseDown
} psPhase;

struct psSup {
    /* fixed after psSupCreate */
    psSupOptions options;
    char **envp; /* owned */
    psLoop *loop;
    psQueue *queue;
    epicsEventId downEvent;
    int descriptorLimit;
    /* guarded by lock: the list only grows; children are the loop's */
    epicsMutexId lock;
    ELLLIST children; /* psChild.node */
    bool started;
    epicsThreadId thread;
    int exitCode;               /* of psSupWait; set before downEvent */
    _Atomic int shutdownsAsked; /* by psSupShutdown() and not begun yet */
    psJob shutdownJob;
    psTerminal terminal; /* the caller's until psSupStart, then the loop's */
    /* loop thread only */
    psPhase phase;
    psTimer flushTimer;
    psJob flushJob;
};

/** A child by name, NULL: none.  Thread: any. */
psChild *psSupFind(psSup *sup, const char *name);
/** Walk the children in the order added; NULL past the end.  Thread: any. */
psChild *psSupFirst(psSup *sup);
psChild *psSupNext(psSup *sup, psChild *child);
/** Begin the end of all, or hurry it.  Thread: loop. */
void psSupBeginEnd(psSup *sup);
/** A child that was added when the end had begun takes part in it.  Thread: loop. */
void psSupEndLate(psSup *sup, psChild *child);

#endif
