/* SPDX-License-Identifier: EPICS */
#include <stddef.h>

#include <dbDefs.h>

#include "loop/psTimer.h"

void psTimerListInit(psTimerList *list)
{
    ellInit(&list->armed);
}

void psTimerListAdd(psTimerList *list, psTimer *timer)
{
    ELLNODE *before = ellLast(&list->armed);

    /* From the end: most timers are later than all others. */
    while (before && CONTAINER(before, psTimer, node)->deadline > timer->deadline)
        before = ellPrevious(before);
    ellInsert(&list->armed, before, &timer->node);
}

void psTimerListRemove(psTimerList *list, psTimer *timer)
{
    ellDelete(&list->armed, &timer->node);
}

int psTimerListCount(const psTimerList *list)
{
    return ellCount(&list->armed);
}

psTimer *psTimerListFirst(const psTimerList *list)
{
    ELLNODE *node = ellFirst(&list->armed);

    return node ? CONTAINER(node, psTimer, node) : NULL;
}
