/* SPDX-License-Identifier: EPICS */
/*
 * A process that runs, but does not do its work.  That it is ended is something nobody asked for:
 * what follows is what follows a crash, whatever it exits with.
 */
#include "model/psMachinePvt.h"

PS_MACHINE_HANDLER(psMachineHung)
{
    m->hung = true;
    m->unfit = event->restarts;
    out->moved = true;
}

PS_MACHINE_HANDLER(psMachineAlive)
{
    m->hung = false;
    m->unfit = false;
    out->moved = true;
}

/* The stop input is left out: a process that does not do its work does not read either. */
PS_MACHINE_HANDLER(psMachineUnfit)
{
    m->unfit = true;
    m->autoReason = event->reason;
    psMachineToSignalStage(m, now, out);
}

void psMachineTakeOver(psMachine *m)
{
    if (!m->unfit)
        return;
    m->unfit = false;
    m->asked = true;
    m->autoReason = psReasonAutoRestart;
}
