/* SPDX-License-Identifier: EPICS */
/* Prints the state machine's table as Markdown, for docs/design.md: see tools/state-table. */
#include <stdio.h>

#include <dbDefs.h>

#include "model/psMachine.h"

int main(void)
{
    static const psState columns[] = {psStateStopped, psStateStarting, psStateRunning,
                                      psStateStopping, psStateKilling};

    printf("| event | at rest |");
    for (size_t i = 1; i < NELEMENTS(columns); i++)
        printf(" %s |", psStateName(columns[i]));
    printf("\n| --- | --- | --- | --- | --- | --- |\n");
    for (int event = 0; event < psEventCount; event++) {
        printf("| %s |", psEventName((psEvent)event));
        for (size_t i = 0; i < NELEMENTS(columns); i++)
            printf(" %s |", psMachineCell(columns[i], (psEvent)event));
        printf("\n");
    }
    return ferror(stdout) ? 1 : 0;
}
