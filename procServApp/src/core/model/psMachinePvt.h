/* SPDX-License-Identifier: EPICS */
/** @file psMachinePvt.h
 *  @brief What the parts of the state machine share: the table's rows, and the moves.  Pure.
 */
#ifndef INC_psMachinePvt_H
#define INC_psMachinePvt_H

#include <compilerDependencies.h>

#include "model/psMachine.h"

/** The kinds of states that a row distinguishes. */
typedef enum psMachineColumn {
    psColumnRest,
    psColumnStarting,
    psColumnRunning,
    psColumnStopping,
    psColumnKilling,
    psColumnCount
} psMachineColumn;

/** A function that carries out a cell. */
#define PS_MACHINE_HANDLER(name)                                                                   \
    void name(psMachine *m EPICS_UNUSED, const psInputEvent *event EPICS_UNUSED,                   \
              double now EPICS_UNUSED, psOutput *out EPICS_UNUSED)

/** What one event does in one kind of state. */
typedef struct psCell {
    void (*handler)(psMachine *m, const psInputEvent *event, double now, psOutput *out);
    const char *text; /**< for docs/design.md */
} psCell;

typedef struct psMachineRow {
    const char *name;
    psVerb verb;            /**< the command that is this event; psVerbNone: no command is */
    bool refusedWhenEnding; /**< a shutdown has begun */
    psCell cell[psColumnCount];
} psMachineRow;

/** @return NULL: there is no such event */
const psMachineRow *psMachineRowOf(psEvent event);
psMachineColumn psMachineColumnOf(psState state);

/** The bit of @p signo in psMachine.signalsSent; 0: it is no signal. */
static inline uint64_t psMachineSignalBit(int signo)
{
    return signo >= 1 && signo <= PS_SIGNAL_MAX ? UINT64_C(1) << (signo - 1) : 0;
}

/** @name Moves: each enters a state and asks for what belongs to it. @{ */
void psMachineTo(psMachine *m, psState state, double deadline, psOutput *out);
void psMachineToStopped(psMachine *m, psOutput *out);
/** A start, with a new incarnation. */
void psMachineToStarting(psMachine *m, psStartReason reason, double now, psOutput *out);
/** The first stage of a stop. */
void psMachineToStopping(psMachine *m, double now, psOutput *out);
/** The kill signal; straight to SIGKILL if that is the kill signal. */
void psMachineToSignalStage(psMachine *m, double now, psOutput *out);
void psMachineToNextStage(psMachine *m, double now, psOutput *out);
void psMachineToKilling(psMachine *m, double now, psOutput *out);
/** @} */

/** When an automatic start is due by the restart policy, monotonic s. */
double psMachineStartDue(const psMachine *m);
/** An automatic start, due at @p due: at once if nothing is left to wait for, else Holdoff. */
void psMachineAutoStart(psMachine *m, double due, double now, psOutput *out);

/** @name The end of a process: its class, and what follows.  Handlers of cells. @{ */
/** A start that nobody called off failed. */
PS_MACHINE_HANDLER(psMachineStartFailed);
/** A start that somebody called off has ended. */
PS_MACHINE_HANDLER(psMachineStartCalledOff);
/** A process ended as the event says. */
PS_MACHINE_HANDLER(psMachineEnded);
/** @} */

/** @name The commands Mode and Reset (psMachineMode.c). @{ */
PS_MACHINE_HANDLER(psMachineModeNoted);
PS_MACHINE_HANDLER(psMachineModeAtRest);
PS_MACHINE_HANDLER(psMachineResetNoted);
PS_MACHINE_HANDLER(psMachineResetAtRest);
/** @} */

/** @name A process that runs, but does not do its work (psMachineUnfit.c). @{ */
PS_MACHINE_HANDLER(psMachineHung);
PS_MACHINE_HANDLER(psMachineAlive);
PS_MACHINE_HANDLER(psMachineUnfit);
/** Somebody asks for an end that nobody had asked for until now. */
void psMachineTakeOver(psMachine *m);
/** @} */

#endif
