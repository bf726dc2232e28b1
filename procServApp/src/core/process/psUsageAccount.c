/* SPDX-License-Identifier: EPICS */
#include <stdlib.h>
#include <string.h>

#include "process/psUsageAccount.h"

#define FIRST_ROOM 64
#define ANCESTORS 64 /* more generations in a row do not end between two passes */

/* ---- the list ---- */

void psUsageMembersReset(psUsageMembers *members)
{
    members->count = 0;
}

void psUsageMembersClear(psUsageMembers *members)
{
    free(members->list);
    *members = (psUsageMembers){0};
}

void psUsageMembersAdd(psUsageMembers *members, const psUsageMember *member)
{
    if (members->count == members->room) {
        size_t room = members->room ? 2 * members->room : FIRST_ROOM;
        psUsageMember *list =
            room <= PS_USAGE_MEMBERS ? realloc(members->list, room * sizeof(*list)) : NULL;

        if (!list)
            return;
        members->list = list;
        members->room = room;
    }
    members->list[members->count++] = *member;
}

static int byPid(const void *left, const void *right)
{
    const psUsageMember *a = left, *b = right;

    return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* @param target its process only */
static psUsageMember *find(const psUsageMembers *members, pid_t pid, int target)
{
    psUsageMember key = {.pid = pid};
    psUsageMember *found =
        members->count ? bsearch(&key, members->list, members->count, sizeof(key), byPid) : NULL;

    return found && found->target == target ? found : NULL;
}

static psUsageMember *findSame(const psUsageMembers *members, const psUsageMember *member)
{
    psUsageMember *found = find(members, member->pid, member->target);

    return found && found->startTicks == member->startTicks ? found : NULL;
}

/* ---- what is gone ---- */

/* The nearest ancestor that was there before, and still is; NULL: none. */
static psUsageMember *heirOf(const psUsageMember *member, const psUsageMembers *now,
                             const psUsageMembers *before)
{
    for (int i = 0; i < ANCESTORS; i++) {
        const psUsageMember *parent = find(before, member->parent, member->target);

        if (!parent)
            return NULL;
        if (!parent->gone)
            return findSame(now, parent);
        member = parent;
    }
    return NULL;
}

static void bequeath(psUsageMembers *now, psUsageMembers *before)
{
    for (size_t i = 0; i < before->count; i++)
        before->list[i].gone = !findSame(now, &before->list[i]);
    for (size_t i = 0; i < before->count; i++) {
        const psUsageMember *member = &before->list[i];
        psUsageMember *heir = member->gone ? heirOf(member, now, before) : NULL;

        for (int kind = 0; heir && kind < psUsageKinds; kind++)
            heir->lost[kind] += member->used[kind] + member->owed[kind] +
                                (kind == psUsageCpu ? member->kidsCpu : 0);
    }
}

/* ---- what was used ---- */

static uint64_t grown(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

/* What @p amount, which a process inherited, brings that was not known before. */
static uint64_t inherited(psUsageMember *member, const psUsageMember *old, psUsageKind kind,
                          uint64_t amount)
{
    uint64_t first = old->owed[kind] < amount ? old->owed[kind] : amount;

    amount -= first;
    uint64_t second = member->lost[kind] < amount ? member->lost[kind] : amount;
    member->owed[kind] = member->lost[kind] - second;
    return amount - second;
}

void psUsageAccount(psUsageMembers *now, psUsageMembers *before,
                    void (*add)(void *ctx, int target, psUsageKind kind, uint64_t amount),
                    void *ctx)
{
    if (now->count)
        qsort(now->list, now->count, sizeof(*now->list), byPid);
    bequeath(now, before);
    for (size_t i = 0; i < now->count; i++) {
        psUsageMember *member = &now->list[i];
        const psUsageMember *same = findSame(before, member);
        static const psUsageMember nothing;
        const psUsageMember *old = same ? same : &nothing;

        add(ctx, member->target, psUsageCpu,
            grown(member->used[psUsageCpu], old->used[psUsageCpu]) +
                inherited(member, old, psUsageCpu, grown(member->kidsCpu, old->kidsCpu)));
        for (psUsageKind kind = psUsageBytesRead; kind < psUsageKinds; kind++) {
            if (!member->ioKnown)
                member->used[kind] = old->used[kind];
            add(ctx, member->target, kind,
                inherited(member, old, kind, grown(member->used[kind], old->used[kind])));
        }
    }
}
