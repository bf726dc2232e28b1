/* SPDX-License-Identifier: EPICS */
/** @file psUsageAccount.h
 *  @brief What processes have used between two passes over /proc.  Pure.
 *
 *  Of each process three numbers grow: CPU time, bytes read, bytes written.  When it ends and its
 *  parent waits for it, the parent's numbers grow by its own: for CPU in a number apart (kidsCpu),
 *  for I/O in the same.  So what is known of a process that is gone is taken off what its nearest
 *  ancestor that still lives has grown by.  If that was read before it had waited, the rest is
 *  taken off in the next pass, and then forgotten: nobody waited.
 */
#ifndef INC_psUsageAccount_H
#define INC_psUsageAccount_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Processes that are remembered, of all children; what others use is not counted. */
#define PS_USAGE_MEMBERS 16384

typedef enum psUsageKind {
    psUsageCpu,
    psUsageBytesRead,
    psUsageBytesWritten,
    psUsageKinds
} psUsageKind;

/** One process in one pass. */
typedef struct psUsageMember {
    pid_t pid, parent;
    uint64_t startTicks; /**< with pid: which process it is */
    int target;          /**< whose; other processes with another target are not its kin */
    uint64_t used[psUsageKinds];
    uint64_t kidsCpu; /**< used by children that it has waited for */
    bool ioKnown;     /**< else the numbers of I/O are those of the pass before */
    /* private to psUsageAccount() */
    bool gone;
    uint64_t lost[psUsageKinds]; /* known of descendants that are gone since the pass before */
    uint64_t owed[psUsageKinds]; /* the rest of that: may still be inherited */
} psUsageMember;

typedef struct psUsageMembers {
    psUsageMember *list; /* owned */
    size_t count, room;
} psUsageMembers;

/** Forget them, but not the memory. */
void psUsageMembersReset(psUsageMembers *members);
/** May be called twice, and on an object of zeros. */
void psUsageMembersClear(psUsageMembers *members);
/** Beyond PS_USAGE_MEMBERS, and without memory, it is not remembered. */
void psUsageMembersAdd(psUsageMembers *members, const psUsageMember *member);

/** Find out what was used since the pass before; of a process that is new, all.
 *  @param now is sorted by pid hereby, and gets what the next pass needs
 *  @param before of the pass before, after this function; it is of no use afterwards
 *  @param add called with each amount */
void psUsageAccount(psUsageMembers *now, psUsageMembers *before,
                    void (*add)(void *ctx, int target, psUsageKind kind, uint64_t amount),
                    void *ctx);

#endif
