/* SPDX-License-Identifier: EPICS */
#include <string.h>

#include "sup/psSupChildren.h"

psChild *psSupAt(psSup *sup, int index)
{
    epicsMutexMustLock(sup->lock);
    psChild *child = index >= 0 && index < sup->childCount ? sup->children[index] : NULL;
    epicsMutexUnlock(sup->lock);
    return child;
}

psChild *psSupFind(psSup *sup, const char *name)
{
    psChild *child;

    for (int i = 0; (child = psSupAt(sup, i)); i++)
        if (strcmp(psChildName(child), name) == 0)
            return child;
    return NULL;
}

int psSupCount(psSup *sup)
{
    epicsMutexMustLock(sup->lock);
    int count = sup->childCount;
    epicsMutexUnlock(sup->lock);
    return count;
}

void psSupChildrenAdd(psSup *sup, psChild *child)
{
    epicsMutexMustLock(sup->lock);
    sup->children[sup->childCount++] = child;
    epicsMutexUnlock(sup->lock);
}
