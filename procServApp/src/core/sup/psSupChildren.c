/* SPDX-License-Identifier: EPICS */
#include <errno.h>
#include <string.h>

#include "sup/psSupChildren.h"

psChild *psSupChildrenAt(psSup *sup, int index)
{
    epicsMutexMustLock(sup->lock);
    psChild *child = index >= 0 && index < sup->childCount ? sup->children[index] : NULL;
    epicsMutexUnlock(sup->lock);
    return child;
}

psChild *psSupChildrenFind(psSup *sup, const char *name)
{
    psChild *found = NULL;

    epicsMutexMustLock(sup->lock);
    for (int i = 0; i < sup->childCount && !found; i++)
        if (strcmp(psChildName(sup->children[i]), name) == 0)
            found = sup->children[i];
    epicsMutexUnlock(sup->lock);
    return found;
}

int psSupChildrenAdd(psSup *sup, psChild *child)
{
    epicsMutexMustLock(sup->lock);
    bool room = sup->childCount < PS_CHILDREN;
    if (room)
        sup->children[sup->childCount++] = child;
    epicsMutexUnlock(sup->lock);
    return room ? 0 : -ENOSPC;
}

int psSupChildrenCount(psSup *sup)
{
    epicsMutexMustLock(sup->lock);
    int count = sup->childCount;
    epicsMutexUnlock(sup->lock);
    return count;
}
